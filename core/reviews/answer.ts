import { Refused } from '../errors.ts';
import type { Ports } from '../ports.ts';
import { instant } from '../time.ts';
import { recordReview } from './record.ts';
import { getReview, type Review, reviewAnswers } from './review.ts';

/**
 * A named person answers a review. Afterwards it is closed with the answer on record, and a breach of its deadline is over. The same answer by
 * the same person again changes nothing. Throws Refused E_NOT_FOUND; E_INPUT_INVALID for an answer that its kind does not have;
 * E_NOTHING_TO_DO when it was answered otherwise; E_FORBIDDEN when somebody judges what they did themselves.
 */
export async function answerReview(
  ports: Ports,
  request: { readonly reviewId: string; readonly answer: string; readonly note: string },
  actor: string,
): Promise<Review> {
  const { reviewId, answer, note } = request;
  for (;;) {
    const review = await getReview(ports, reviewId);
    const answers = Object.keys(reviewAnswers[review.kind]);
    if (!answers.includes(answer)) {
      throw new Refused('E_INPUT_INVALID', `a review of kind ${review.kind} is answered otherwise`, [
        { path: 'answer', message: `must be one of ${answers.join(', ')}` },
      ]);
    }
    if (review.state === 'answered') {
      if (review.answer === answer && review.answeredBy === actor) return review;
      throw new Refused('E_NOTHING_TO_DO', `${reviewId} was answered at ${review.answeredAt} by ${review.answeredBy}: ${review.answer}`);
    }
    if (review.kind === 'emergency' && review.openedBy === actor)
      throw new Refused('E_FORBIDDEN', `${reviewId} is about what ${actor} did: somebody else must judge it`);
    const now = instant(ports.clock.now());
    const answered: Review = { ...review, state: 'answered', answer, note, answeredBy: actor, answeredAt: now };
    const event = { actor, event: 'review.answered', detail: { answer, note, late: now > review.dueAt } };
    if (await recordReview(ports, review, answered, now, event)) return answered;
  }
}
