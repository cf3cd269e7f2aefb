import { Command } from 'commander';
import { action, examples } from '../session.ts';

/** `rekey resume`: ends a pause of the schedule. */
export function resume(): Command {
  return new Command('resume')
    .description('end a pause of the schedule')
    .requiredOption('--reason <text>', 'why, for the record')
    .addHelpText('after', examples('resume --reason "the vendor is back"'))
    .action(
      action<{ readonly reason: string }>(async (session, { reason }) => {
        const resumed = await session.door.ask<{ resumed: true }>('resume', { reason });
        session.result(resumed, () => 'The schedule starts what is due again.');
        return 0;
      }),
    );
}
