import { Command } from 'commander';
import type { KeySummary } from '../../core/show.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly due?: boolean;
  readonly findings?: boolean;
}

/** `rekey key list`: every key in a line. */
export function keyList(): Command {
  return new Command('list')
    .description('list the keys: owner, tier, state, and when each is due')
    .option('--due', 'only keys that should be rotated now')
    .option('--findings', 'only keys that break a rule, with what they break')
    .addHelpText('after', examples('key list', 'key list --due', 'key list --findings --json'))
    .action(
      action<Options>(async (session, { due, findings }) => {
        const all = await session.door.ask<KeySummary[]>('key.list', {});
        const keys = all.filter((key) => (!due || key.due !== null) && (!findings || key.findings.length > 0));
        session.result(keys, () => (findings ? broken(keys) : lines(keys)));
        return 0;
      }),
    );
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
