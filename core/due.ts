import { type Breach, sameBreach } from './breach.ts';
import { activeException } from './exceptions/exception.ts';
import { spread } from './items.ts';
import type { Key, KeyFacts, Tier } from './key.ts';
import type { Policy } from './policy.ts';
import { after, milliseconds } from './time.ts';
import { unusedSince } from './use.ts';

/** Why a key should be rotated now, or why not: a word for machines, a sentence for people. */
export interface DueVerdict {
  readonly due: boolean;
  /** One of `dueReasons`, or the cause that somebody gave. `not-due`, `excepted`. */
  readonly reason: string;
  readonly message: string;
  /** From when on it is due, where it is. */
  readonly since: string | null;
}

interface Check {
  readonly reason: string;
  /** Since when the key is due for this reason, and the sentence; or null. */
  readonly applies: (key: Key, now: string, policy: Policy) => { readonly since: string; readonly message: string } | null;
}

const reached = (at: string | null, now: string, message: string) => (at !== null && at <= now ? { since: at, message } : null);

/** The checks in their order; the first that applies is the reason, and the earliest says since when. */
const dueChecks: readonly Check[] = [
  {
    reason: 'requested',
    applies: ({ dueNow }) => dueNow && { since: dueNow.at, message: `asked for: ${dueNow.message}` },
  },
  {
    reason: 'vendor-expiry',
    // A vendor that ends the key by itself leaves less time than the schedule: twice the longest overlap is kept free. A version made
    // since then has an end of its own, which the facts do not know yet.
    applies: ({ facts, tier, lastEndedAt }, now, policy) => {
      const from = facts.expiresAt && after(facts.expiresAt, -2 * policy.tiers[tier].overlapMaxSeconds);
      return from && (!lastEndedAt || lastEndedAt < from) ? reached(from, now, `the vendor ends it at ${facts.expiresAt}`) : null;
    },
  },
  {
    reason: 'lifetime',
    applies: (key, now, policy) => {
      const end = lifetimeEndOf(key, policy);
      return reached(end, now, `version ${key.current} is older than the longest life of its tier, which ended at ${end}`);
    },
  },
  ...(
    [
      ['exception-ended', 'an exception from its schedule ended at'],
      ['tier-raised', 'its risk is higher than it was, and the shorter schedule ended at'],
    ] as const
  ).map(
    ([reason, message]): Check => ({
      reason,
      applies: (key, now) => (key.dueBecause === reason ? reached(key.nextDueAt, now, `${message} ${key.nextDueAt}`) : null),
    }),
  ),
  {
    reason: 'never-rotated',
    applies: (key, now) =>
      key.adopted !== null && key.adopted.version === key.current
        ? reached(key.nextDueAt, now, `was never rotated since it was adopted, and due at ${key.nextDueAt}`)
        : null,
  },
  { reason: 'interval', applies: (key, now) => reached(key.nextDueAt, now, `due at ${key.nextDueAt}`) },
];

/** Whether a key is due at an instant, and why: a pure function of the key, the clock and the policy. */
export function dueVerdict(key: Key, now: string, policy: Policy): DueVerdict {
  const exception = activeException(key, 'rotation', now);
  // An exception stops the schedule; it stops neither a person nor the vendor's own end.
  const counting = dueChecks.filter(({ reason }) => !exception || reason === 'requested' || reason === 'vendor-expiry');
  const found = counting.flatMap(({ reason, applies }) => {
    const one = applies(key, now, policy);
    return one ? [{ reason: reason === 'requested' ? (key.dueNow?.cause ?? reason) : reason, ...one }] : [];
  });
  const [first] = found;
  if (first) return { due: true, reason: first.reason, message: first.message, since: found.map(({ since }) => since).sort()[0] ?? null };
  if (exception) return { due: false, reason: 'excepted', message: `excepted until ${exception.until}: ${exception.reason}`, since: null };
  return { due: false, reason: 'not-due', message: key.nextDueAt ? `next due at ${key.nextDueAt}` : 'has no version yet', since: null };
}

/** Whether a key has been due for longer than its tier tolerates. */
export function isOverdue(key: Key, now: string, policy: Policy): boolean {
  const { since } = dueVerdict(key, now, policy);
  return since !== null && now >= after(since, policy.tiers[key.tier].toleranceSeconds);
}

