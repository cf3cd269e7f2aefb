import { Command } from 'commander';
import type { Bulk } from '../../core/bulk/bulk.ts';
import { resumeBulk, showProofs } from '../bulk.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';

/** `rekey bulk list`: the revocations of many keys at once. */
export function bulkList(): Command {
  return new Command('list')
    .description('show the revocations of many keys at once, and how far each is')
    .addHelpText('after', examples('bulk list', 'bulk list --json'))
    .action(
      action(async (session) => {
        const bulks = await session.door.ask<Bulk[]>('bulk.list', {});
        session.result(bulks, () =>
          table(
            ['ID', 'SINCE', 'WHAT', 'KEYS', 'DISABLED', 'CONTAINED', 'PHASE'],
            bulks.map(({ id, startedAt, what, total, disabled, proven, phase }) => [
              id,
              startedAt,
              what,
              String(total),
              String(disabled),
              String(proven),
              phase,
            ]),
          ),
        );
        return 0;
      }),
    );
}

/** `rekey bulk resume`: goes on with one, as fast as its vendors allow. */
export function bulkResume(): Command {
  return new Command('resume')
    .description('go on with a bulk revocation as fast as its vendors allow, and watch it; nothing is done twice')
    .argument('<id>', 'its id')
    .addHelpText('after', examples('bulk resume 0a1b2c3d-4e5f'))
    .action(action((session, _options, id = '') => resumeBulk(session, id)));
}

/** `rekey bulk proofs`: the one list of proofs. */
export function bulkProofs(): Command {
  return new Command('proofs')
    .description('show for every key of a bulk revocation how its versions were proven dead')
    .argument('<id>', 'its id')
    .addHelpText('after', examples('bulk proofs 0a1b2c3d-4e5f --json > proofs.json'))
    .action(action(async (session, _options, id = '') => showProofs(session, await session.door.ask<Bulk>('bulk.show', { id }))));
}
