import { brokenByTime } from '../due.ts';
import { activeException } from '../exceptions/exception.ts';
import type { Key } from '../key.ts';
import type { Policy } from '../policy.ts';
import { after } from '../time.ts';
import { unusedSince } from '../use.ts';

/** A sentence of the policy, and how one sees of a key that it does not hold. */
export interface Check {
  readonly rule: string;
  /** `breach`: the policy is broken. `warning`: it will be, or cannot be seen to hold. `note`: somebody decided so, and it is worth knowing. */
  readonly severity: 'breach' | 'warning' | 'note';
  readonly sentence: string;
  readonly breaks: (key: Key, now: string, policy: Policy) => { readonly message: string; readonly since?: string } | null;
}

const say = (broken: boolean, message: string): { message: string } | null => (broken ? { message } : null);

/** A breach that was written down when it was seen, and stands until it is over. */
const onRecord =
  (rule: string): Check['breaks'] =>
  ({ breaches }) =>
    breaches.find((one) => one.rule === rule) ?? null;

const byTime =
  (rule: string): Check['breaks'] =>
  (key, now, policy) =>
    brokenByTime(key, now, policy).find((one) => one.rule === rule) ?? null;

/** More services than this share one key at the price that all of them move together; more readers, that nobody knows who has it. */
const mostConsumers = 5;
const mostReaders = 10;

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

/** THE TABLE of checks: each sentence of the policy that can be seen to be broken, by name. Adding one is one row. */
export const checks: readonly Check[] = [
  {
    rule: 'unmapped',
    severity: 'warning',
    sentence: 'Keys are rotated only by those who know which systems depend on them.',
    breaks: ({ facts }) =>
      say(facts.consumers.length === 0, 'no consumer is registered: it rotates, but its old version waits for the owner'),
  },
  {
    rule: 'no-version',
    severity: 'warning',
    sentence: 'Every registered key has a version that Rekey knows.',
    breaks: (key) => say(key.current === null && key.state === 'registered', 'registered, but neither adopted nor minted'),
  },
  {
    rule: 'store-not-approved',
    severity: 'breach',
    sentence: 'Keys are stored in approved secret stores.',
    breaks: ({ facts }, _now, { approvedStores }) =>
      say(!approvedStores.includes(facts.store), `is stored in ${facts.store}, and the policy approves ${approvedStores.join(', ')}`),
  },
  {
    rule: 'no-monitor',
    severity: 'warning',
    sentence: 'It is said of every key how it is monitored.',
    breaks: ({ facts }) => say(facts.monitors.length === 0, 'nothing says how it is monitored'),
  },
  {
    rule: 'no-incident-contact',
    severity: 'warning',
    sentence: 'It is said of every key who is called in an incident.',
    breaks: ({ facts }) => say(facts.incident.contacts.length === 0, 'nobody is named for an incident'),
  },
  {
    rule: 'too-many-consumers',
    severity: 'warning',
    sentence: 'One key is not shared across many services.',
    breaks: ({ facts }) =>
      say(facts.consumers.length > mostConsumers, `${facts.consumers.length} services share it; more than five is too many`),
  },
  {
    rule: 'too-many-readers',
    severity: 'warning',
    sentence: 'Few people and systems can read a key.',
    breaks: ({ facts }) => say(facts.readers.length > mostReaders, `${facts.readers.length} may read it; more than ten is too many`),
  },
  {
    rule: 'overlap-too-short',
    severity: 'breach',
    sentence: 'Both versions work until every service had the time to move.',
    breaks: ({ facts, tier }, _now, { tiers }) => {
      const slow = facts.consumers.find(({ refreshSeconds }) => 2 * refreshSeconds > tiers[tier].overlapMaxSeconds);
      return say(
        slow !== undefined,
        `${slow?.name} needs an overlap of 2 × ${slow?.refreshSeconds} s, and tier ${tier} allows ${tiers[tier].overlapMaxSeconds} s`,
      );
    },
  },
  {
    rule: 'dormant',
    severity: 'warning',
    sentence: 'Keys that nobody uses are asked about, and removed by a named person.',
    breaks: (key, now, { tiers }) => {
      const since = unusedSince(key);
      if (since === null || key.state !== 'active' || now < after(since, tiers[key.tier].dormantAfterSeconds)) return null;
      return { message: key.use?.at ? `nobody has used it since ${key.use.at}` : 'nobody has used it since it is known', since };
    },
  },
  {
    rule: 'no-scopes',
    severity: 'note',
    sentence: 'It is said of every key what it may do.',
    breaks: ({ facts }) => say(facts.scopes.length === 0, 'nothing says what it may do: a wider one would not be noticed'),
  },
  {
    rule: 'no-schedule',
    severity: 'breach',
    sentence: 'Production keys are rotated on a defined schedule.',
    breaks: (key) => say(key.state === 'active' && key.nextDueAt === null, 'is in use, and no date says when it is rotated'),
  },
  {
    rule: 'observe-only',
    severity: 'note',
    sentence: 'Keys that are only observed are few, and everybody knows it.',
    breaks: ({ facts }) => say(facts.mode === 'observe', 'it is observed only: nothing rotates it'),
  },
  {
    rule: 'held',
    severity: 'note',
    sentence: 'A hold has a reason and an end.',
    breaks: ({ hold }, now) =>
      hold && hold.until > now ? { message: `on hold until ${hold.until}: ${hold.reason}`, since: hold.since } : null,
  },
  {
    rule: 'excepted',
    severity: 'note',
    sentence: 'Exceptions have an approver, a compensating control and an expiry date.',
    breaks: (key, now) => {
      const one = activeException(key, 'rotation', now);
      return one
        ? {
            message: `excepted from its schedule until ${one.until}, approved by ${one.approvedBy}: ${one.reason}`,
            since: one.approvedAt ?? now,
          }
        : null;
    },
  },
  {
    rule: 'unregistered-use',
    severity: 'warning',
    sentence: 'Only registered systems use a key.',
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
    severity: 'warning',
    sentence: 'Integrations that nobody uses are removed.',
    breaks: unusedConsumers,
  },
  {
    rule: 'attention',
    severity: 'warning',
    sentence: 'What Rekey calls a person for is looked at.',
    breaks: ({ attention }) => attention && { message: `${attention.reason}: ${attention.message}`, since: attention.since },
  },
  {
    rule: 'review-missed',
    severity: 'breach',
    sentence: 'Reviews are answered by their date.',
    breaks: onRecord('review-missed'),
  },
  {
    rule: 'drill-failed',
    severity: 'breach',
    sentence: 'Revocation is tried, and works.',
    breaks: ({ drilled }) =>
      drilled && !drilled.passed ? { message: `drill ${drilled.id} failed: ${drilled.failures.join('; ')}`, since: drilled.endedAt } : null,
  },
  {
    rule: 'drill-overdue',
    severity: 'breach',
    sentence: 'Revocation is tried on schedule.',
    breaks: byTime('drill-overdue'),
  },
  {
    rule: 'lifetime',
    severity: 'breach',
    sentence: 'No key is in use beyond its intended lifetime.',
    breaks: byTime('lifetime'),
  },
  {
    rule: 'overdue',
    severity: 'breach',
    sentence: 'Keys are rotated when they are due.',
    breaks: byTime('overdue'),
  },
];
