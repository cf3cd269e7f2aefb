import { Refused } from '../errors.ts';
import type { Item } from '../inventory.ts';
import { attribute, hashed, indexChange, reviewKey, reviewPartition, withoutRow } from '../items.ts';
import type { ReviewKind } from '../policy.ts';
import type { Ports } from '../ports.ts';

/** What a review is about: a key by its id, or the installation (its policy, its log, a provider, a person). */
export interface ReviewSubject {
  readonly kind: 'key' | 'policy' | 'log' | 'provider' | 'person' | 'drill' | 'incident';
  readonly id: string;
}

/**
 * A question that a named person answers by an instant. It ends by an answer and by nothing else: silence escalates, then it is a breach.
 * Stored in a partition of its own, with a row in the index `deadline` while it is open.
 */
export interface Review {
  readonly id: string;
  readonly kind: ReviewKind;
  readonly subject: ReviewSubject;
  /** What opened it, as a sentence. */
  readonly cause: string;
  /** Who has to answer, in order; and whom it is given to now. */
  readonly asked: readonly { readonly who: string; readonly at: string }[];
  readonly assignee: string;
  readonly unit: string;
  readonly openedAt: string;
  readonly openedBy: string;
  readonly dueAt: string;
  readonly state: 'open' | 'answered';
  /** Grows with each change, so that of two at once one is refused. */
  readonly revision: number;
  /** When its deadline passed without an answer: a breach, on record. */
  readonly missedAt: string | null;
  readonly answer: string | null;
  readonly note: string | null;
  readonly answeredBy: string | null;
  readonly answeredAt: string | null;
}

/** What the policy is looked through for before its year is over (POL-V2, POL-K4), beside an emergency, which opens its own review. */
export const policyEvents = [
  'incident',
  'tool-change',
  'onboarding',
  'new-market',
  'reorganisation',
  'staff-change',
  'system-change',
] as const;

/** What can be answered to each kind of review, and what it means. The first is the one after which nothing changes. */
export const reviewAnswers: Readonly<Record<ReviewKind, Readonly<Record<string, string>>>> = {
  access: { needed: 'the key is still needed', 'not-needed': 'the key may go: it is offboarded under the name of whoever answered' },
  dormant: {
    needed: 'the key is needed although nobody used it',
    'not-needed': 'the key may go: it is offboarded under the name of whoever answered',
  },
  policy: { kept: 'the policy stays as it is', changed: 'the policy was changed' },
  log: {
    'nothing-found': 'the log was looked through, and nothing needs to be done',
    'followed-up': 'something was found, and it was followed up',
  },
  emergency: { justified: 'it was right to act', 'false-alarm': 'there was no emergency', 'not-justified': 'it was wrong to act' },
  trigger: { dismissed: 'nothing needs to be done', 'acted-on': 'it was acted on' },
  drill: { passed: 'the drill showed what it should', failed: 'the drill showed something to put right' },
  exception: { 'let-end': 'it ends as it was granted', renewed: 'another exception was asked for' },
  departure: { 'nothing-left': 'nothing of theirs is left', 'acted-on': 'what was left was dealt with' },
};

/** The id of a review: what it is about and what caused it, so that the same cause never opens a second one. */
export function reviewIdOf(kind: ReviewKind, subject: ReviewSubject, trigger: string): string {
  return `${kind}-${hashed(`${kind}|${subject.kind}|${subject.id}|${trigger}`, 26)}`;
}

/** The item of a review. `nextAt`: when somebody has to look at it again; null when it was answered. */
export function reviewItem(review: Review, nextAt: string | null): Item {
  const rows = indexChange(reviewPartition(review.id), { deadline: nextAt }).set ?? {};
  return { ...reviewKey(review.id), ...(attribute(review) as object), ...rows };
}

/** The review as it is recorded now, or undefined. */
export async function findReview(ports: Ports, reviewId: string): Promise<Review | undefined> {
  const item = await ports.inventory.get(reviewKey(reviewId));
  return item && reviewOf(item);
}

/** The review. Throws Refused E_NOT_FOUND. */
export async function getReview(ports: Ports, reviewId: string): Promise<Review> {
  const review = await findReview(ports, reviewId);
  if (!review) throw new Refused('E_NOT_FOUND', `there is no review ${reviewId}`);
  return review;
}

/** The review that an item holds. */
function reviewOf(item: Item): Review {
  return withoutRow(item, 'deadline') as unknown as Review;
}
