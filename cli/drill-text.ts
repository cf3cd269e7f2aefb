import type { DrillResult } from '../core/drills/drill.ts';
import type { CanaryView } from '../core/drills/last.ts';
import type { Runbook } from '../core/drills/runbook.ts';
import { ago } from './elapsed.ts';
import { table } from './output.ts';

const took = (seconds: number | null): string => (seconds === null ? 'not seen' : ago(seconds * 1000));

/** What a drill showed, and whether the provider and everything else get slower. */
export function resultText(last: DrillResult, trend: readonly DrillResult[]): string {
  const { id, keyId, provider, fault, passed, failures, rotateSeconds, disableSeconds, deadSeconds, restoreSeconds } = last;
  return [
    `Drill ${id} of ${keyId} at ${provider} ${passed ? 'passed' : 'FAILED'}, with the fault ${fault}.`,
    `  rotated in   ${took(rotateSeconds)}`,
    `  disabled in  ${took(disableSeconds)}${trendOf(trend, ({ disableSeconds: of }) => of)}`,
    `  dead in      ${took(deadSeconds)}`,
    `  restored in  ${took(restoreSeconds)}${trendOf(trend, ({ restoreSeconds: of }) => of)}`,
    ...failures.map((failure) => `  FAILED: ${failure}`),
  ].join('\n');
}

/** Every canary on a line. */
export function canaryTable(canaries: readonly CanaryView[]): string {
  if (canaries.length === 0) return 'No canary is registered. A key becomes one by "canary: true" in its file: docs/drills.md';
  return table(
    ['CANARY', 'AT', 'LAST DRILL', 'DISABLED', 'RESTORED', 'BEFORE THAT', 'NEXT DUE'],
    canaries.map(({ keyId, provider, last, trend, dueAt, overdue, open }) => [
      keyId,
      provider,
      last ? `${last.passed ? 'passed' : 'FAILED'} ${last.endedAt}` : 'never',
      last ? took(last.disableSeconds) : '-',
      last ? took(last.restoreSeconds) : '-',
      trend
        .slice(0, -1)
        .flatMap(({ restoreSeconds }) => took(restoreSeconds))
        .join(', ') || '-',
      open ? 'under way' : overdue ? `OVERDUE since ${dueAt}` : (dueAt ?? 'not while it has no version'),
    ]),
  );
}

/** A key's runbook: who is called, and what is typed. */
export function runbookText({ keyId, people, breaks, lastDrill, steps, gaps }: Runbook): string {
  return [
    `Runbook of ${keyId}`,
    '',
    ...people.map(({ who, name }) => `  ${name} ${who}`),
    '',
    `Services that stop: ${breaks.join(', ') || 'none that is known'}`,
    `Last drill: ${lastDrill}`,
    ...steps.flatMap(({ title, commands, afterwards }, index) => [
      '',
      `${index + 1}. ${title}`,
      ...commands.map((command) => `     ${command}`),
      `   Then: ${afterwards}.`,
    ]),
    ...(gaps.length ? ['', `Missing on record: ${gaps.join('; ')}`] : []),
  ].join('\n');
}

function trendOf(trend: readonly DrillResult[], of: (result: DrillResult) => number | null): string {
  const before = trend.slice(0, -1).map((result) => took(of(result)));
  return before.length ? ` (before: ${before.join(', ')})` : '';
}
