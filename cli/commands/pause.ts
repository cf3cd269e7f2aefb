import { Command } from 'commander';
import { action, examples } from '../session.ts';
import { untilOf } from '../until.ts';

/** `rekey pause`: the schedule starts nothing until an instant. What runs goes on, and people and revocations are not stopped. */
export function pause(): Command {
  return new Command('pause')
    .description('have the schedule start nothing until an instant; people and revocations are never stopped')
    .requiredOption('--reason <text>', 'why, for the record')
    .requiredOption('--until <when>', 'an instant (2027-01-31T12:00:00Z), a day (2027-01-31), or a length from now (P1D, PT12H)')
    .addHelpText('after', examples('pause --until PT4H --reason "the vendor is down"'))
    .action(
      action<{ readonly reason: string; readonly until: string }>(async (session, { reason, until }) => {
        const paused = await session.door.ask<{ until: string }>('pause', { reason, until: untilOf(until, 'a pause', Date.now()) });
        session.result(paused, () => `The schedule starts nothing until ${paused.until}.`);
        return 0;
      }),
    );
}
