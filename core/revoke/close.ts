import { type Attempt, acquire, record } from '../attempt.ts';
import { challenges, placesOf, silence } from '../challenge.ts';
import { isDelivered, withRoles } from '../delivery.ts';
import { dueOf } from '../due.ts';
import { effect } from '../effect.ts';
import { IllegalMove } from '../errors.ts';
import { openEmergencyReview } from '../incident/review.ts';
import { attribute, listVersions, operationIdOf, operationKey, putItem, versionItem } from '../items.ts';
import { type Key, moveKey, type Revocation, type Rotation } from '../key.ts';
import { noticeFor } from '../outbox.ts';
import { activateSecondsOf, type Overlap, overlapOf } from '../overlap.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { newRotation } from '../rotate/begin.ts';
import { after, instant } from '../time.ts';

/**
 * Close (protocol.md §6): no label of the secret store names a compromised version, the key is active on a clean one that every
 * destination holds, and the incident is on record. Throws IllegalMove when that clean version is missing.
 */
export async function close(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<Record<string, never>> {
  const attempt = await acquire(ports, payload, attemptId, 'close');
  if (attempt === 'done') return {};
  await openEmergencyReview(ports, attempt.key);
  await stripCompromised(attempt);
  const { keyId, operation, key } = attempt;
  const versions = await listVersions(ports, keyId);
  const current = versions.find((version) => version.number === key.current);
  if (!current || current.compromised || current.state !== 'live' || !(await isDelivered(ports, key, current.number))) {
    throw new IllegalMove(`${keyId} has no clean version at every destination`);
  }
  const left =
    key.facts.mode === 'observe' || key.facts.managedBy
      ? undefined
      : versions.find(({ number, state, compromised }) => number !== current.number && state === 'live' && !compromised);
  const overlap = overlapOf(key.facts, ports.policy.tiers[key.tier], activateSecondsOf(key));
  const rotation = left ? takeOver(ports, key, operation.id, left.number, current.number, overlap) : null;
  const destinations = await placesOf(ports, key, current.number);
  await record(attempt, (fresh) => {
    const now = instant(ports.clock.now());
    const revocation = fresh.revocation as Revocation;
    const active = moveKey(fresh.state, 'reissued');
    return {
      set: {
        state: rotation ? moveKey(active, 'rotate') : active,
        rotation,
        revocation: {},
        ...(revocation.toldAt ? {} : { untold: operation.id }),
        lastEndedAt: now,
        nextDueAt: dueOf({ ...fresh, lastEndedAt: now }, ports.policy),
        dueBecause: 'interval',
        dueNow: null,
        attention: fresh.attention?.reason === 'UnattributedCredential' ? fresh.attention : null,
      },
      writes: [
        ...withRoles(versions, current.number, left?.number ?? 0).map((version) => putItem(versionItem(keyId, version))),
        // Under the id of every request that met in this revocation, so that each of them, sent again, is recognised.
        ...operationIds(keyId, revocation).map((id) =>
          putItem({ ...operationKey(keyId, id), ...(attribute({ ...revocation, outcome: 'done', endedAt: now }) as object) }),
        ),
      ],
      notices: [
        noticeFor(ports, fresh, operation.id, {
          type: 'key.reissued',
          audience: '*',
          severity: 'info',
          data: { version: current.number, action: 'none', reason: 'closed' },
        }),
        ...(rotation
          ? challenges(ports, fresh, rotation.id, {
              type: 'key.issued',
              severity: 'info',
              data: { action: 'refresh', version: current.number, destinations },
            })
          : []),
      ],
      matters: rotation ? [silence(fresh, rotation.id, current.number, overlap.minSeconds, rotation.overlapCapAt)] : [],
      events: [
        {
          event: 'revocation.closed',
          detail: { operation: operation.id, current: current.number, falseAlarm: revocation.falseAlarm ?? false },
        },
        ...(rotation
          ? [
              {
                event: 'rotation.started',
                detail: { operation: rotation.id, reason: rotation.reason, old: rotation.oldVersion, new: rotation.newVersion },
              },
            ]
          : []),
      ],
    };
  });
  return {};
}

/**
 * A clean version that a displaced rotation left alive is retired like any other: only when every consumer has proved that it uses the
 * new one. The rotation begins where that proof is waited for; what comes before was done by the reissue. Nothing about it is urgent, so
 * it is on record only, and the reconciler starts its execution: closing an incident needs no right to start anything.
 */
function takeOver(ports: Ports, key: Key, revocationId: string, oldVersion: number, newVersion: number, overlap: Overlap): Rotation {
  const now = instant(ports.clock.now());
  return {
    ...newRotation(
      operationIdOf('rotate', key.facts.id, revocationId),
      'retires what a revocation left alive',
      'step:close',
      now,
      oldVersion,
      newVersion,
    ),
    step: 'confirm',
    // The attempts of the reissue that may still write are attempts of this rotation to whoever waits for them.
    acquiredAt: key.revocation?.reissueAcquiredAt ?? null,
    distributedAt: now,
    overlapUntil: after(now, overlap.minSeconds),
    overlapCapAt: after(now, overlap.maxSeconds),
  };
}

function operationIds(keyId: string, revocation: Revocation): string[] {
  // As many as leave room in a transaction; a request beyond them, sent again, finds its versions dead and changes nothing.
  return [...new Set([revocation.id, ...revocation.requests.map(({ requestId }) => operationIdOf('revoke', keyId, requestId))])].slice(
    0,
    30,
  );
}

async function stripCompromised(attempt: Attempt): Promise<void> {
  const { ports, keyId } = attempt;
  const labelled = new Set(Object.values(await ports.secrets.labels(keyId)));
  for (const { number, token, compromised } of await listVersions(ports, keyId)) {
    if (!compromised || !token || !labelled.has(token)) continue;
    await effect(attempt, { name: 'secrets.strip', target: String(number) }, () => ports.secrets.strip(keyId, token));
  }
}
