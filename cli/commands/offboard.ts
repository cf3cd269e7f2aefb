import { Command } from 'commander';
import { checkKeyId } from '../../core/key-id.ts';
import type { Offboarded } from '../../core/offboard.ts';
import { intend } from '../intend.ts';
import { action, examples } from '../session.ts';

/** `rekey offboard`: a named person decides that a key goes for good. */
export function offboard(): Command {
  return new Command('offboard')
    .description('end a key for good: every version is disabled, proven dead and deleted, and none is issued again')
    .argument('<key>', 'its id')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--dry-run', 'say what would be done, and do nothing')
    .addHelpText('after', examples('offboard payments/old-shop --reason "the shop is closed"'))
    .action(
      action<{ readonly reason: string; readonly dryRun?: boolean }>(async (session, { reason, dryRun }, key) => {
        const keyId = checkKeyId(key ?? '');
        if (dryRun)
          return intend(session, keyId, ['disable every version and see it refused', 'delete each after its soak', 'retire the key']);
        const asked = await session.door.ask<Offboarded>('key.offboard', { keyId, reason });
        session.result(asked, () =>
          asked.waitsForApproval
            ? `${keyId} is to go; somebody else has to approve it: rekey approve ${keyId}`
            : `${keyId} is to go: it is disabled within minutes. Until it is deleted, rekey reissue ${keyId} calls it back.`,
        );
        return 0;
      }),
    );
}
