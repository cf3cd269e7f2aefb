import { commit } from '../commit.ts';
import { ConditionFailed, PastPointOfNoReturn, Refused, Superseded } from '../errors.ts';
import { getKey, operationKey } from '../items.ts';
import { type Key, moveKey, type Rotation } from '../key.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { inflightSeconds, type Settings } from '../settings.ts';
import { milliseconds } from '../time.ts';
import { startExecution } from './begin.ts';

/**
 * Abort (K6): the key is rolling back under a new fence, with the first cause on record. Returns how long to wait until no earlier
 * attempt can still write. Running it again returns the rest of that wait. Throws PastPointOfNoReturn, Superseded.
 */
export async function abort(
  ports: Ports,
  payload: ExecutionPayload & { readonly error?: string },
  _attemptId: string,
): Promise<{ quiesceSeconds: number }> {
  const key = await getKey(ports, payload.keyId);
  const rotation = await ownRotation(ports, key, payload);
  if (key.state === 'rolling-back') return { quiesceSeconds: quiesceSeconds(ports, rotation.acquiredAt) };
  await beginRollback(ports, payload.keyId, rotation, payload.error ?? 'unknown', 'step:abort', rotation.startSeq);
  return { quiesceSeconds: quiesceSeconds(ports, rotation.acquiredAt) };
}

/**
 * A person takes a rotation back. Afterwards the key is rolling back, and a new execution carries that out.
 * Throws Refused E_NOTHING_TO_DO, E_PAST_POINT_OF_NO_RETURN, E_REVOKED.
 */
export async function requestRollback(
  ports: Ports,
  request: { readonly keyId: string; readonly reason: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly operationId: string }> {
  const { keyId, reason } = request;
  const key = await getKey(ports, keyId);
  if (key.revocation) throw new Refused('E_REVOKED', `${keyId} is being revoked; nothing of a revoked key comes back`);
  const { rotation } = key;
  if (!rotation) throw new Refused('E_NOTHING_TO_DO', `no rotation of ${keyId} is under way`);
  if (key.state === 'rolling-back') return { keyId, operationId: rotation.id };
  try {
    await beginRollback(ports, keyId, rotation, `asked for: ${reason}`.slice(0, 200), actor, rotation.startSeq + 1);
  } catch (error) {
    if (!(error instanceof PastPointOfNoReturn)) throw error;
    throw new Refused(
      'E_PAST_POINT_OF_NO_RETURN',
      rotation.oldVersion
        ? `version ${rotation.oldVersion} may already be dead; go forward instead: rekey rotate ${keyId} when this one has ended`
        : `version ${rotation.newVersion} is the first one and may be in use; there is nothing to go back to: rekey rotate ${keyId} when this one has ended`,
    );
  }
  await startExecution(ports, keyId, rotation.id, rotation.startSeq + 1);
  return { keyId, operationId: rotation.id };
}

/** How long until no attempt that acquired at `acquiredAt` can still have an effect; 0 when that is already so. */
export function quiesceSeconds(
  ports: { readonly clock: Ports['clock']; readonly settings: Settings },
  acquiredAt: string | null | undefined,
): number {
  if (!acquiredAt) return 0;
  const until = milliseconds(acquiredAt) + inflightSeconds(ports.settings) * 1000;
  return Math.max(0, Math.ceil((until - ports.clock.now()) / 1000));
}

/** Moves a rotating key to rolling back. The point of no return is a condition of the write. */
export async function beginRollback(
  ports: Ports,
  keyId: string,
  rotation: Rotation,
  cause: string,
  actor: string,
  startSeq: number,
): Promise<void> {
  try {
    await commit(ports, keyId, (key) => ({
      actor,
      when: [
        { path: 'rotation.id', is: '=', value: rotation.id },
        { path: 'rotation.startSeq', is: '=', value: rotation.startSeq },
        { path: 'rotation.ponr', is: '=', value: false },
        { path: 'state', is: '=', value: 'rotating' },
      ],
      set: {
        state: moveKey(key.state, 'abort'),
        fence: key.fence + 1,
        'rotation.step': 'rollback',
        'rotation.startSeq': startSeq,
        'rotation.firstCause': cause,
      },
      fence: key.fence,
      events: [{ event: 'rotation.aborted', detail: { operation: rotation.id, cause } }],
    }));
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    const now = await getKey(ports, keyId);
    if (now.rotation?.id === rotation.id && now.rotation.ponr)
      throw new PastPointOfNoReturn(`${rotation.id} is past its point of no return`);
    throw new Superseded(`${rotation.id} no longer has ${keyId}`);
  }
  if (rotation.taskToken) await ports.executions.fail(rotation.taskToken, 'RollingBack', 'the rotation was aborted');
}

async function ownRotation(ports: Ports, key: Key, payload: ExecutionPayload): Promise<Rotation> {
  const { rotation } = key;
  if (key.revocation || rotation?.id !== payload.operationId || rotation.startSeq !== payload.startSeq) {
    const ended = await ports.inventory.get(operationKey(payload.keyId, payload.operationId));
    throw new Superseded(ended ? `${payload.operationId} has ended` : `${payload.operationId} no longer has ${payload.keyId}`);
  }
  return rotation;
}
