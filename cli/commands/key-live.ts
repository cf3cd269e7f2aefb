import { Command } from 'commander';
import { checkKeyId } from '../../core/key-id.ts';
import { intend } from '../intend.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly dryRun?: boolean;
}

/** `rekey key live`: ends *observe only*. */
export function keyLive(): Command {
  return new Command('live')
    .description('let Rekey change a key that it only observed so far')
    .argument('<key>', 'its id')
    .option('--dry-run', 'say what would happen, and do nothing')
    .addHelpText('after', examples('key live payments/stripe'))
    .action(
      action<Options>(async (session, { dryRun }, key) => {
        const keyId = checkKeyId(key ?? '');
        if (dryRun) return intend(session, keyId, ['rotate it from now on when it is due']);
        const live = await session.door.ask<{ keyId: string }>('key.live', { keyId });
        session.result(live, () => `${live.keyId} is live: it is rotated from now on when it is due.`);
        return 0;
      }),
    );
}
