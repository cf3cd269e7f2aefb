import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { parseDuration } from '../../requests/duration.ts';
import { intend } from '../intend.ts';
import { action, examples } from '../session.ts';

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
        const end = instantOf(until, Date.now());
        if (dryRun) return intend(session, keyId, [`stop its next rotation until ${end}`]);
        const held = await session.door.ask<{ keyId: string; until: string }>('hold', { keyId, reason, until: end });
        session.result(held, () => `${keyId} is on hold until ${held.until}. Revocations are not stopped by it.`);
        return 0;
      }),
    );
}

function instantOf(when: string | undefined, now: number): string {
  const wrong = (message: string) => new Refused('E_INPUT_INVALID', `a hold must end: --until ${message}`, [{ path: '--until', message }]);
  if (when === undefined) throw wrong('is missing; give an instant, a day, or a length like P3D');
  const seconds = parseDuration(when);
  if (seconds !== undefined) return new Date(now + seconds * 1000).toISOString();
  const instant = /^\d{4}-\d\d-\d\d$/.test(when) ? `${when}T00:00:00Z` : when;
  const parsed = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(instant) ? new Date(instant) : undefined;
  // A day that its month does not have is read as one of the next month.
  if (!parsed || Number.isNaN(parsed.getTime()) || !parsed.toISOString().startsWith(instant.slice(0, 10))) {
    throw wrong('must be like 2027-01-31T12:00:00Z, 2027-01-31 or P3D');
  }
  return parsed.toISOString();
}
