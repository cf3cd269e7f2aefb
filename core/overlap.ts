import type { Consumer } from './consumer.ts';
import type { Key, KeyFacts } from './key.ts';
import type { TierPolicy } from './policy.ts';

/** How long both versions of a key must work, in seconds, and why. */
export interface Overlap {
  /** The least that its consumers need. */
  readonly floorSeconds: number;
  readonly minSeconds: number;
  readonly maxSeconds: number;
  /** The sum, in words. */
  readonly because: string;
}

/** What one consumer needs: the vendor's time to accept a new version, its own time to pick it up, and its roll-out; never less than twice its refresh. */
export function neededSeconds({ refreshSeconds, deploySeconds = 0 }: Consumer, activateSeconds: number): number {
  return Math.max(activateSeconds + refreshSeconds + deploySeconds, 2 * refreshSeconds);
}

/** The consumer that needs the longest overlap, or undefined without consumers. */
export function slowestConsumer(facts: Pick<KeyFacts, 'consumers'>, activateSeconds: number): Consumer | undefined {
  return [...facts.consumers].sort((a, b) => neededSeconds(b, activateSeconds) - neededSeconds(a, activateSeconds))[0];
}

/**
 * The overlap of a key (design: computed, not guessed): what its owner asks for, or else its tier's least, never below what its slowest
 * consumer needs and never above the tier's cap. `activateSeconds`: the vendor's budget until a new credential is accepted.
 */
export function overlapOf(facts: Pick<KeyFacts, 'consumers' | 'overlapSeconds'>, tier: TierPolicy, activateSeconds: number): Overlap {
  const slowest = slowestConsumer(facts, activateSeconds);
  const floorSeconds = slowest ? neededSeconds(slowest, activateSeconds) : 0;
  const asked = facts.overlapSeconds ?? tier.overlapMinSeconds;
  return {
    floorSeconds,
    minSeconds: Math.max(Math.min(asked, tier.overlapMaxSeconds), floorSeconds),
    maxSeconds: tier.overlapMaxSeconds,
    because: `the larger of ${asked} s ${facts.overlapSeconds === null ? 'by its tier' : 'asked'} and ${sumOf(slowest, activateSeconds)}, at most ${tier.overlapMaxSeconds} s`,
  };
}

function sumOf(slowest: Consumer | undefined, activateSeconds: number): string {
  if (!slowest) return '0 s for no consumers';
  const { name, refreshSeconds, deploySeconds = 0 } = slowest;
  const sum = `${activateSeconds} s activation + ${refreshSeconds} s refresh + ${deploySeconds} s deploy`;
  return `${neededSeconds(slowest, activateSeconds)} s for ${name} (${sum}; at least 2 × refresh)`;
}

/** The vendor's budget for a new credential, as the open operation's Issue found it; 0 where nothing was issued. */
export function activateSecondsOf({ rotation, revocation }: Pick<Key, 'rotation' | 'revocation'>): number {
  return (revocation ?? rotation)?.activateSeconds ?? 0;
}

/** How long after its first use of a new version the rest of a consumer may still use the old one, in seconds. */
export const settleSeconds = ({ refreshSeconds, deploySeconds = 0 }: Consumer): number => refreshSeconds + deploySeconds;

/** How long an old version must be unused to count as left by a consumer: the tier's time, and twice what it takes between two uses. */
export const quietSeconds = (consumer: Consumer, tier: TierPolicy): number => Math.max(tier.quietSeconds, 2 * settleSeconds(consumer));
