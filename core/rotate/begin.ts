import { commit } from '../commit.ts';
import { ConditionFailed, Fenced, Refused } from '../errors.ts';
import { getKey, operationIdOf, operationKey } from '../items.ts';
import { type Key, moveKey, type Rotation } from '../key.ts';
import { rotateAtAws } from '../managed.ts';
import { holdOf } from '../policy/calendar.ts';
import type { Ports } from '../ports.ts';
import { inflightSeconds } from '../settings.ts';
import { after, instant } from '../time.ts';

export interface Begun {
  readonly keyId: string;
  readonly operationId: string;
  /** False when the same trigger had already begun it. */
  readonly started: boolean;
  readonly oldVersion: number;
  readonly newVersion: number;
}

/**
 * Begins a rotation (K3), or the first issue of a registered key. Afterwards the operation is on record with its pinned versions, and
 * its execution was started; if that start failed, the reconciler makes it. The same trigger (a due instant, a request id) always
 * names the same operation, so that duplicates collapse.
 * Throws Refused: E_NOT_FOUND, E_MANAGED, E_OBSERVE_ONLY, E_HELD, E_REVOKED, E_BUSY, E_TOO_SOON.
 */
export async function beginRotation(
  ports: Ports,
  request: { readonly keyId: string; readonly reason: string; readonly trigger: string },
  actor: string,
): Promise<Begun> {
  const { keyId, reason, trigger } = request;
  const operationId = operationIdOf('rotate', keyId, trigger);
  const known = await recorded(ports, keyId, operationId);
  if (known) return known;
  let key: Key;
  try {
    key = await commit(ports, keyId, (now) => {
      const refusal = refusalToRotate(ports, now);
      if (refusal) throw refusal;
      const rotation = newRotation(operationId, reason, actor, instant(ports.clock.now()), now.current ?? 0, now.lastVersion + 1);
      return {
        actor,
        fence: now.fence,
        when: [
          { path: 'state', is: '=', value: now.state },
          // A hold is a condition of the write, not a comment; one that has expired may still be there.
          now.hold ? { path: 'hold.until', is: '=', value: now.hold.until } : { path: 'hold.until', is: 'missing' },
        ],
        set: {
          state: moveKey(now.state, now.current === null ? 'first-issue' : 'rotate'),
          fence: now.fence + 1,
          rotation,
          lastVersion: now.lastVersion + 1,
          hold: null,
          dueNow: null,
        },
        events: [
          { event: 'rotation.started', detail: { operation: operationId, reason, old: rotation.oldVersion, new: rotation.newVersion } },
        ],
      };
    });
  } catch (error) {
    if (!(error instanceof ConditionFailed || error instanceof Fenced)) throw error;
    // Somebody was faster: say who, where that can be seen.
    const refusal = refusalToRotate(ports, await getKey(ports, keyId));
    throw refusal ?? new Refused('E_BUSY', `another request changed ${keyId} at the same moment; look at it and ask again`);
  }
  const rotation = key.rotation as Rotation;
  await startExecution(ports, keyId, operationId, 1);
  return { keyId, operationId, started: true, oldVersion: rotation.oldVersion, newVersion: rotation.newVersion };
}

/** The record of a rotation that has done nothing yet, with its versions pinned. */
export function newRotation(
  id: string,
  reason: string,
  actor: string,
  startedAt: string,
  oldVersion: number,
  newVersion: number,
): Rotation {
  return {
    id,
    step: 'issue',
    startSeq: 1,
    attemptId: '',
    acquiredAt: null,
    reason,
    actor,
    startedAt,
    oldVersion,
    newVersion,
    mint: 1,
    distributedAt: null,
    overlapUntil: null,
    overlapCapAt: null,
    confirmedAt: null,
    verifiedAt: null,
    ponr: false,
    taskToken: null,
    firstCause: null,
    rollbackAt: null,
    restarts: 0,
    restartStep: null,
    resumedAt: null,
  };
}

/** Starts an execution of an operation that is on record. A failure is only logged: the reconciler starts what does not move. Returns whether it started. */
export async function startExecution(ports: Ports, keyId: string, operationId: string, startSeq: number): Promise<boolean> {
  try {
    await ports.executions.start(operationId.startsWith('revoke-') ? 'revoke' : 'rotate', { keyId, operationId, startSeq });
    return true;
  } catch (error) {
    ports.log.error('an execution was not started; the reconciler will', {
      key: keyId,
      operation: operationId,
      error: (error as Error).name,
    });
    return false;
  }
}

async function recorded(ports: Ports, keyId: string, operationId: string): Promise<Begun | null> {
  const key = await getKey(ports, keyId);
  const ended = await ports.inventory.get(operationKey(keyId, operationId));
  const rotation = key.rotation?.id === operationId ? key.rotation : (ended as unknown as Rotation | undefined);
  return rotation ? { keyId, operationId, started: false, oldVersion: rotation.oldVersion, newVersion: rotation.newVersion } : null;
}

/** Why a rotation of this key cannot begin now, or null. A revoked key has no override. */
export function refusalToRotate(ports: Ports, key: Key): Refused | null {
  const id = key.facts.id;
  const now = instant(ports.clock.now());
  if (key.facts.managedBy)
    return new Refused('E_MANAGED', `AWS Secrets Manager rotates ${id}, and Rekey follows: ${rotateAtAws(key.facts)}`);
  if (key.facts.mode === 'observe')
    return new Refused('E_OBSERVE_ONLY', `${id} is observed only; let it go live first: rekey key live ${id}`);
  if (key.revocation || key.state === 'contained')
    return new Refused('E_REVOKED', `${id} is being revoked; only a reissue brings it back: rekey reissue ${id}`);
  if (key.offboard) return new Refused('E_REVOKED', `${id} is to go for good, as ${key.offboard.by} decided: ${key.offboard.reason}`);
  if (key.hold && key.hold.until > now)
    return new Refused('E_HELD', `${id} is on hold until ${key.hold.until} by ${key.hold.by}: ${key.hold.reason}`);
  const planned = key.current === null ? null : holdOf(key, ports.policy, ports.clock.now());
  if (planned) return new Refused('E_HELD', `no rotation of ${id} starts until ${planned.until}: ${planned.name}, ${planned.reason}`);
  if (key.rotation)
    return new Refused(
      'E_BUSY',
      `${id} is already in ${key.rotation.id}, begun by ${key.rotation.actor} at ${key.rotation.startedAt}, at step ${key.rotation.step}`,
    );
  const last = [key.lastEndedAt, key.repairingAt]
    .filter((at) => at !== null)
    .sort()
    .at(-1);
  const quietFrom = last && after(last, inflightSeconds(ports.settings));
  if (quietFrom && quietFrom > now)
    return new Refused(
      'E_TOO_SOON',
      `an attempt of the last operation or repair on ${id} may still be under way; ask again after ${quietFrom}`,
    );
  return null;
}
