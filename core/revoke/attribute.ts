import { type Attempt, acquire, record } from '../attempt.ts';
import { attributionOf } from '../attribution.ts';
import { isDelivered } from '../delivery.ts';
import { effect } from '../effect.ts';
import { getKey, listVersions, orphanKey, putItem } from '../items.ts';
import { type Key, moveKey, type Revocation } from '../key.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { strangerAttention } from '../rotate/verify.ts';
import { instant } from '../time.ts';
import type { Version } from '../version.ts';
import { holdsReissue } from './scope.ts';

type Next = 'reissue' | 'close' | 'held';

/**
 * Attribute (protocol.md §5.6 and §8): after the quiesce, every enabled credential that the provider lists is recorded, or ours and now
 * disabled, or a stranger that is reported and left alone. Then decides: close, when a clean version already serves every destination;
 * stay contained, when the reissue is held; or reissue.
 */
export async function attribute(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<{ next: Next }> {
  const attempt = await acquire(ports, payload, attemptId, 'attribute');
  if (attempt === 'done') return { next: (await getKey(ports, payload.keyId)).state === 'contained' ? 'close' : 'reissue' };
  const strangers = await disableOrphans(attempt);
  const versions = await listVersions(ports, attempt.keyId);
  const key = attempt.key;
  const next: Next = (await isServed(ports, key, versions)) ? 'close' : isHeld(key) ? 'held' : 'reissue';
  const now = instant(ports.clock.now());
  await record(attempt, (fresh) => ({
    set: {
      'revocation.attributedAt': now,
      'revocation.held': next === 'held',
      ...(next === 'close' ? { 'revocation.step': 'close' } : {}),
      ...(next === 'reissue' ? { 'revocation.step': 'issue', state: moveKey(fresh.state, 'reissue') } : {}),
      ...(strangers ? { attention: strangerAttention(strangers, now) } : next === 'held' ? { attention: heldAttention(fresh, now) } : {}),
    },
    events: [{ event: 'revocation.attributed', detail: { operation: attempt.operation.id, strangers, next } }],
  }));
  return { next };
}

/** Disables what is ours and unrecorded; returns how many enabled strangers there are. */
async function disableOrphans(attempt: Attempt): Promise<number> {
  const { ports, subject, key, keyId } = attempt;
  const provider = ports.provider(key.facts.provider);
  const versions = await listVersions(ports, keyId);
  const enabled = (await provider.list(subject)).filter((credential) => credential.enabled);
  for (const credential of enabled.filter((one) => attributionOf(key, versions, one) === 'ours')) {
    await effect(
      attempt,
      { name: 'provider.disable', target: `credential:${credential.credentialId}` },
      () => provider.disable(subject, credential.credentialId),
      () => ({
        writes: [putItem({ ...orphanKey(keyId, credential.credentialId), foundAt: instant(ports.clock.now()) })],
        events: [{ event: 'orphan.disabled', detail: { credential: `…${credential.credentialId.slice(-4)}` } }],
      }),
    );
  }
  return enabled.filter((one) => attributionOf(key, versions, one) === 'stranger').length;
}

/** K12b: a clean, live version is what consumers use now, and every destination holds it. */
async function isServed(ports: Ports, key: Key, versions: readonly Version[]): Promise<boolean> {
  const current = versions.find((version) => version.number === key.current);
  if (!current || current.compromised || current.state !== 'live') return false;
  return isDelivered(ports, key, current.number);
}

function isHeld(key: Key): boolean {
  const revocation = key.revocation as Revocation;
  if (revocation.released) return false;
  // An observed key is contained like any other; what follows is its owner's decision.
  return key.facts.mode === 'observe' || key.facts.incident.reissue === 'held' || holdsReissue(revocation.requests);
}

function heldAttention(key: Key, since: string): { reason: string; message: string; since: string } {
  return {
    reason: 'ReissueHeld',
    message: `contained; the reissue waits for a responder: rekey reissue ${key.facts.id} --reason …`,
    since,
  };
}