/** When the version in use will be older than its tier allows; null where it is not known how old it is. */
function lifetimeEndOf({ currentMadeAt, tier }: Pick<Key, 'currentMadeAt' | 'tier'>, policy: Policy): string | null {
  return currentMadeAt && after(currentMadeAt, policy.tiers[tier].maxLifetimeSeconds);
}

/** The rules about time that an active key breaks now: its rotation is later than tolerated, its version older than allowed. */
export function brokenByTime(key: Key, now: string, policy: Policy): Breach[] {
  const drill = drillBroken(key, now, policy);
  if (key.state !== 'active' || activeException(key, 'rotation', now)) return drill;
  const verdict = dueVerdict(key, now, policy);
  const breaches: Breach[] = [...drill];
  if (verdict.since !== null && isOverdue(key, now, policy)) {
    breaches.push({ rule: 'overdue', of: verdict.since, message: `${verdict.message}, past its tier's tolerance`, since: verdict.since });
  }
  const end = lifetimeEndOf(key, policy);
  if (end && end <= now) {
    const message = `version ${key.current} has been in use past ${end}, the longest life of tier ${key.tier}`;
    breaches.push({ rule: 'lifetime', of: String(key.current), message, since: end });
  }
  return breaches;
}

/** When a canary is to be drilled next: its first drill at once, and none while one is under way. Null for any other key. */
export function drillDueAt({ facts, current, drill, drilled, registeredAt, tier }: Key, policy: Policy): string | null {
  if (!facts.canary || current === null || drill) return null;
  return drilled ? after(drilled.startedAt, policy.tiers[tier].drillEverySeconds) : registeredAt;
}

/** A revocation that nobody has tried for too long is a breach like a key that nobody has rotated (POL-R7). */
function drillBroken(key: Key, now: string, policy: Policy): Breach[] {
  const due = drillDueAt(key, policy);
  if (!due || after(due, policy.tiers[key.tier].toleranceSeconds) > now) return [];
  return [{ rule: 'drill-overdue', of: due, message: `its drill was due at ${due}, and none has begun`, since: due }];
}

const rulesOfTime = new Set(['overdue', 'lifetime', 'drill-overdue']);

/** Whether a breach is one of those above, and over. */
export function isOver(breach: Breach, key: Key, now: string, policy: Policy): boolean {
  if (!rulesOfTime.has(breach.rule)) return false;
  return !brokenByTime(key, now, policy).some((one) => sameBreach(one, breach));
}

/**
 * The next instant at which the sweep has something to do for a key (core/upkeep.ts and core/sweep.ts): remind, ask, write down a breach, end an
 * exception, rotate. Null while there is nothing to wait for.
 */
export function nextSweepAt(key: Key, policy: Policy, now: string): string | null {
  if (key.state !== 'active' || !key.nextDueAt) return null;
  const exception = activeException(key, 'rotation', now);
  const open = (rule: string) => key.breaches.some((breach) => breach.rule === rule);
  const times = [
    key.dueNow ? now : null,
    ...(exception
      ? [exception.until]
      : [remindersOf(key, policy)[0]?.at, key.nextDueAt, open('lifetime') ? null : lifetimeEndOf(key, policy)]),
    ...key.exceptions.map(({ until }) => until),
    accessReviewAt(key, policy),
    drillDueAt(key, policy),
    dormantAt(key, policy),
  ].filter((at) => typeof at === 'string');
  return times.sort()[0] ?? null;
}

/** The reminders of a key's due date that were not sent, the earliest first: when, and how long before. */
export function remindersOf({ nextDueAt, tier, reminded }: Key, policy: Policy): { readonly at: string; readonly beforeSeconds: number }[] {
  if (!nextDueAt) return [];
  const sent = reminded?.dueAt === nextDueAt ? reminded.beforeSeconds : Number.POSITIVE_INFINITY;
  return policy.tiers[tier].remindBeforeSeconds
    .filter((beforeSeconds) => beforeSeconds < sent)
    .map((beforeSeconds) => ({ at: after(nextDueAt, -beforeSeconds), beforeSeconds }));
}

