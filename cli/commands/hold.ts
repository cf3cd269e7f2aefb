import { Command } from 'commander';
import { checkKeyId } from '../../core/key-id.ts';
import { intend } from '../intend.ts';
import { action, examples } from '../session.ts';
import { untilOf } from '../until.ts';

interface Options {
  readonly reason: string;
  readonly until?: string;
  readonly clear?: boolean;
  readonly dryRun?: boolean;
}

/** `rekey hold`: a reasoned stop of the next rotation that ends by itself. Never stops a revocation. */
export function hold(): Command {
  return new Command('hold')
    .description('stop the next rotation of a key until an instant, at most 14 days away; never stops a revocation')
    .argument('<key>', 'its id')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--until <when>', 'an instant (2027-01-31T12:00:00Z), a day (2027-01-31), or a length from now (P3D, PT12H)')
    .option('--clear', 'end the hold now')
    .option('--dry-run', 'say what would happen, and do nothing')
    .addHelpText(
      'after',
      examples('hold payments/stripe --until P3D --reason "sale weekend"', 'hold payments/stripe --clear --reason "sale is over"'),
    )
    .action(
      action<Options>(async (session, { reason, until, clear, dryRun }, key) => {
        const keyId = checkKeyId(key ?? '');
        if (clear) {
          if (dryRun) return intend(session, keyId, ['end its hold']);
          const cleared = await session.door.ask<{ keyId: string }>('unhold', { keyId, reason });
          session.result(cleared, () => `${keyId} is no longer on hold.`);
          return 0;
        }
        const end = untilOf(until, 'a hold', Date.now());
        if (dryRun) return intend(session, keyId, [`stop its next rotation until ${end}`]);
        const held = await session.door.ask<{ keyId: string; until: string }>('hold', { keyId, reason, until: end });
        session.result(held, () => `${keyId} is on hold until ${held.until}. Revocations are not stopped by it.`);
        return 0;
      }),
    );
}
