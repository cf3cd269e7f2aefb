import type { KeyFacts, Tier } from '../key.ts';
import type { KeyMatch } from '../policy.ts';

/** Whether a key's facts, and its tier where that is asked for, are what the match wants. */
export function matches(when: KeyMatch & { readonly tier?: readonly Tier[] }, facts: KeyFacts, tier?: Tier): boolean {
  const named = (wanted: readonly string[] | undefined, name: string) => !wanted || wanted.some((one) => isLike(one, name));
  return (
    named(when.environment, facts.environment) &&
    named(when.provider, facts.provider) &&
    named(when.owner, facts.owner) &&
    named(when.team, facts.team) &&
    named(when.unit, facts.unit) &&
    (!when.exposure || when.exposure.includes(facts.exposure)) &&
    (when.privileged === undefined || when.privileged === facts.privileged) &&
    facts.consumers.length >= (when.consumersAtLeast ?? 0) &&
    facts.readers.length >= (when.readersAtLeast ?? 0) &&
    (!when.tier || (tier !== undefined && when.tier.includes(tier)))
  );
}

/** Whether a name is like a pattern in which `*` stands for any characters, in time that grows with the two lengths only. */
export function isLike(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  // The earliest place of each part leaves the most room for those behind it.
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
