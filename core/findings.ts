import { brokenByTime } from './due.ts';
import type { Key } from './key.ts';
import type { Policy } from './policy.ts';
import { after } from './time.ts';

/** A line that says which rule a key breaks, since when, and whose it is. */
export interface Finding {
  readonly rule: string;
  readonly message: string;
  readonly owner: string;
  readonly since: string;
}

interface FindingRule {
  readonly rule: string;
  readonly breaks: (key: Key, now: string, policy: Policy) => { readonly message: string; readonly since?: string } | null;
}

const say = (broken: boolean, message: string): { message: string } | null => (broken ? { message } : null);

/** Every rule a key can break, by name; each looks at the key alone. */
const findingRules: readonly FindingRule[] = [
  {
    rule: 'unmapped',
    breaks: ({ facts }) =>
      say(facts.consumers.length === 0, 'no consumer is registered: it rotates, but its old version waits for the owner'),
  },
  { rule: 'no-version', breaks: (key) => say(key.current === null, 'registered, but neither adopted nor minted') },
  { rule: 'no-monitor', breaks: ({ facts }) => say(facts.monitors.length === 0, 'nothing says how it is monitored') },
  { rule: 'no-incident-contact', breaks: ({ facts }) => say(facts.incident.contacts.length === 0, 'nobody is named for an incident') },
  {
    rule: 'too-many-consumers',
    breaks: ({ facts }) => say(facts.consumers.length > 5, `${facts.consumers.length} services share it; more than five is too many`),
  },
  {
    rule: 'too-many-readers',
    breaks: ({ facts }) => say(facts.readers.length > 10, `${facts.readers.length} may read it; more than ten is too many`),
  },
  { rule: 'observe-only', breaks: ({ facts }) => say(facts.mode === 'observe', 'it is observed only: nothing rotates it') },
  {
    rule: 'held',
    breaks: ({ hold }, now) =>
      hold && hold.until > now ? { message: `on hold until ${hold.until}: ${hold.reason}`, since: hold.since } : null,
  },
  {
    rule: 'unregistered-use',
    breaks: ({ unregisteredUse: use }) =>
      use
        ? {
            message: `version ${use.version} was used after every registered consumer had left it: some system is not registered`,
            since: use.at,
          }
        : null,
  },
  {
    rule: 'unused-consumer',
    breaks: unusedConsumers,
  },
  {
    rule: 'attention',
    breaks: ({ attention }) => attention && { message: `${attention.reason}: ${attention.message}`, since: attention.since },
  },
  {
    rule: 'review-missed',
    breaks: ({ breaches }) => breaches.find(({ rule }) => rule === 'review-missed') ?? null,
  },
  {
    rule: 'drill-failed',
    breaks: ({ drilled }) =>
      drilled && !drilled.passed ? { message: `drill ${drilled.id} failed: ${drilled.failures.join('; ')}`, since: drilled.endedAt } : null,
  },
  {
    rule: 'drill-overdue',
    breaks: (key, now, policy) => brokenByTime(key, now, policy).find(({ rule }) => rule === 'drill-overdue') ?? null,
  },
  {
    rule: 'lifetime',
    breaks: (key, now, policy) => brokenByTime(key, now, policy).find(({ rule }) => rule === 'lifetime') ?? null,
  },
  {
    rule: 'overdue',
    breaks: (key, now, policy) => {
      return brokenByTime(key, now, policy).find(({ rule }) => rule === 'overdue') ?? null;
    },
  },
];

/**
 * Consumers that can sign and gave no sign through two whole rotations: an integration that is not used, or does not work (POL-C6). Of the
 * others nobody can tell.
 */
function unusedConsumers(
  { facts, heardFrom, consumersSince, registeredAt, tier }: Key,
  now: string,
  policy: Policy,
): { message: string } | null {
  const { rotateEverySeconds, overlapMaxSeconds } = policy.tiers[tier];
  const longAgo = after(now, -2 * (rotateEverySeconds + overlapMaxSeconds));
  const unused = facts.consumers.filter(
    ({ name, proof }) => proof === 'possession' && (heardFrom?.[name] ?? consumersSince?.[name] ?? registeredAt) < longAgo,
  );
  return say(unused.length > 0, `${unused.map(({ name }) => name).join(', ')} gave no sign through two rotations: is it still in use?`);
}

/** What is wrong with a key now. */
export function findingsOf(key: Key, now: string, policy: Policy): Finding[] {
  return findingRules.flatMap(({ rule, breaks }) => {
    const broken = breaks(key, now, policy);
    return broken ? [{ rule, message: broken.message, owner: key.facts.owner, since: broken.since ?? key.registeredAt }] : [];
  });
}
