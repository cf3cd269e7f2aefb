import type { Matter } from './escalation.ts';
import type { Attention } from './flags.ts';
import type { Key } from './key.ts';

/** Reasons that wait for nobody's turn: everybody is told at once. */
const urgent: readonly string[] = ['ContainmentIncomplete', 'OperationStuck'];

/** What is told to people in another way: each silent consumer to its own owner. */
const elsewhere: readonly string[] = ['ConsumersNotConfirmed'];

/** The escalation that a change of a key brings about because it now asks for attention, or null. */
export function attentionMatter(before: Key, after: Key): Matter | null {
  const { attention } = after;
  if (!attention || elsewhere.includes(attention.reason)) return null;
  // What an exercise meets stands in its result, its finding and its review; nobody is woken for it.
  if (after.drill) return null;
  if (before.attention?.reason === attention.reason && before.attention.since === attention.since) return null;
  const { id: keyId, owner, team } = after.facts;
  const id = attentionId(keyId, attention);
  return {
    id,
    kind: 'attention',
    keyId,
    subject: {},
    thread: (after.revocation ?? after.rotation)?.id ?? id,
    reason: attention.reason,
    severity: urgent.includes(attention.reason) ? 'critical' : 'warning',
    calls: [{ owner, team, text: attention.message }],
    patienceSeconds: 0,
  };
}

/** The id of an attention's escalation: the same reason at another time is another matter. */
export const attentionId = (keyId: string, { reason, since }: Attention): string => `attention/${keyId}/${reason}/${since}`;
