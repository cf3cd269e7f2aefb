import { type Problem, Refused } from './errors.ts';
import { type KeyFacts, type Tier, tiers } from './key.ts';
import { inflightSeconds, type Settings } from './settings.ts';

/** What the organisation decided, by tier. All durations in seconds. Read from policy.yaml; see docs. */
export interface TierPolicy {
  readonly rotateEverySeconds: number;
  /** Least and most time in which previous and current both work. */
  readonly overlapMinSeconds: number;
  readonly overlapMaxSeconds: number;
  /** What happens when consumers have not proved that they moved at the end of overlapMax. */
  readonly atOverlapMax: 'hold' | 'roll-back';
  /** How long a disabled version is kept before it is deleted. */
  readonly soakSeconds: number;
  /** How long the old version must be unused to count as quiet. */
  readonly quietSeconds: number;
  /** How late a rotation may start before it is a finding. */
  readonly toleranceSeconds: number;
}

export interface Policy {
  readonly version: string;
  readonly tiers: Readonly<Record<Tier, TierPolicy>>;
  /** Names of the stores that may hold values. */
  readonly approvedStores: readonly string[];
  readonly maxHoldSeconds: number;
}

const hour = 3600;
const day = 24 * hour;

/** The policy that ships with Rekey; `policy.yaml` of an installation replaces it. Sources: design.md §7 and the NIST/PCI practice of 30/90/180 days. */
export const defaultPolicy: Policy = {
  version: '1',
  tiers: {
    high: tier(30 * day, 2 * hour, 24 * hour, 7 * day, 24 * hour, hour),
    medium: tier(90 * day, 2 * hour, 72 * hour, 14 * day, 24 * hour, 12 * hour),
    low: tier(180 * day, 2 * hour, 168 * hour, 14 * day, 24 * hour, 24 * hour),
  },
  approvedStores: ['rekey'],
  maxHoldSeconds: 14 * day,
};

function tier(
  rotateEverySeconds: number,
  overlapMinSeconds: number,
  overlapMaxSeconds: number,
  soakSeconds: number,
  quietSeconds: number,
  toleranceSeconds: number,
): TierPolicy {
  return { rotateEverySeconds, overlapMinSeconds, overlapMaxSeconds, atOverlapMax: 'hold', soakSeconds, quietSeconds, toleranceSeconds };
}

/** Throws Refused E_INPUT_INVALID naming every tier whose numbers contradict each other (protocol.md §5, threats.md rows 37 and 38). */
export function checkPolicy(policy: Policy, settings: Settings): Policy {
  const problems: Problem[] = [];
  for (const name of tiers) {
    const t = policy.tiers[name];
    const must = (field: string, holds: boolean, message: string) => {
      if (!holds) problems.push({ path: `tiers.${name}.${field}`, message });
    };
    must('rotateEvery', t.rotateEverySeconds > 0 && t.rotateEverySeconds <= 3650 * day, 'must be more than nothing and at most 3650 days');
    must('quiet', t.quietSeconds > 0, 'must be more than nothing: a version that is in use is not quiet');
    must('overlapMin', t.overlapMinSeconds >= 0 && t.overlapMinSeconds <= t.overlapMaxSeconds, 'must be at most overlapMax');
    must(
      'rotateEvery',
      t.rotateEverySeconds > t.overlapMaxSeconds + t.soakSeconds + 2 * inflightSeconds(settings),
      'must be more than overlapMax + soak + 2 × the in-flight bound',
    );
  }
  if (problems.length) throw new Refused('E_INPUT_INVALID', 'the policy contradicts itself', problems);
  return policy;
}

/** The overlap a rotation of this key gets, in seconds, and how it was computed: at least twice the slowest consumer's refresh, at most the tier's cap. */
export function overlapOf(
  facts: KeyFacts,
  t: TierPolicy,
): { readonly minSeconds: number; readonly maxSeconds: number; readonly because: string } {
  const slowest = facts.consumers.reduce((most, consumer) => Math.max(most, consumer.refreshSeconds), 0);
  const asked = facts.overlapSeconds ?? t.overlapMinSeconds;
  const minSeconds = Math.max(Math.min(asked, t.overlapMaxSeconds), 2 * slowest);
  return {
    minSeconds,
    maxSeconds: t.overlapMaxSeconds,
    because: `the larger of ${asked} s asked and 2 × ${slowest} s refresh, at most ${t.overlapMaxSeconds} s`,
  };
}
