import type { Consumer } from './consumer.ts';
import type { Problem } from './errors.ts';
import { isSoleUser } from './evidence.ts';
import type { KeyFacts } from './key.ts';
import { neededSeconds, overlapOf, slowestConsumer } from './overlap.ts';
import type { TierPolicy } from './policy.ts';
import type { Provider } from './ports.ts';

/**
 * What keeps a key's consumers from ever proving their move: an overlap too short for one of them, which is named, or a proof that nobody
 * can see. `tier` and `provider` are left out where they are not known yet.
 */
export function consumerProblems(facts: KeyFacts, tier?: TierPolicy, provider?: Provider): Problem[] {
  const activateSeconds = provider?.traits.activateSeconds ?? 0;
  return [
    ...facts.consumers.flatMap((one, index) => [
      ...deployProblems(one, index),
      ...(tier ? capProblems(one, index, tier, activateSeconds) : []),
      ...(provider ? proofProblems(facts, one, index, provider) : []),
    ]),
    ...askedProblems(facts, tier, activateSeconds),
  ];
}

function deployProblems({ name, class: kind, deploySeconds = 0 }: Consumer, index: number): Problem[] {
  if (kind !== 'restart-only' || deploySeconds > 0) return [];
  return [
    { path: `consumers.${index}.deploy`, message: `${name} is restart-only: say how long it takes until all of it was started again` },
  ];
}

function capProblems(one: Consumer, index: number, { overlapMaxSeconds }: TierPolicy, activateSeconds: number): Problem[] {
  const needed = neededSeconds(one, activateSeconds);
  if (needed <= overlapMaxSeconds) return [];
  return [
    { path: `consumers.${index}.refresh`, message: `${one.name} needs an overlap of ${needed} s, the tier allows ${overlapMaxSeconds} s` },
  ];
}

function proofProblems(facts: KeyFacts, one: Consumer, index: number, { name, lastUsed }: Provider): Problem[] {
  const path = `consumers.${index}.proof`;
  if (one.proof === 'possession') return [];
  if (!lastUsed) return [{ path, message: `${name} does not tell when a credential was last used: ${one.proof} cannot be seen` }];
  if (one.proof === 'first-use' && !isSoleUser({ facts }))
    return [{ path, message: 'a use is only proof where it can be nobody else’s: one consumer, one destination, no readers' }];
  return [];
}

/** An overlap that is asked for and is less than what the key's slowest consumer needs. */
function askedProblems(facts: KeyFacts, tier: TierPolicy | undefined, activateSeconds: number): Problem[] {
  const slowest = slowestConsumer(facts, activateSeconds);
  if (facts.overlapSeconds === null || !slowest || facts.overlapSeconds >= neededSeconds(slowest, activateSeconds)) return [];
  const needed = tier
    ? overlapOf(facts, tier, activateSeconds).because
    : `${slowest.name} needs ${neededSeconds(slowest, activateSeconds)} s`;
  return [{ path: 'overlap', message: `${facts.overlapSeconds} s is too short: ${needed}` }];
}
