import { Command } from 'commander';
import { checkKeyId } from '../../core/key-id.ts';
import { exitOf } from '../ending.ts';
import { intend } from '../intend.ts';
import { action, examples } from '../session.ts';
import { watch } from '../watch.ts';

interface Options {
  readonly reason: string;
  readonly mistake?: boolean;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
}

/** `rekey reissue`: a revoked key gets its next version. What was revoked stays dead. */
export function reissue(): Command {
  return new Command('reissue')
    .description('give a contained key its next version, where that was held back; what was revoked stays dead')
    .argument('<key>', 'its id')
    .requiredOption('--reason <text>', 'why it is safe now, for the record')
    .option('--mistake', 'the wrong key was revoked: closes the incident as a false alarm')
    .option('--dry-run', 'say what would happen, and do nothing')
    .option('--wait', 'watch until every destination holds the new version')
    .addHelpText(
      'after',
      examples(
        'reissue payments/stripe --reason "the repository is cleaned" --wait',
        'reissue payments/stripe --mistake --reason "meant payments/paypal"',
      ),
    )
    .action(
      action<Options>(async (session, { reason, mistake = false, dryRun, wait }, key) => {
        const keyId = checkKeyId(key ?? '');
        if (dryRun) {
          return intend(
            session,
            keyId,
            [
              'issue the next version and write it to every destination',
              ...(mistake ? ['close the incident as a false alarm; the revoked version stays dead'] : []),
            ],
            ({ operation }) => (operation?.kind === 'revoke' && operation.waitsFor ? null : 'no reissue is held'),
          );
        }
        const released = await session.door.ask<{ keyId: string; operationId: string; message: string }>('reissue', {
          keyId,
          mistake,
          reason,
        });
        if (!wait) {
          session.result(released, () => `${released.message}\nWatch it: rekey key show ${keyId} --watch`);
          return 0;
        }
        session.note(released.message);
        const { end, report } = await watch(session, released);
        session.result({ ...released, end, report }, () => `${keyId} is ${report.state}, on version ${report.current ?? 'none'}.`);
        return exitOf(end);
      }),
    );
}
