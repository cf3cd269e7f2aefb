import type { KeyFacts, Tier } from './key.ts';

interface TierRule {
  readonly tier: Tier;
  readonly because: string;
  readonly applies: (facts: KeyFacts) => boolean;
}

/** Environments whose keys can reach production data. */
const isProduction = (environment: string): boolean => /^prod/.test(environment);

/** The rules in their order; the first that applies gives the tier (POL-T1 to T5). */
const tierRules: readonly TierRule[] = [
  { tier: 'high', because: 'it is a production key', applies: ({ environment }) => isProduction(environment) },
  { tier: 'high', because: 'it is privileged', applies: ({ privileged }) => privileged },
  { tier: 'high', because: 'it is exposed to the internet', applies: ({ exposure }) => exposure === 'public' },
  { tier: 'low', because: 'it is isolated and not for production', applies: ({ exposure }) => exposure === 'isolated' },
  { tier: 'medium', because: 'it is internal, with limited scope', applies: () => true },
];

/** The tier of a key, derived from its facts, and the rule that gave it. */
export function tierOf(facts: KeyFacts): { readonly tier: Tier; readonly because: string } {
  const rule = tierRules.find(({ applies }) => applies(facts)) as TierRule;
  return { tier: rule.tier, because: rule.because };
}
