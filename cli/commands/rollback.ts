import { Command } from 'commander';
import { checkKeyId } from '../../core/key-id.ts';
import { exitOf } from '../ending.ts';
import { intend } from '../intend.ts';
import { action, examples } from '../session.ts';
import { watch } from '../watch.ts';

interface Options {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

/** `rekey rollback`: takes a rotation back while the old version still works. */
export function rollback(): Command {
  return new Command('rollback')
    .description('take a rotation back: everybody returns to the old version, then the new one dies')
    .argument('<key>', 'its id')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--dry-run', 'say what would happen, and do nothing')
    .option('--wait', 'watch until it ends')
    .addHelpText('after', examples('rollback payments/stripe --reason "checkout cannot read the new version"'))
    .action(
      action<Options>(async (session, { reason, dryRun, wait }, key) => {
        const keyId = checkKeyId(key ?? '');
        if (dryRun) {
          return intend(
            session,
            keyId,
            [
              'point every destination back to the old version',
              'wait until its consumers proved that they are back',
              'disable the new version',
            ],
            ({ operation }) => (operation?.kind === 'rotate' ? null : 'no rotation is under way'),
          );
        }
        const asked = await session.door.ask<{ keyId: string; operationId: string }>('rollback', { keyId, reason });
        if (!wait) {
          session.result(asked, () => `${keyId} is rolling back (${asked.operationId}).\nWatch it: rekey key show ${keyId} --watch`);
          return 0;
        }
        const { end, report } = await watch(session, asked);
        session.result({ ...asked, end, report }, () => `${keyId} is ${report.state}, on version ${report.current ?? 'none'}.`);
        return exitOf(end);
      }),
    );
}
