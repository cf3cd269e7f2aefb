import { isHeldByBulk } from '../bulk/advance.ts';
import { commit } from '../commit.ts';
import { ConditionFailed, Fenced, PastPointOfNoReturn, Superseded } from '../errors.ts';
import type { Key, Revocation, Rotation } from '../key.ts';
import { measuredOf } from '../metric.ts';
import { openOperation, recordPath } from '../operation.ts';
import { noticeFor } from '../outbox.ts';
import type { Ports } from '../ports.ts';
import { beginRollback } from '../rotate/abort.ts';
import { startExecution } from '../rotate/begin.ts';
import { judgeConfirm } from '../rotate/confirm.ts';
import { instant, milliseconds } from '../time.ts';

/**
 * Brings an open operation forward that its execution dropped. While an execution runs it only judges a waiting Confirm. One that ended,
 * or that nobody can see, without a new attempt for the settings' time is started again from its record. Returns what was done, or null.
 */
export async function resumeIfStuck(ports: Ports, key: Key): Promise<string | null> {
  const operation = openOperation(key);
  if (!operation) return null;
  const keyId = key.facts.id;
  if (operation.step === 'confirm' && (await judgeConfirm(ports, keyId))) return 'confirmed';
  const state = await ports.executions.state(operation.kind, { keyId, operationId: operation.id, startSeq: operation.startSeq });
  if (state === 'running') await answerAgain(ports, key);
  // An execution that goes on may take its time, but not where it was answered: then a late attempt has put its own token over the one that is waited on.
  if (state === 'running' && !wasAnswered(key)) return null;
  const patience = state === 'ended' ? 2 * ports.settings.reconcileSeconds : ports.settings.stuckSeconds;
  if (ports.clock.now() - milliseconds(lastMoveOf(key)) < patience * 1000) return null;
  const resumed = await resume(ports, key, reasons[state]);
  // The first time at a step is what the reconciler is for; once more, and the operation does not get beyond it.
  const again = key[recordPath(operation)]?.restartStep === operation.step;
  if (resumed && again) ports.log.measure({ operationsStuck: 1 }, measuredOf(key));
  return resumed;
}

/** Why an operation is started again, by what is known of its execution. */
const reasons = {
  ended: 'its execution ended',
  unknown: 'nobody can see its execution',
  running: 'its execution does not hear the answer',
} as const;

/** Starts an open operation again under the next execution number; a rotation that was started too often rolls back. Returns what was done, or null. */
export async function resume(ports: Ports, key: Key, why: string): Promise<string | null> {
  const operation = openOperation(key);
  if (!operation || (key.revocation && key.state === 'contained' && key.revocation.held)) return null;
  if (await isHeldByBulk(ports, key)) return null;
  const keyId = key.facts.id;
  const path = recordPath(operation);
  const known = (operation.kind === 'rotate' ? key.rotation : key.revocation) as Rotation | Revocation;
  // Only executions that ended at this very step count: an outage of the orchestrator says nothing about the operation.
  const restarts = known.restartStep === operation.step ? (known.restarts ?? 0) : 0;
  const counts = why === reasons.ended ? 1 : 0;
  const startSeq = operation.startSeq + 1;
  const tooOften = restarts >= ports.settings.maxRestarts;
  try {
    if (tooOften && operation.kind === 'rotate' && key.rotation && key.state === 'rotating' && !key.rotation.ponr) {
      await beginRollback(ports, keyId, key.rotation, `started ${restarts} times without an end`, 'reconciler', startSeq);
    } else {
      await commit(ports, keyId, (fresh) => ({
        actor: 'reconciler',
        fence: key.fence,
        when: [
          { path: `${path}.id`, is: '=', value: operation.id },
          { path: `${path}.startSeq`, is: '=', value: operation.startSeq },
        ],
        set: {
          [`${path}.startSeq`]: startSeq,
          [`${path}.restarts`]: restarts + counts,
          [`${path}.restartStep`]: operation.step,
          [`${path}.resumedAt`]: instant(ports.clock.now()),
          ...(tooOften
            ? {
                attention: {
                  reason: 'OperationStuck',
                  message: `${operation.id} was started ${restarts} times and is at ${operation.step}`,
                  since: instant(ports.clock.now()),
                },
              }
            : {}),
        },
        notices:
          tooOften && fresh.attention?.reason !== 'OperationStuck'
            ? [
                noticeFor(ports, fresh, operation.id, {
                  type: 'key.attention',
                  audience: '*',
                  severity: 'critical',
                  data: { action: 'look', reason: `stuck at ${operation.step}` },
                }),
              ]
            : [],
        events: [{ event: 'operation.resumed', detail: { operation: operation.id, step: operation.step, start: startSeq, why } }],
      }));
    }
  } catch (error) {
    // Somebody moved it on in the meantime: then it is not stuck.
    if (error instanceof ConditionFailed || error instanceof Fenced || error instanceof Superseded || error instanceof PastPointOfNoReturn)
      return null;
    throw error;
  }
  await startExecution(ports, keyId, operation.id, startSeq);
  return `${operation.id} resumed`;
}

/** A token whose answer was lost between the record and the call is answered again; a closed token is harmless. */
async function answerAgain(ports: Ports, key: Key): Promise<void> {
  if (key.rotation?.taskToken && key.rotation.confirmedAt) await ports.executions.succeed(key.rotation.taskToken);
}

/** Confirmed, and no step has begun since. */
function wasAnswered({ rotation, revocation }: Key): boolean {
  return !revocation && Boolean(rotation?.confirmedAt && rotation.confirmedAt > (rotation.acquiredAt ?? ''));
}

function lastMoveOf(key: Key): string {
  const record = key.revocation ?? key.rotation;
  if (!record) return key.registeredAt;
  const begun = 'openedAt' in record ? record.openedAt : record.startedAt;
  return (
    [record.acquiredAt, record.resumedAt, 'confirmedAt' in record ? record.confirmedAt : null, begun]
      .filter((at) => typeof at === 'string')
      .sort()
      .at(-1) ?? begun
  );
}
