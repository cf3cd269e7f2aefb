import { Command } from 'commander';
import { policyEvents, type Review } from '../../core/reviews/review.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly because: string;
  readonly note: string;
}

/** `rekey review open`: something happened that no machine sees, and the policy has to be looked through before its year is over. */
export function reviewOpen(): Command {
  return new Command('open')
    .description('have the policy looked through before its year is over, because something changed')
    .requiredOption('--because <event>', policyEvents.join(', '))
    .requiredOption('--note <text>', 'what happened, for the record')
    .addHelpText('after', examples('review open --because tool-change --note "moved to another identity provider"'))
    .action(
      action<Options>(async (session, { because, note }) => {
        const review = await session.door.ask<Review>('review.open', { because, note });
        session.result(review, () => `${review.id} is open: ${review.assignee} answers by ${review.dueAt}.`);
        return 0;
      }),
    );
}
