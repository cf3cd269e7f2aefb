import { Command } from 'commander';
import type { Review } from '../../core/reviews/review.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly key?: string;
  readonly kind?: string;
  readonly assignee?: string;
  readonly overdue?: boolean;
}

/** `rekey review list`: what named people have to answer, the earliest deadline first. */
export function reviewList(): Command {
  return new Command('list')
    .description('list the reviews that wait for an answer, the earliest deadline first')
    .option('--key <id>', "all of one key's reviews, answered ones as well")
    .option('--kind <kind>', 'of one kind: access, dormant, policy, log, emergency, trigger, drill, exception, departure')
    .option('--assignee <name>', 'given to one person or team')
    .option('--overdue', 'only those whose deadline has passed')
    .addHelpText(
      'after',
      examples('review list', 'review list --assignee team-payments --overdue', 'review list --key payments/stripe --json'),
    )
    .action(
      action<Options>(async (session, { key, kind, assignee, overdue }) => {
        const filter = {
          ...(key === undefined ? {} : { keyId: key }),
          ...(kind === undefined ? {} : { kind }),
          ...(assignee === undefined ? {} : { assignee }),
          ...(overdue ? { overdue } : {}),
        };
        const reviews = await session.door.ask<Review[]>('review.list', filter);
        session.result(reviews, () =>
          reviews.length
            ? table(
                ['REVIEW', 'ABOUT', 'CAUSE', 'GIVEN TO', 'DUE', 'ANSWER'],
                reviews.map((one) => [
                  one.id,
                  one.subject.kind === 'key' ? one.subject.id : `${one.subject.kind} ${one.subject.id}`,
                  one.cause,
                  one.assignee,
                  one.missedAt ? `${one.dueAt}, missed` : one.dueAt,
                  one.answer ? `${one.answer}, by ${one.answeredBy}` : '-',
                ]),
              )
            : 'No review waits for an answer.',
        );
        return 0;
      }),
    );
}
