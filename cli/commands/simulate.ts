import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { tiers } from '../../core/key.ts';
import { productionSettings } from '../../core/settings.ts';
import { type Rehearsal, rehearse } from '../../local/rehearsal/rehearse.ts';
import { exits } from '../ending.ts';
import { readKeyFiles } from '../key-files.ts';
import { table } from '../output.ts';
import { policyFrom } from '../policy-file.ts';
import { action, examples, type Session } from '../session.ts';

interface Options {
  readonly keys: readonly string[];
  readonly policy?: string;
  readonly days: string;
  readonly start?: string;
}

const dayMs = 86_400_000;
/** Two years show every tier's rhythm; more only takes longer. */
const mostDays = 730;

/** `rekey simulate`: what a policy would do with these keys, from the real steps in virtual time. Nothing is registered and nobody is asked. */
export function simulate(): Command {
  return new Command('simulate')
    .description(
      'run your policy and your keys through the real steps in virtual time: which rotations, when, and which keys would be held',
    )
    .requiredOption('-k, --keys <paths...>', 'key documents, or folders of them')
    .option('-p, --policy <file>', 'a policy.yaml; the one that ships with Rekey otherwise')
    .option('-d, --days <number>', 'how many days', '90')
    .option('--start <date>', 'the first day, like 2027-01-01; today otherwise')
    .addHelpText('after', examples('simulate --policy policy.yaml --keys keys/ --days 90', 'simulate --keys keys/ --json'))
    .action(action<Options>(run));
}

async function run(session: Session, options: Options): Promise<number> {
  const days = Number(options.days);
  if (!Number.isInteger(days) || days < 1 || days > mostDays) throw new Refused('E_USAGE', `--days takes 1 to ${mostDays}`);
  const start = firstDay(options.start);
  const settings = { ...productionSettings, stage: 'simulation' };
  const policy = policyFrom(options.policy);
  const { keys, rejected } = readKeyFiles(options.keys);
  if (rejected.length) {
    const problems = rejected.flatMap((row) => row.problems);
    throw new Refused('E_INPUT_INVALID', `${rejected.length} row(s) of the key files cannot be used`, problems);
  }
  const began = performance.now();
  const facts = keys.map((row) => row.facts);
  const rehearsal = await rehearse({
    keys: facts,
    policy,
    settings,
    days,
    start,
    onProgress: (now) => session.redraw(`day ${Math.floor((now - start) / dayMs)} of ${days}`),
  });
  session.redraw('');
  session.note(`${days} days in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
  session.result({ start: new Date(start).toISOString(), days, policy: policy.version, ...rehearsal }, () => told(rehearsal, start, days));
  return rehearsal.refused.length ? exits.usage : exits.ok;
}

function told({ rotations, held, refused, keys }: Rehearsal, start: number, days: number): string {
  const parts = [
    `${rotations.length} rotations of ${keys.length} keys in ${days} days. Every key begins with a version made on the first day; vendors work, and consumers`,
    'move when their refresh time is over.',
    '',
    weeks(rotations, start, days),
  ];
  if (rotations.length) {
    const rows = rotations.map((one) => [
      minute(one.startedAt),
      one.keyId,
      one.tier,
      one.owner,
      one.reason,
      one.endedAt ? `${one.outcome} ${minute(one.endedAt)}` : one.outcome,
    ]);
    parts.push('', table(['BEGINS', 'KEY', 'TIER', 'OWNER', 'WHY', 'ENDS'], rows));
  }
  if (held.length) {
    const rows = held.map((one) => [one.keyId, one.owner, minute(one.since), one.why]);
    parts.push('', table(['HELD', 'OWNER', 'SINCE', 'WHY'], rows));
  }
  if (refused.length) {
    const rows = refused.map((one) => [one.keyId, one.code, one.message]);
    parts.push('', table(['REFUSED', 'CODE', 'WHY'], rows));
  }
  return parts.join('\n');
}

/** One line a week, one mark a rotation: H, M or L for its tier. */
function weeks(rotations: Rehearsal['rotations'], start: number, days: number): string {
  const lines: string[] = [];
  for (let from = start; from < start + days * dayMs; from += 7 * dayMs) {
    const inWeek = rotations.filter(({ startedAt }) => Date.parse(startedAt) >= from && Date.parse(startedAt) < from + 7 * dayMs);
    const marks = tiers.map((tier) =>
      tier
        .charAt(0)
        .toUpperCase()
        .repeat(inWeek.filter((one) => one.tier === tier).length),
    );
    lines.push(`  week of ${new Date(from).toISOString().slice(0, 10)}  ${String(inWeek.length).padStart(4)}  ${marks.join('')}`.trimEnd());
  }
  return lines.join('\n');
}

const minute = (at: string): string => at.slice(0, 16).replace('T', ' ');

function firstDay(given: string | undefined): number {
  const day = given ?? new Date().toISOString().slice(0, 10);
  const start = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(start)) throw new Refused('E_USAGE', '--start takes a day like 2027-01-01');
  return start;
}
