import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import type { Drill } from '../../core/drills/drill.ts';
import type { CanaryView } from '../../core/drills/last.ts';
import type { Runbook } from '../../core/drills/runbook.ts';
import { Refused } from '../../core/errors.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { canaryTable, resultText, runbookText } from '../drill-text.ts';
import { ago } from '../elapsed.ts';
import { exits } from '../ending.ts';
import { action, examples, type Session } from '../session.ts';

interface Options {
  readonly tabletop?: string;
  readonly list?: boolean;
  readonly fault?: string;
  readonly wait: boolean;
}

/** How often to look, in milliseconds. */
const everyMs = 1000;

/** `rekey drill`: tries rotating, revoking and reissuing on a canary, or walks people through a key's runbook. */
export function drill(): Command {
  return new Command('drill')
    .description('rotate and revoke a canary now, with one fault on the way, and say how long it took')
    .argument('[key]', 'which canary; otherwise the one that was drilled longest ago')
    .option('--list', 'show every canary: its last drill, the trend, and when the next is due')
    .option('--tabletop <key>', 'print the runbook of any key, as commands that work as they stand')
    .option('--fault <name>', 'what goes wrong on the way; otherwise the next in turn')
    .option('--no-wait', 'begin it and do not watch')
    .addHelpText('after', examples('drill', 'drill canary/stripe', 'drill --list', 'drill --tabletop payments/stripe'))
    .action(action<Options>(run));
}

async function run(session: Session, { tabletop, list, fault, wait }: Options, key?: string): Promise<number> {
  if (tabletop !== undefined) {
    if (key !== undefined) throw new Refused('E_USAGE', 'name the key behind --tabletop, and no canary');
    const runbook = await session.door.ask<Runbook>('drill.runbook', { keyId: checkKeyId(tabletop) });
    session.result(runbook, () => runbookText(runbook));
    return exits.ok;
  }
  if (list) {
    const canaries = await session.door.ask<CanaryView[]>('drill.list', {});
    session.result(canaries, () => canaryTable(canaries));
    return exits.ok;
  }
  const order = { ...(key === undefined ? {} : { keyId: checkKeyId(key) }), ...(fault === undefined ? {} : { fault }) };
  const begun = await session.door.ask<{ keyId: string; drill: Drill }>('drill.begin', order);
  session.note(`${begun.keyId}: drill ${begun.drill.number} began, with the fault ${begun.drill.fault}.`);
  if (!wait) {
    session.result(begun, () => `Watch it: rekey key show ${begun.keyId} --watch; its result: rekey drill --list`);
    return exits.ok;
  }
  return follow(session, begun.keyId, begun.drill.id);
}

async function follow(session: Session, keyId: string, id: string): Promise<number> {
  const started = Date.now();
  let said = '';
  for (;;) {
    const canaries = await session.door.ask<CanaryView[]>('drill.list', {});
    const canary = canaries.find((one) => one.keyId === keyId);
    if (canary?.last?.id === id) {
      const { last, trend } = canary;
      session.result(last, () => resultText(last, trend));
      return last.passed ? exits.ok : exits.unproven;
    }
    const now = `${canary?.state ?? 'gone'}${canary?.open?.metAt ? ', its fault was met' : ''}`;
    if (now !== said) session.note(`${ago(Date.now() - started).padStart(7)}  ${now}`);
    said = now;
    await pause(everyMs);
  }
}
