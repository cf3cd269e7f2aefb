import type { Ports } from '../ports.ts';
import { instant } from '../time.ts';
import { recordReview } from './record.ts';
import { findReview, type Review } from './review.ts';

/**
 * What the reconciler does for reviews whose time has come: the next in the chain is asked, and a deadline that passed is a breach. Nobody's
 * silence is an answer. One review's trouble does not stop the others. Costs what is due. Returns what was done.
 */
export async function escalateReviews(ports: Ports): Promise<string[]> {
  const now = instant(ports.clock.now());
  const done: string[] = [];
  for await (const { keyId: partition } of ports.inventory.hints('deadline', now)) {
    const [, id] = /^REVIEW#(.+)$/.exec(partition) ?? [];
    if (!id) continue;
    try {
      const review = await findReview(ports, id);
      const what = review?.state === 'open' && (await escalate(ports, review, now));
      if (what) done.push(`${id}: ${what}`);
    } catch (error) {
      ports.log.error('a review was not looked at', { review: id, error: (error as Error).name });
    }
  }
  return done;
}

async function escalate(ports: Ports, review: Review, now: string): Promise<string | null> {
  const assignee = review.asked.findLast(({ at }) => at <= now)?.who ?? review.assignee;
  const missed = review.missedAt === null && review.dueAt <= now;
  const next: Review = { ...review, assignee, missedAt: missed ? now : review.missedAt };
  const asks = assignee !== review.assignee;
  // Nothing to say: only the time of the next look moves.
  const event = missed ? 'review.missed' : asks ? 'review.escalated' : 'review.looked-at';
  const recorded = await recordReview(ports, review, next, now, {
    actor: 'reconciler',
    event,
    detail: { assignee, due: review.dueAt },
    ...(missed || asks
      ? { tell: { severity: 'warning', reason: `${assignee} is asked: ${review.cause} (due ${review.dueAt}${missed ? ', missed' : ''})` } }
      : {}),
  });
  return recorded ? (missed ? 'missed' : asks ? `given to ${assignee}` : 'looked at') : null;
}
