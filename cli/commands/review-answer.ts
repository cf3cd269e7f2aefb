import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { type Review, reviewAnswers } from '../../core/reviews/review.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly answer?: string;
  readonly note?: string;
}

/** `rekey review answer`: closes a review under the caller's own name. Without an answer it says what can be answered, and what that means. */
export function reviewAnswer(): Command {
  return new Command('answer')
    .description('answer a review under your own name; without --answer, see what it asks')
    .argument('<review>', 'its id')
    .option('--answer <word>', 'one of the answers that its kind has')
    .option('--note <text>', 'why, for the record')
    .addHelpText(
      'after',
      examples('review answer access-3k…', 'review answer access-3k… --answer needed --note "still charges cards every night"'),
    )
    .action(
      action<Options>(async (session, { answer, note }, reviewId = '') => {
        if (answer === undefined) {
          const review = await session.door.ask<Review>('review.show', { reviewId });
          const meanings = reviewAnswers[review.kind];
          session.result({ review, answers: meanings }, () => asked(review, meanings));
          return 0;
        }
        if (note === undefined) throw new Refused('E_USAGE', 'say why with --note: it goes on record under your name');
        const answered = await session.door.ask<Review>('review.answer', { reviewId, answer, note });
        session.result(answered, () => `${answered.id} is answered: ${answered.answer}, by ${answered.answeredBy}.`);
        return 0;
      }),
    );
}

function asked(review: Review, meanings: Readonly<Record<string, string>>): string {
  const { subject, cause, assignee, openedAt, openedBy, dueAt, missedAt, answer, answeredBy, answeredAt, note } = review;
  return [
    `About     ${subject.kind} ${subject.id}`,
    `Cause     ${cause}`,
    `Opened    ${openedAt} by ${openedBy}`,
    `Due       ${dueAt}${missedAt ? ', missed' : ''}`,
    `Given to  ${assignee}`,
    ...(answer ? [`Answer    ${answer}, by ${answeredBy} at ${answeredAt}: ${note}`] : []),
    ...(answer ? [] : ['', 'It can be answered with:', ...Object.entries(meanings).map(([word, meaning]) => `  ${word}: ${meaning}`)]),
  ].join('\n');
}