/** When the owner must say again that the key is needed; null while that question is open. */
export function accessReviewAt(
  { reviewedAt, reviewOpen, tier }: Pick<Key, 'reviewedAt' | 'reviewOpen' | 'tier'>,
  policy: Policy,
): string | null {
  return reviewOpen ? null : after(reviewedAt, policy.tiers[tier].accessReviewEverySeconds);
}

/**
 * When its owner must be asked about a key that nobody uses: as long after its last use, or after the owner last said that it is needed, as the
 * tier allows. Null while that question is open, and where the vendor does not tell.
 */
export function dormantAt(key: Key, policy: Policy): string | null {
  const since = unusedSince(key);
  if (since === null || key.reviewOpen) return null;
  return after(since > key.reviewedAt ? since : key.reviewedAt, policy.tiers[key.tier].dormantAfterSeconds);
}

/**
 * The due date of a key, derived from its record and the policy and never typed (POL-W4): by the age of the version in use, however long its
 * last rotation took; not before an exception has ended; and after an operation that ended otherwise, a tolerance later at the earliest.
 * Null before there is a version.
 */
export function dueOf(
  key: Pick<Key, 'facts' | 'tier' | 'current' | 'currentMadeAt' | 'adopted' | 'lastEndedAt' | 'exceptedUntil'>,
  policy: Policy,
): string | null {
  const { facts, tier, current, currentMadeAt, adopted, lastEndedAt, exceptedUntil } = key;
  if (current === null || currentMadeAt === null) return null;
  const byAge =
    adopted?.version === current
      ? dueWhenAdopted(facts, tier, policy, currentMadeAt, adopted.at)
      : dueAfter(facts, tier, policy, currentMadeAt);
  const again = lastEndedAt && after(lastEndedAt, policy.tiers[tier].toleranceSeconds);
  return (
    [byAge, again, exceptedUntil]
      .filter((at) => typeof at === 'string')
      .sort()
      .at(-1) ?? byAge
  );
}

/**
 * The tier's period after `from`, earlier by up to a tenth, by a hash of the key's
 * id, so that keys registered together do not come due together; and never after the vendor's own end less twice the longest overlap.
 * An end that leaves no such room means at once for a version that was adopted, and says nothing about one that Rekey made since.
 */
function dueAfter(facts: KeyFacts, tier: Tier, policy: Policy, from: string, made: 'adopted' | 'by us' = 'by us'): string {
  const { rotateEverySeconds, overlapMaxSeconds } = policy.tiers[tier];
  const jitterSeconds = (rotateEverySeconds / 10) * (spread(facts.id, 1000) / 1000);
  const byPeriod = after(from, Math.floor(rotateEverySeconds - jitterSeconds));
  if (!facts.expiresAt) return byPeriod;
  const byVendor = after(facts.expiresAt, -2 * overlapMaxSeconds);
  if (milliseconds(byVendor) <= milliseconds(from)) return made === 'adopted' ? from : byPeriod;
  return milliseconds(byVendor) < milliseconds(byPeriod) ? byVendor : byPeriod;
}

/**
 * The first due date of a version that somebody else made: by its age, like any other. One that is past it already is due within the
 * policy's time to catch up, each key at another moment of it, so that a fleet of old keys does not come due at once.
 */
function dueWhenAdopted(facts: KeyFacts, tier: Tier, policy: Policy, madeAt: string, now: string): string {
  const byAge = dueAfter(facts, tier, policy, madeAt, 'adopted');
  if (byAge > now) return byAge;
  const caughtUp = after(now, Math.floor((policy.pace.catchUpSeconds * spread(facts.id, 1000)) / 1000));
  const byVendor = facts.expiresAt && after(facts.expiresAt, -2 * policy.tiers[tier].overlapMaxSeconds);
  return byVendor && byVendor < caughtUp ? (byVendor > now ? byVendor : now) : caughtUp;
}

/** What names the rotation that a key's due date brings about: the same date and version are the same rotation. */
export function triggerOf({ dueNow, nextDueAt, lastVersion }: Pick<Key, 'dueNow' | 'nextDueAt' | 'lastVersion'>): string {
  return `${dueNow?.at ?? nextDueAt}|${lastVersion}`;
}
