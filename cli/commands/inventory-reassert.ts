import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import type { KnownVersion } from '../../core/reassert/join.ts';
import type { InventoryReport } from '../../core/reassert/open.ts';
import type { Reasserted } from '../../core/reassert/reassert.ts';
import { exits } from '../ending.ts';
import { knownVersions } from '../known-versions.ts';
import { table } from '../output.ts';
import { action, examples, type GlobalOptions, type Session } from '../session.ts';

interface Options extends GlobalOptions {
  readonly from?: string;
  readonly lines?: string;
  readonly observe: readonly string[];
}

interface Row {
  readonly keyId: string;
  readonly outcome: Reasserted['outcome'] | 'failed';
  readonly detail: string;
}

/** How often a key is asked for again while the death of one of its versions is not proven. */
const mostRounds = 60;

/** `rekey inventory reassert`: every key of a restored table in turn, then the table is opened. Interrupted, it can be run again. */
export function inventoryReassert(): Command {
  return new Command('reassert')
    .description('bring a table that was restored from a backup back to the truth, key by key, then open it for writes')
    .option('--from <table>', 'the table it was copied from, while it can still be read')
    .option('--lines <file>', 'what "history --json" printed before, as {"key": [entries]}; "-" reads stdin')
    .option('--observe <keys...>', 'keys whose provider cannot be asked: they are only observed from now on', [])
    .addHelpText(
      'after',
      examples(
        'inventory reassert --from prod-rekey-inventory',
        'inventory reassert --lines history.json',
        'inventory reassert --observe legacy/vendor --json',
      ),
    )
    .action(action<Options>(run));
}

async function run(session: Session, options: Options): Promise<number> {
  const { from } = options;
  const known = options.lines ? await knownVersions(options.lines) : new Map<string, readonly KnownVersion[]>();
  const source = from ? { from } : {};
  const report = await session.door.ask<InventoryReport>('inventory.show', source);
  if (report.state !== 'restored') throw new Refused('E_NOTHING_TO_DO', `${report.is.name} is no copy: it takes writes already`);
  const rows: Row[] = [];
  for (const { keyId } of report.keys) {
    session.redraw(`${rows.length} of ${report.keys.length}: ${keyId}`);
    const about = known.get(keyId) ?? [];
    const observe = options.observe.includes(keyId);
    const row = await oneKey(session, { keyId, ...source, ...(about.length ? { known: about } : {}), ...(observe ? { observe } : {}) });
    rows.push(row);
    session.note(`${row.outcome.padEnd(11)} ${keyId}${row.detail ? `  ${row.detail}` : ''}`);
  }
  const failed = rows.filter(({ outcome }) => outcome === 'failed' || outcome === 'again');
  const opened = failed.length ? null : (await session.door.ask<{ opened: string }>('inventory.open', source)).opened;
  session.result({ keys: rows, opened }, () =>
    [
      table(
        ['KEY', 'OUTCOME', 'DETAIL'],
        rows.map(({ keyId, outcome, detail }) => [keyId, outcome, detail]),
      ),
      '',
      opened ? `${opened} takes writes.` : `${failed.length} keys are left: the table stays read-only. Run this again.`,
    ].join('\n'),
  );
  if (failed.length) return exits.timedOut;
  return rows.some(({ outcome }) => outcome === 'doubtful') ? exits.needsPerson : exits.ok;
}

async function oneKey(session: Session, request: { readonly keyId: string }): Promise<Row> {
  const { keyId } = request;
  for (let round = 1; ; round++) {
    try {
      const { outcome, againSeconds, doubts, versions } = await session.door.ask<Reasserted>('inventory.reassert', request);
      const states = versions.map(({ number, state, compromised }) => `${number} ${state}${compromised ? ', leaked' : ''}`).join('; ');
      if (outcome !== 'again' || round >= mostRounds) return { keyId, outcome, detail: doubts.join('; ') || states };
      await pause((againSeconds + 0.2) * 1000);
    } catch (error) {
      // One key's trouble does not keep the others back.
      const said = error as Error & { readonly code?: string };
      if (said.code === 'E_CREDENTIALS' || said.code === 'E_FORBIDDEN') throw error;
      return { keyId, outcome: 'failed', detail: `${said.code ?? said.name}: ${said.message}` };
    }
  }
}
