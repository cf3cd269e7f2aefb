import { reviewPointer } from '../items.ts';
import type { ReviewKind } from '../policy.ts';
import type { Ports } from '../ports.ts';
import { instant } from '../time.ts';
import { findReview, type Review } from './review.ts';

export interface ReviewFilter {
  /** All of this key's, answered ones as well; without it, the open ones of everything. */
  readonly keyId?: string;
  readonly kind?: ReviewKind;
  readonly assignee?: string;
  /** Only those whose deadline has passed. */
  readonly overdue?: boolean;
}

/** Reviews, the earliest deadline first. */
export async function listReviews(ports: Ports, { keyId, kind, assignee, overdue }: ReviewFilter): Promise<Review[]> {
  const now = instant(ports.clock.now());
  const ids = keyId === undefined ? await openIds(ports) : await idsOf(ports, keyId);
  const reviews = (await Promise.all(ids.map((id) => findReview(ports, id)))).filter((review) => review !== undefined);
  return reviews
    .filter(
      (review) =>
        (keyId !== undefined || review.state === 'open') &&
        (kind === undefined || review.kind === kind) &&
        (assignee === undefined || review.assignee === assignee) &&
        (!overdue || (review.state === 'open' && review.dueAt <= now)),
    )
    .sort((a, b) => (a.dueAt < b.dueAt ? -1 : a.dueAt > b.dueAt ? 1 : a.id < b.id ? -1 : 1));
}

async function openIds(ports: Ports): Promise<string[]> {
  const ids: string[] = [];
  for await (const { keyId } of ports.inventory.hints('deadline')) {
    const [, id] = /^REVIEW#(.+)$/.exec(keyId) ?? [];
    if (id) ids.push(id);
  }
  return ids;
}

async function idsOf(ports: Ports, keyId: string): Promise<string[]> {
  const { pk, sk } = reviewPointer(keyId, '');
  return (await ports.inventory.list(pk, sk)).map((item) => item.sk.slice(sk.length));
}
