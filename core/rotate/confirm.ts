import { acquire } from '../attempt.ts';
import { type Commit, commit } from '../commit.ts';
import { AdoptionTimedOut, ConditionFailed, Fenced } from '../errors.ts';
import { evidenceFor } from '../evidence.ts';
import { findVersion, getKey } from '../items.ts';
import type { Key, Rotation } from '../key.ts';
import { measuredOf } from '../metric.ts';
import { noticeFor } from '../outbox.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { instant } from '../time.ts';

/**
 * Confirm (protocol.md §6): stores the token that the workflow waits on and judges the evidence once. From here on receipts, the
 * reconciler and named persons bring it forward, all through `judgeConfirm`. Running it again stores the newer token.
 */
export async function confirm(
  ports: Ports,
  payload: ExecutionPayload & { readonly taskToken?: string },
  attemptId: string,
): Promise<Record<string, never>> {
  const taskToken = payload.taskToken ?? '';
  const attempt = await acquire(ports, payload, attemptId, 'confirm', { taskToken });
  if (attempt === 'done') {
    // Confirmed by another attempt: only this one knows its own token.
    await ports.executions.succeed(taskToken);
    return {};
  }
  await judgeConfirm(ports, attempt.keyId);
  return {};
}

/**
 * Whether every consumer has proved that it moved and the least overlap is over. If so, the rotation goes on: recorded first, for this
 * very operation and fence, then the waiting token is answered. If not, and the tier's cap is past: a person is paged, or the
 * rotation rolls back, as the policy says. Nothing is ever retired because nobody answered.
 */
export async function judgeConfirm(ports: Ports, keyId: string): Promise<boolean> {
  const key = await getKey(ports, keyId);
  const { rotation } = key;
  if (key.state !== 'rotating' || rotation?.step !== 'confirm' || !rotation.distributedAt) return false;
  const old = rotation.oldVersion ? await findVersion(ports, keyId, rotation.oldVersion) : undefined;
  // Without an old version nothing dies, so nobody has to prove anything.
  const evidence = old ? await evidenceFor(ports, key, rotation.newVersion, old, rotation.distributedAt) : { proved: [], missing: [] };
  const now = instant(ports.clock.now());
  if (evidence.missing.length === 0) {
    if (!rotation.overlapUntil || now < rotation.overlapUntil) return false;
    if (!(await recordConfirmed(ports, key, rotation, evidence.proved.map(({ consumer, kind }) => `${consumer}:${kind}`).join(' '))))
      return false;
    if (rotation.taskToken) await ports.executions.succeed(rotation.taskToken);
    return true;
  }
  if (rotation.overlapCapAt && now >= rotation.overlapCapAt) await atCap(ports, key, rotation, evidence.missing);
  return false;
}

/** What a person was called for, and need not be any more once the consumers have confirmed. */
const over = new Set(['ConsumersNotConfirmed', 'OperationStuck']);

function recordConfirmed(ports: Ports, key: Key, rotation: Rotation, evidence: string): Promise<boolean> {
  return whileWaiting(ports, key, () => ({
    set: {
      'rotation.step': 'verify',
      'rotation.confirmedAt': instant(ports.clock.now()),
      ...(over.has(key.attention?.reason ?? '') ? { attention: null } : {}),
    },
    events: [{ event: 'rotation.confirmed', detail: { operation: rotation.id, version: rotation.newVersion, evidence } }],
  }));
}

/** Commits for the very operation that was judged, as long as it still waits. False: somebody else moved it on meanwhile, and the next look decides. */
async function whileWaiting(ports: Ports, key: Key, build: (now: Key) => Pick<Commit, 'set' | 'notices' | 'events'>): Promise<boolean> {
  try {
    await commit(ports, key.facts.id, (now) => ({
      ...build(now),
      actor: 'step:confirm',
      fence: key.fence,
      when: [{ path: 'rotation.step', is: '=', value: 'confirm' }],
    }));
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed || error instanceof Fenced) return false;
    throw error;
  }
}

async function atCap(ports: Ports, key: Key, rotation: Rotation, missing: readonly string[]): Promise<void> {
  ports.log.measure({ consumersSilent: missing.length }, measuredOf(key));
  if (ports.policy.tiers[key.tier].atOverlapMax === 'roll-back') {
    if (rotation.taskToken) {
      const cause = new AdoptionTimedOut(`not confirmed: ${missing.join(', ')}`);
      await ports.executions.fail(rotation.taskToken, cause.name, cause.message);
    }
    return;
  }
  if (key.attention?.reason === 'ConsumersNotConfirmed') return;
  const message = `the overlap is at its cap and these have not proved that they moved: ${missing.join(', ')}; both versions stay alive`;
  await whileWaiting(ports, key, (now) => ({
    set: { attention: { reason: 'ConsumersNotConfirmed', message, since: instant(ports.clock.now()) } },
    notices: [
      noticeFor(ports, now, rotation.id, {
        type: 'key.receipt.missing',
        audience: '*',
        severity: 'warning',
        data: { version: rotation.newVersion, action: 'look', reason: message },
      }),
    ],
    events: [{ event: 'confirm.overdue', detail: { operation: rotation.id, missing: missing.join(' ') } }],
  }));
}
