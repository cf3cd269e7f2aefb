import type { KeyFacts, Tier } from './key.ts';
import { matches } from './policy/key-match.ts';
import type { Policy, TierRule } from './policy.ts';

/** The tier of a key, derived from its facts, and the rule of the policy that gave it: the first that matches (POL-T1 to T5). */
export function tierOf(facts: KeyFacts, policy: Policy): { readonly tier: Tier; readonly because: string } {
  const { tier, because } = rulesFor(facts, policy)[0] as TierRule;
  return { tier, because };
}

/** Every rule that matches a key, in the policy's order; only the first counts. */
export function rulesFor(facts: KeyFacts, policy: Policy): TierRule[] {
  return policy.tierRules.filter(({ when }) => matches(when, facts));
}
