import type { Key } from '../key.ts';
import type { Confidence, Policy, TriggerAction, TriggerSource } from '../policy.ts';

/**
 * What a report does to a key: the first row of the policy's table that matches. Whatever the table says, what nobody verified never revokes,
 * and a leak of a key that is meant to be public is only put on record.
 */
export function decide(
  policy: Policy,
  key: Key,
  { source, confidence }: { readonly source: TriggerSource; readonly confidence: Confidence },
): { readonly does: TriggerAction; readonly because: string } {
  if (source === 'leak' && key.facts.publishable) return { does: 'record', because: 'the key is meant to be public' };
  const rule = policy.triggers.find(
    (one) => one.source.includes(source) && one.confidence.includes(confidence) && one.tiers.includes(key.tier),
  );
  const does = rule?.does ?? 'case';
  if (confidence === 'unverified' && does !== 'record' && does !== 'case')
    return { does: 'case', because: `the policy says ${does}, and nobody verified it` };
  return { does, because: `${source}, ${confidence}, tier ${key.tier}` };
}
