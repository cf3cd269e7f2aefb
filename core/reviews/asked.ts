import type { KeyFacts } from '../key.ts';
import type { Escalation, Policy } from '../policy.ts';
import { after } from '../time.ts';

/** Whom a review goes to, and from when each of them is asked: the policy's chain with its names filled in. One name is asked once. */
export function askedFor(
  facts: KeyFacts | null,
  policy: Policy,
  chain: readonly Escalation[],
  from: string,
): { readonly who: string; readonly at: string }[] {
  const asked = chain.map(({ who, afterSeconds }) => ({ who: nameOf(who, facts, policy), at: after(from, afterSeconds) }));
  return asked.filter(({ who }, i) => asked.findIndex((one) => one.who === who) === i);
}

/** What has no key has no owner: the policy's reviewers stand in, the first as its owner and the next as their team. */
function nameOf(who: Escalation['who'], facts: KeyFacts | null, { onCall, reviews: { reviewers } }: Policy): string {
  const [first = onCall, second = first] = reviewers;
  if (who === 'on-call') return onCall;
  if (who === 'owner') return facts ? facts.owner : first;
  return facts ? facts.team : second;
}
