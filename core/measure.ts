import type { Key, Revocation } from './key.ts';
import type { Measures } from './metric.ts';
import { milliseconds } from './time.ts';

/**
 * What a commit is to be measured as: read off its audit events and off the key before and after it, so that each fact is measured once,
 * by whoever committed it, and costs no read and no write. `now` in milliseconds since 1970. Empty for most commits.
 */
export function measuresOf(events: readonly { readonly event: string }[], before: Key, after: Key, now: number): Measures {
  const called = after.attention !== null && after.attention.reason !== before.attention?.reason;
  return Object.assign(called ? { attentionsOpened: 1 } : {}, ...events.map(({ event }) => byEvent[event]?.(before, now)));
}

/** When the oldest request of a revocation was made that no containment answers yet (ISO instant). */
export function uncontainedSince({ openedAt, containedAt = '', requests }: Revocation): string {
  return requests.find(({ at }) => at > containedAt)?.at ?? openedAt;
}

/** The events that are measured; the key is as it was before them. */
const byEvent: Readonly<Record<string, (before: Key, now: number) => Measures>> = {
  'rotation.done': ({ rotation }, now) => ({ rotationsSucceeded: 1, rotationSeconds: secondsSince(rotation?.startedAt, now) }),
  'rotation.rolled-back': () => ({ rotationsRolledBack: 1 }),
  'revocation.disabled': ({ revocation }, now) => ({ revocationDisableSeconds: openSeconds(revocation, now) }),
  'revocation.contained': ({ revocation }, now) => ({ revocationsContained: 1, revocationDeadSeconds: openSeconds(revocation, now) }),
  'destination.restored': () => ({ destinationsRestored: 1 }),
};

/** How long the oldest request without a containment has waited, in seconds; 0 without a revocation. */
export function openSeconds(revocation: Revocation | null, now: number): number {
  return revocation ? secondsSince(uncontainedSince(revocation), now) : 0;
}

const secondsSince = (at: string | undefined, now: number): number => (at ? Math.max(0, (now - milliseconds(at)) / 1000) : 0);
