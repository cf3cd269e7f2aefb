import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import type { KeySummary } from '../../core/show.ts';
import { table } from '../output.ts';
import { everyRow } from '../pages.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly id?: string;
  readonly owner?: string;
  readonly team?: string;
  readonly unit?: string;
  readonly vendor?: string;
  readonly service?: string;
  readonly environment?: string;
  readonly tier?: string;
  readonly state?: string;
  readonly olderThan?: string;
  readonly dueBefore?: string;
  readonly due?: boolean;
  readonly findings?: boolean;
}

/** `rekey key list`: every key in a line, or those that are looked for. */
export function keyList(): Command {
  return new Command('list')
    .description('list the keys, or look for some: owner, tier, state, and when each is due; * in a name stands for any characters')
    .option('--id <name>', 'by id, like payments/*')
    .option('--owner <name>', 'by owner')
    .option('--team <name>', 'by team')
    .option('--unit <name>', 'by unit of the organisation')
    .option('--vendor <name>', 'by provider')
    .option('--service <name>', 'by a service that uses it')
    .option('--environment <name>', 'by environment')
    .option('--tier <tier>', 'by tier: high, medium, low')
    .option('--state <state>', 'by state, like active or revoking')
    .option('--older-than <days>', 'whose version in use is at least so many days old')
    .option('--due-before <day>', 'due until a day, like 2027-01-31')
    .option('--due', 'only keys that should be rotated now')
    .option('--findings', 'only keys that break a rule, with what they break')
    .addHelpText('after', examples('key list', 'key list --due', 'key list --owner ana@* --older-than 60', 'key list --findings --json'))
    .action(
      action<Options>(async (session, options) => {
        const keys: KeySummary[] = [];
        for await (const key of everyRow<KeySummary>(session, 'key.list', filterOf(options))) keys.push(key);
        keys.sort((a, b) => (a.id < b.id ? -1 : 1));
        session.result(keys, () => (options.findings ? broken(keys) : lines(keys)));
        return 0;
      }),
    );
}

function filterOf({ olderThan, dueBefore, due, findings, ...names }: Options): object {
  const { id, owner, team, unit, vendor, service, environment, tier, state } = names;
  return Object.fromEntries(
    Object.entries({
      ...{ id, owner, team, unit, vendor, service, environment, tier, state },
      olderThanDays: olderThan === undefined ? undefined : daysOf(olderThan),
      dueBefore: dueBefore === undefined ? undefined : dayOf(dueBefore),
      due: due || undefined,
      breaks: findings ? '*' : undefined,
    }).filter(([, value]) => value !== undefined),
  );
}

function daysOf(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new Refused('E_USAGE', '--older-than takes a number of days, like 90');
  return Number(text);
}

function dayOf(text: string): string {
  const at = Date.parse(`${text}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(at) || !new Date(at).toISOString().startsWith(text))
    throw new Refused('E_USAGE', '--due-before takes a day like 2027-01-31');
  return new Date(at).toISOString();
}

function lines(keys: readonly KeySummary[]): string {
  if (keys.length === 0) return 'No keys. Register some: rekey key add -f KEYS.yaml';
  return table(
    ['KEY', 'TIER', 'STATE', 'VERSION', 'DUE', 'OWNER', 'NOTES'],
    keys.map((key) => [key.id, key.tier, key.state, String(key.current ?? '-'), key.due ?? key.nextDueAt ?? '-', key.owner, notes(key)]),
  );
}

function notes({ mode, hold, attention, findings }: KeySummary): string {
  return [
    mode === 'observe' ? 'observed only' : '',
    hold ? `on hold until ${hold.until}` : '',
    attention ? `needs a person: ${attention.reason}` : '',
    findings.length ? `${findings.length} finding${findings.length === 1 ? '' : 's'}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function broken(keys: readonly KeySummary[]): string {
  if (keys.length === 0) return 'No key breaks a rule.';
  const rows = keys.flatMap((key) => key.findings.map(({ rule, message, owner, since }) => [key.id, rule, owner, since, message]));
  return table(['KEY', 'RULE', 'OWNER', 'SINCE', 'WHAT'], rows);
}
