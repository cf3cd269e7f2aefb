import { type Commit, commit } from '../commit.ts';
import { ConditionFailed } from '../errors.ts';
import { commitInstallation } from '../installation.ts';
import type { Write } from '../inventory.ts';
import { putItem, reviewPointer } from '../items.ts';
import type { Key, KeyFacts } from '../key.ts';
import { noticeFor } from '../outbox.ts';
import type { ReviewKind } from '../policy.ts';
import type { Ports } from '../ports.ts';
import { after, instant } from '../time.ts';
import { askedFor } from './asked.ts';
import { findReview, type Review, type ReviewSubject, reviewIdOf, reviewItem } from './review.ts';

/** What opens a review. The same trigger about the same subject opens one review, however often it is asked for. */
export interface ReviewOpening {
  readonly kind: ReviewKind;
  readonly trigger: string;
  readonly cause: string;
  /** When the answer is due; by default as the policy says for its kind. */
  readonly dueAt?: string;
}

/**
 * What a commit on a key needs so that a review of it opens with the change that causes it: writes, an event, a notice. The write of the
 * review is refused (ConditionFailed) when it was opened before: ask `findReview` first where that can be.
 */
export function openingOn(
  ports: Ports,
  key: Key,
  opening: ReviewOpening,
  actor: string,
): Required<Pick<Commit, 'writes' | 'events' | 'notices'>> & { readonly review: Review } {
  const review = newReview(ports, { kind: 'key', id: key.facts.id }, key.facts, opening, actor);
  return {
    review,
    writes: [absent(review), putItem({ ...reviewPointer(key.facts.id, review.id), openedAt: review.openedAt })],
    events: [openedEvent(review)],
    notices: [
      noticeFor(ports, key, review.id, {
        type: 'key.review',
        audience: '*',
        severity: 'info',
        data: { action: 'look', reason: `${review.assignee} is asked to answer by ${review.dueAt}: ${review.cause}` },
      }),
    ],
  };
}

/** Opens a review of a key. Opened before by the same trigger: nothing changes. Returns the review. Throws Refused E_NOT_FOUND, InventoryUnavailable. */
export async function openKeyReview(ports: Ports, keyId: string, opening: ReviewOpening, actor: string): Promise<Review> {
  const id = reviewIdOf(opening.kind, { kind: 'key', id: keyId }, opening.trigger);
  const known = await findReview(ports, id);
  if (known) return known;
  let opened: Review | undefined;
  try {
    await commit(ports, keyId, (key) => {
      const { review, ...change } = openingOn(ports, key, opening, actor);
      opened = review;
      return { actor, ...change };
    });
  } catch (error) {
    const other = error instanceof ConditionFailed ? await findReview(ports, id) : undefined;
    if (!other) throw error;
    return other;
  }
  return opened as Review;
}

/** Opens a review of something that is no key, under the installation's own audit chain. Opened before by the same trigger: nothing changes. Returns the review. */
export async function openReview(ports: Ports, subject: ReviewSubject, opening: ReviewOpening, actor: string): Promise<Review> {
  if (subject.kind === 'key') return openKeyReview(ports, subject.id, opening, actor);
  const known = await findReview(ports, reviewIdOf(opening.kind, subject, opening.trigger));
  if (known) return known;
  const review = newReview(ports, subject, null, opening, actor);
  try {
    await commitInstallation(ports, () => ({ actor, writes: [absent(review)], events: [openedEvent(review)] }));
  } catch (error) {
    const other = error instanceof ConditionFailed ? await findReview(ports, review.id) : undefined;
    if (!other) throw error;
    return other;
  }
  return review;
}

function newReview(
  ports: Ports,
  subject: ReviewSubject,
  facts: KeyFacts | null,
  { kind, trigger, cause, dueAt }: ReviewOpening,
  actor: string,
): Review {
  const openedAt = instant(ports.clock.now());
  const { reviews } = ports.policy;
  const asked = askedFor(facts, ports.policy, reviews.escalate, openedAt);
  return {
    id: reviewIdOf(kind, subject, trigger),
    kind,
    subject,
    cause,
    asked,
    assignee: asked[0]?.who ?? ports.policy.onCall,
    unit: facts?.unit ?? 'default',
    openedAt,
    openedBy: actor,
    dueAt: dueAt ?? after(openedAt, reviews.answerWithinSeconds[kind]),
    state: 'open',
    revision: 0,
    missedAt: null,
    answer: null,
    note: null,
    answeredBy: null,
    answeredAt: null,
  };
}

const openedEvent = ({ id, kind, subject, cause, assignee, dueAt }: Review) => ({
  event: 'review.opened',
  detail: { review: id, kind, subject: `${subject.kind} ${subject.id}`, cause, assignee, due: dueAt },
});

const absent = (review: Review): Write => ({
  do: 'put',
  item: reviewItem(review, nextLookAt(review, review.openedAt)),
  when: [{ item: 'absent' }],
});

/** When an open review must be looked at again: at its next escalation or its deadline; never, when both are past. */
export function nextLookAt({ asked, dueAt, missedAt }: Review, now: string): string {
  const next = [...asked.map(({ at }) => at), ...(missedAt ? [] : [dueAt])].filter((at) => at > now).sort();
  return next[0] ?? 'never';
}
