import type { Consumer } from '../../core/consumer.ts';
import type { KeyFacts } from '../../core/key.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import type { Policy, TierPolicy } from '../../core/policy.ts';
import { consumerNamed, testFacts } from '../support/world.ts';
import { toleranceSeconds } from './invariants/progress.ts';
import type { KeyPlan, Manner, Plan } from './plan.ts';

/** The owner's facts of a planned key. */
export function factsOf(plan: KeyPlan, number: number): KeyFacts {
  const id = `team-${number}/key`;
  return testFacts({
    id,
    provider: `vendor-${number}`,
    params: { number },
    privileged: plan.risk === 'high',
    exposure: plan.risk === 'low' ? 'isolated' : 'internal',
    environment: plan.risk === 'low' ? 'dev' : 'staging',
    destinations: Array.from({ length: plan.destinations }, (_, i) => ({
      id: `place-${i + 1}`,
      kind: 'memory',
      at: `${id}/${i + 1}`,
      environment: plan.risk === 'low' ? 'dev' : 'staging',
    })),
    consumers: plan.services.map((manner, i) => consumerOf(plan, manner, `service-${i + 1}`)),
    exclusive: plan.exclusive,
    incident: { contacts: ['oncall@example.test'], reissue: plan.reissue },
  });
}

/** A use is only somebody's proof where it can be nobody else's. */
const consumerOf = ({ services, destinations }: KeyPlan, manner: Manner, name: string): Consumer => ({
  ...consumerNamed(name),
  proof:
    manner === 'first-use' && services.length === 1 && destinations === 1
      ? 'first-use'
      : manner === 'quiet' || manner === 'first-use'
        ? 'quiet'
        : 'possession',
});

/** The policy of a history: production's proportions in seconds. */
export function policyOf({ rotateEverySeconds, atOverlapMax }: Plan): Policy {
  const tier: TierPolicy = {
    ...defaultPolicy.tiers.high,
    rotateEverySeconds,
    maxLifetimeSeconds: 3 * rotateEverySeconds,
    overlapMinSeconds: 10,
    overlapMaxSeconds: 60,
    atOverlapMax,
    soakSeconds: 40,
    quietSeconds: 20,
    toleranceSeconds,
  };
  // Of the highest tier nothing dies without its consumers' proof; no policy can say otherwise.
  const high: TierPolicy = { ...tier, atOverlapMax: atOverlapMax === 'retire' ? 'hold' : atOverlapMax };
  return { ...defaultPolicy, tiers: { high, medium: tier, low: tier } };
}
