import { spread } from './items.ts';
import type { Key, KeyFacts, Tier } from './key.ts';
import type { Policy } from './policy.ts';
import { after, milliseconds } from './time.ts';

/** Why a key should be rotated now, or why not: a word for machines, a sentence for people. */
export interface DueVerdict {
  readonly due: boolean;
  readonly reason: string;
  readonly message: string;
}

interface Check {
  readonly reason: string;
  /** The sentence when the key is due for this reason, or null. */
  readonly applies: (key: Key, now: string, policy: Policy) => string | null;
}

/** The checks in their order; the first that applies is the reason. */
const dueChecks: readonly Check[] = [
  { reason: 'requested', applies: (key) => key.dueNow && `asked for: ${key.dueNow}` },
  {
    reason: 'vendor-expiry',
    // A vendor that ends the key by itself leaves less time than the schedule: twice the longest overlap is kept free. A version made
    // since then has an end of its own, which the facts do not know yet.
    applies: ({ facts, tier, lastEndedAt }, now, policy) => {
      const from = facts.expiresAt && after(facts.expiresAt, -2 * policy.tiers[tier].overlapMaxSeconds);
      return from && now >= from && (!lastEndedAt || lastEndedAt < from) ? `the vendor ends it at ${facts.expiresAt}` : null;
    },
  },
  {
    reason: 'overdue',
    applies: (key, now, policy) => (isOverdue(key, now, policy) ? `was due at ${key.nextDueAt}, past its tier's tolerance` : null),
  },
  { reason: 'scheduled', applies: (key, now) => (key.nextDueAt && now >= key.nextDueAt ? `due at ${key.nextDueAt}` : null) },
];

/** Whether a key's due date is further back than its tier tolerates. */
export function isOverdue(key: Key, now: string, policy: Policy): boolean {
  return key.nextDueAt !== null && now >= after(key.nextDueAt, policy.tiers[key.tier].toleranceSeconds);
}

/** Whether a key is due at an instant, and why: a pure function of the key, the clock and the policy. */
export function dueVerdict(key: Key, now: string, policy: Policy): DueVerdict {
  for (const { reason, applies } of dueChecks) {
    const message = applies(key, now, policy);
    if (message) return { due: true, reason, message };
  }
  return { due: false, reason: 'not-due', message: key.nextDueAt ? `next due at ${key.nextDueAt}` : 'has no version yet' };
}

/**
 * The next due date, derived and never typed (POL-W4): the tier's period after `from`, earlier by up to a tenth, by a hash of the key's
 * id, so that keys registered together do not come due together; and never after the vendor's own end less twice the longest overlap.
 * An end that leaves no such room means at once for a version that was adopted, and says nothing about one that Rekey made since.
 */
export function dueAfter(facts: KeyFacts, tier: Tier, policy: Policy, from: string, made: 'adopted' | 'by us' = 'by us'): string {
  const { rotateEverySeconds, overlapMaxSeconds } = policy.tiers[tier];
  const jitterSeconds = (rotateEverySeconds / 10) * (spread(facts.id, 1000) / 1000);
  const byPeriod = after(from, Math.floor(rotateEverySeconds - jitterSeconds));
  if (!facts.expiresAt) return byPeriod;
  const byVendor = after(facts.expiresAt, -2 * overlapMaxSeconds);
  if (milliseconds(byVendor) <= milliseconds(from)) return made === 'adopted' ? from : byPeriod;
  return milliseconds(byVendor) < milliseconds(byPeriod) ? byVendor : byPeriod;
}
