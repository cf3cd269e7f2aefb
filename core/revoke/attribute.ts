import { acquire, record } from '../attempt.ts';
import { listVersions } from '../items.ts';
import { type Key, moveKey, type Revocation } from '../key.ts';
import { rotateAtAws } from '../managed.ts';
import { disableOrphans } from '../orphans.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { strangerAttention } from '../rotate/verify.ts';
import { instant } from '../time.ts';
import type { Version } from '../version.ts';
import { holdsReissue } from './scope.ts';

type Next = 'reissue' | 'held';

/**
 * Attribute (protocol.md §5.6 and §8): after the quiesce, every enabled credential that the provider lists is recorded, or ours and now
 * disabled, or a stranger that is reported and left alone. Then decides: stay contained, when the reissue is held; or go on to serve every
 * destination, with the clean version that is in use already or with a new one.
 */
export async function attribute(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<{ next: Next }> {
  const attempt = await acquire(ports, payload, attemptId, 'attribute');
  if (attempt === 'done') return { next: 'reissue' };
  const strangers = await disableOrphans(attempt);
  const versions = await listVersions(ports, attempt.keyId);
  const key = attempt.key;
  const served = !key.offboard && isServed(key, versions);
  const next: Next = served || !isHeld(key) ? 'reissue' : 'held';
  const now = instant(ports.clock.now());
  await record(attempt, (fresh) => ({
    set: {
      'revocation.attributedAt': now,
      'revocation.held': next === 'held',
      'revocation.strangers': strangers,
      ...(served ? { 'revocation.newVersion': key.current } : {}),
      ...(next === 'reissue' ? { 'revocation.step': 'issue', state: moveKey(fresh.state, 'reissue') } : {}),
      ...(strangers ? { attention: strangerAttention(strangers, now) } : next === 'held' ? { attention: heldAttention(fresh, now) } : {}),
    },
    events: [{ event: 'revocation.attributed', detail: { operation: attempt.operation.id, strangers, next } }],
  }));
  return { next };
}

/**
 * K12b: a clean, live version is the one in use, so nothing new has to be minted, and nothing is given away by delivering it. What the
 * destinations really hold is not taken from the records: the same steps write it to each of them again and read it back.
 */
function isServed(key: Key, versions: readonly Version[]): boolean {
  const current = versions.find((version) => version.number === key.current);
  return current !== undefined && !current.compromised && current.state === 'live';
}

function isHeld(key: Key): boolean {
  const revocation = key.revocation as Revocation;
  if (key.offboard || key.facts.managedBy) return true;
  if (revocation.released) return false;
  // An observed key is contained like any other; what follows is its owner's decision.
  return key.facts.mode === 'observe' || key.facts.incident.reissue === 'held' || holdsReissue(revocation.requests);
}

function heldAttention(key: Key, since: string): { reason: string; message: string; since: string } {
  return {
    reason: 'ReissueHeld',
    message: key.facts.managedBy
      ? `contained; AWS makes the next version, and Rekey goes on by itself: ${rotateAtAws(key.facts)}`
      : `contained; the reissue waits for a responder: rekey reissue ${key.facts.id} --reason …`,
    since,
  };
}
