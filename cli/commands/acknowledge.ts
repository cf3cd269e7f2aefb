import { Command } from 'commander';
import { action, examples } from '../session.ts';

/** `rekey acknowledge`: somebody takes what waits for people, so that nobody else is told. */
export function acknowledge(): Command {
  return new Command('acknowledge')
    .description('take what waits for people about a key: nobody else is told, unless it is still open much later')
    .argument('<about>', 'the id of the key, or of one escalation (rekey status)')
    .addHelpText('after', examples('acknowledge payments/stripe', 'acknowledge payments/stripe --json'))
    .action(
      action(async (session, _options, about) => {
        const taken = await session.door.ask<{ acknowledged: readonly string[]; by: string }>('escalation.acknowledge', { about });
        session.result(taken, () => `${taken.by} has taken ${taken.acknowledged.join(', ')}.`);
        return 0;
      }),
    );
}
