import { Command } from 'commander';
import type { InventoryReport } from '../../core/reassert/open.ts';
import { identityText } from '../../core/schema.ts';
import { action, examples, type GlobalOptions } from '../session.ts';

interface Options extends GlobalOptions {
  readonly from?: string;
}

const sayings = {
  fresh: 'Nothing was written to it yet.',
  open: 'It takes writes.',
  restored: 'It is a copy from a backup and read-only: revoking works, and everything else waits for "rekey inventory reassert".',
} as const;

/** `rekey inventory show`: which table is in use, which one its items were made for, and which keys were re-asserted. */
export function inventoryShow(): Command {
  return new Command('show')
    .description('show which table is in use, and whether it is a copy from a backup')
    .option('--from <table>', 'the table it was copied from: its keys are listed as well')
    .addHelpText('after', examples('inventory show', 'inventory show --from prod-rekey-inventory --json'))
    .action(
      action<Options>(async (session, { from }) => {
        const report = await session.door.ask<InventoryReport>('inventory.show', { ...(from ? { from } : {}) });
        session.result(report, () => text(report));
        return 0;
      }),
    );
}

function text({ state, is, madeFor, schema, keys }: InventoryReport): string {
  const left = keys.filter(({ reasserted }) => !reasserted).map(({ keyId }) => keyId);
  return [
    `Table     ${identityText(is)}`,
    `Made for  ${madeFor ? identityText(madeFor) : 'nothing yet'}${schema === null ? '' : `, schema ${schema}`}`,
    `Keys      ${keys.length}${state === 'restored' ? `, ${keys.length - left.length} of them re-asserted` : ''}`,
    '',
    sayings[state],
    ...(state === 'restored' && left.length > 0 ? ['', 'Not re-asserted yet:', ...left.map((keyId) => `  ${keyId}`)] : []),
  ].join('\n');
}
