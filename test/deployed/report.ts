import { table } from '../../cli/output.ts';
import { allowed } from './allowed.ts';
import type { EndpointName } from './endpoint.ts';
import type { NotRun, Outcome } from './journey.ts';

/** One row for each journey: what became of it, and what was observed. */
export function journeyTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.flatMap(({ journey: { letter, title }, result, seconds, observed }) => {
    const [first = '', ...more] = observed;
    return [[letter, title, result, `${seconds.toFixed(0)} s`, oneLine(first)], ...more.map((line) => ['', '', '', '', oneLine(line)])];
  });
  return table(['', 'JOURNEY', 'RESULT', 'TOOK', 'OBSERVED'], rows);
}

/** What makes the run a failure, in sentences: a journey that failed, or something not run that the endpoint's list does not name. */
export function failures(endpoint: EndpointName, outcomes: readonly Outcome[], missing: readonly NotRun[] = []): string[] {
  const known = new Set(allowed[endpoint].map(({ what }) => what));
  const failed = outcomes.filter(({ result }) => result === 'failed').map(({ journey }) => `${journey.letter} failed: ${journey.title}`);
  const notRun = [...missing, ...outcomes.flatMap((outcome) => outcome.notRun)]
    .filter(({ what, lacks }) => !known.has(what) && (lacks === undefined || !known.has(lacks)))
    .map(({ what, why }) => `not run, and not on the list for ${endpoint}: ${what} (${why})`);
  const none = outcomes.length === 0 ? ['no journey was run'] : [];
  return [...none, ...failed, ...notRun];
}

function oneLine(text: string): string {
  const flat = text.replace(/\s*\n\s*/g, ' / ');
  return flat.length > 160 ? `${flat.slice(0, 159)}…` : flat;
}
