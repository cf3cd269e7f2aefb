import { type Commit, commit } from './commit.ts';
import { withFault } from './drills/faults.ts';
import { ConditionFailed, Fenced, IllegalMove, InventoryUnavailable, RollingBack, Superseded } from './errors.ts';
import type { Change, Condition } from './inventory.ts';
import { attribute, getKey, keyOf, metaKey, operationKey } from './items.ts';
import type { Key, RevokeStep, RotateStep } from './key.ts';
import { isPast, type Operation, openOperation, recordPath, stateFor } from './operation.ts';
import type { ExecutionPayload, Ports, Subject } from './ports.ts';
import { instant } from './time.ts';

/** One run of one step, holding the key's fence: whoever acquires next shuts it out. */
export interface Attempt {
  readonly ports: Ports;
  readonly keyId: string;
  readonly step: string;
  readonly actor: string;
  readonly fence: number;
  /** The key as it was acquired. */
  readonly key: Key;
  readonly operation: Operation;
  readonly subject: Subject;
}

/**
 * Acquires the key for one attempt of a step (protocol.md §5.1): one conditional update raises the fence and names the attempt.
 * `'done'`: the operation is already past this step, or ended well. Throws Superseded (a revocation or a newer execution has the
 * key), RollingBack, IllegalMove (a step out of its order), InventoryUnavailable.
 */
export async function acquire(
  ports: Ports,
  payload: ExecutionPayload,
  attemptId: string,
  step: RotateStep | RevokeStep,
  more: Readonly<Record<string, string>> = {},
): Promise<Attempt | 'done'> {
  const { keyId, operationId, startSeq } = payload;
  const kind = operationId.startsWith('revoke-') ? 'revoke' : 'rotate';
  const path = kind === 'rotate' ? 'rotation' : 'revocation';
  const now = instant(ports.clock.now());
  const when: Condition[] = [
    { item: 'exists' },
    { path: `${path}.id`, is: '=', value: operationId },
    { path: `${path}.startSeq`, is: '=', value: startSeq },
    { path: `${path}.step`, is: '=', value: step },
    ...stateCondition(kind, step),
  ];
  const line = { at: now, actor: `step:${step}`, event: 'attempt.acquired', detail: { operation: operationId, step, attempt: attemptId } };
  const reissuing = kind === 'revoke' && ['issue', 'distribute', 'verify', 'close'].includes(step);
  const permit = kind === 'revoke' && !reissuing ? 'toward dead' : undefined;
  const change: Change = {
    add: { fence: 1, pendingCount: 1 },
    append: { pending: [attribute(line)] },
    set: {
      [`${path}.attemptId`]: attemptId,
      [`${path}.acquiredAt`]: now,
      ...(reissuing ? { [`${path}.reissueAcquiredAt`]: now } : {}),
      ...Object.fromEntries(Object.entries(more).map(([name, value]) => [`${path}.${name}`, value])),
    },
  };
  try {
    return attemptOf(ports, keyOf(await ports.inventory.update(metaKey(keyId), change, when, permit)), step);
  } catch (error) {
    if (!(error instanceof ConditionFailed || error instanceof InventoryUnavailable)) throw error;
    const key = await getKey(ports, keyId);
    const open = openOperation(key);
    const ours = open?.id === operationId && open.startSeq === startSeq && open.step === step;
    if (ours && key[path]?.attemptId === attemptId) return attemptOf(ports, key, step);
    if (error instanceof InventoryUnavailable) throw error;
    return refusal(ports, key, payload, kind, step);
  }
}

/** Why the acquire was refused: 'done', or the error that says so. */
async function refusal(ports: Ports, key: Key, payload: ExecutionPayload, kind: 'rotate' | 'revoke', step: string): Promise<'done'> {
  const { keyId, operationId, startSeq } = payload;
  const record = kind === 'rotate' ? key.rotation : key.revocation;
  if (record?.id !== operationId) {
    const ended = await ports.inventory.get(operationKey(keyId, operationId));
    if (ended && ended['outcome'] === (step === 'rollback' ? 'rolled-back' : 'done')) return 'done';
    throw new Superseded(`${operationId} no longer has ${keyId}`);
  }
  if (record.startSeq !== startSeq) throw new Superseded(`execution ${record.startSeq} of ${operationId} goes on`);
  if (kind === 'rotate' && key.revocation) throw new Superseded(`revocation ${key.revocation.id} has ${keyId}`);
  if (kind === 'rotate' && key.state === 'rolling-back' && step !== 'rollback') throw new RollingBack(`${operationId} is rolling back`);
  if (isPast(kind, record.step, step)) return 'done';
  if (record.step === step && key.state === stateFor(kind, step)) throw new Fenced(`${keyId} was busy`);
  throw new IllegalMove(`${operationId} is at ${record.step}, not at ${step}`);
}

function stateCondition(kind: 'rotate' | 'revoke', step: string): Condition[] {
  return [{ path: 'state', is: '=', value: stateFor(kind, step) }];
}

function attemptOf(ports: Ports, key: Key, step: string): Attempt {
  const operation = openOperation(key);
  if (!operation) throw new Superseded(`${key.facts.id} has no open operation`);
  const { id: keyId, account, params } = key.facts;
  const subject = { keyId, account, params };
  return { ports: withFault(ports, key, step), keyId, step, actor: `step:${step}`, fence: key.fence, key, operation, subject };
}

/** Commits under the attempt's fence. Throws Fenced when a newer attempt has it, Superseded when the operation lost the key. */
export async function record(
  attempt: Attempt,
  build: (key: Key) => Omit<Commit, 'fence' | 'actor'> | Promise<Omit<Commit, 'fence' | 'actor'>>,
): Promise<Key> {
  try {
    return await commit(attempt.ports, attempt.keyId, async (key) => {
      const change = await build(key);
      return { ...change, set: { ...stuckNoMore(attempt, key, change), ...change.set }, fence: attempt.fence, actor: attempt.actor };
    });
  } catch (error) {
    if (error instanceof Fenced) {
      const open = openOperation(await getKey(attempt.ports, attempt.keyId));
      if (open?.id !== attempt.operation.id || open.startSeq !== attempt.operation.startSeq) {
        throw new Superseded(`${attempt.operation.id} lost ${attempt.keyId}`);
      }
    }
    throw error;
  }
}

/** Whoever was called because an operation did not get beyond a step is not needed any more once it does. */
function stuckNoMore({ operation }: Attempt, key: Key, { set = {} }: Pick<Commit, 'set'>): Commit['set'] {
  const movesOn = `${recordPath(operation)}.step` in set;
  return movesOn && key.attention?.reason === 'OperationStuck' ? { attention: null } : {};
}
