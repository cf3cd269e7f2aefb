import { acquire } from '../attempt.ts';
import { type Commit, commit } from '../commit.ts';
import { AdoptionTimedOut, ConditionFailed, Fenced } from '../errors.ts';
import { type Evidence, evidenceFor, lastUse, type Proof, witnessed } from '../evidence.ts';
import { findVersion, getKey } from '../items.ts';
import type { Key, Rotation } from '../key.ts';
import { measuredOf } from '../metric.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { instant, milliseconds } from '../time.ts';
import type { Version } from '../version.ts';
import { askAgain, askAtCap, overruled, remindersDue } from './unconfirmed.ts';

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
 * Whether every consumer has proved that it moved, the least overlap is over, and each has had its own since its first use. If so, the
 * rotation goes on: recorded first, for this very operation and fence, then the waiting token is answered. If not, those that are missing
 * are asked again before the tier's cap; at the cap the policy decides: both versions stay and a person is called, all go back, or the old
 * version is retired anyway, on record and told to everybody. Nothing is ever retired because nobody looked.
 */
export async function judgeConfirm(ports: Ports, keyId: string): Promise<boolean> {
  const key = await getKey(ports, keyId);
  const { rotation } = key;
  if (key.state !== 'rotating' || rotation?.step !== 'confirm' || !rotation.distributedAt) return false;
  const old = rotation.oldVersion ? await findVersion(ports, keyId, rotation.oldVersion) : undefined;
  // Without an old version nothing dies, so nobody has to prove anything.
  const evidence: Evidence = old
    ? await evidenceFor(ports, key, rotation.newVersion, old, rotation.distributedAt)
    : { proved: [], missing: [] };
  await writeDown(ports, key, rotation, evidence.proved);
  const now = instant(ports.clock.now());
  const atCap = rotation.overlapCapAt !== null && now >= rotation.overlapCapAt;
  if (evidence.missing.length === 0) {
    if (!rotation.overlapUntil || now < rotation.overlapUntil) return false;
    // What a part of a consumer proved, the rest of it follows within its own time; the cap bounds that.
    if (!atCap && evidence.proved.some(({ settledAt }) => settledAt > now)) return false;
    const { set, events } = confirmed(key, rotation, evidence.proved, now);
    return goOn(ports, key, rotation, { set: { ...set, unregisteredUse: await otherUse(ports, key, old, evidence.proved) }, events });
  }
  if (!atCap) {
    if (remindersDue(rotation, now)) await askAgain(ports, key, rotation, evidence.missing, now);
    return false;
  }
  ports.log.measure({ consumersSilent: evidence.missing.length }, measuredOf(key));
  const atEnd = key.facts.consumers.length ? ports.policy.tiers[key.tier].atOverlapMax : 'hold';
  if (atEnd === 'roll-back') {
    if (rotation.taskToken) {
      const cause = new AdoptionTimedOut(`not confirmed: ${evidence.missing.join(', ')}`);
      await ports.executions.fail(rotation.taskToken, cause.name, cause.message);
    }
    return false;
  }
  const anyway = atEnd === 'retire' ? await overruled(ports, key, rotation, evidence.missing, now) : null;
  if (anyway) {
    const { set, events } = confirmed(key, rotation, evidence.proved, now);
    return goOn(ports, key, rotation, { ...anyway, set: { ...set, ...anyway.set }, events: [...anyway.events, ...events] });
  }
  await askAtCap(ports, key, rotation, evidence.missing, now);
  return false;
}

type Change = Pick<Commit, 'set' | 'writes' | 'notices'> & { readonly events: Commit['events'] };

function confirmed(
  key: Key,
  rotation: Rotation,
  proved: readonly Proof[],
  now: string,
): Change & { readonly set: Record<string, unknown> } {
  const evidence = proved.map(({ consumer, kind }) => `${consumer}:${kind}`).join(' ');
  return {
    set: {
      'rotation.step': 'verify',
      'rotation.confirmedAt': now,
      ...(key.attention?.reason === 'ConsumersNotConfirmed' ? { attention: null } : {}),
    },
    events: [{ event: 'rotation.confirmed', detail: { operation: rotation.id, version: rotation.newVersion, evidence } }],
  };
}

async function goOn(ports: Ports, key: Key, rotation: Rotation, change: Change): Promise<boolean> {
  const done = await unlessMoved(() =>
    commit(ports, key.facts.id, () => ({ actor: 'step:confirm', fence: key.fence, when: waiting(rotation), ...change })),
  );
  if (done && rotation.taskToken) await ports.executions.succeed(rotation.taskToken);
  return done;
}

/** What the vendor shows is written down once, so that a consumer's own overlap begins with it. */
async function writeDown(ports: Ports, key: Key, rotation: Rotation, proved: readonly Proof[]): Promise<void> {
  const seen = witnessed(key, rotation.id, rotation.newVersion, proved);
  if (seen.writes.length)
    await unlessMoved(() => commit(ports, key.facts.id, () => ({ actor: 'step:confirm', when: waiting(rotation), ...seen })));
}

/**
 * Whether the vendor saw the old version used after all of every consumer had moved: then a system uses it that nobody registered (POL-Q2).
 * It is on record and a finding; it does not hold the rotation, because whoever stole a version could then keep it alive.
 */
async function otherUse(ports: Ports, key: Key, old: Version | undefined, proved: readonly Proof[]): Promise<Key['unregisteredUse']> {
  const used = proved.length && old ? await lastUse(ports, key, old) : null;
  if (!used || used.at === 'never') return null;
  const settled =
    proved
      .map(({ settledAt }) => settledAt)
      .sort()
      .at(-1) ?? '';
  const surely = milliseconds(used.at) - (used.accuracySeconds + ports.settings.skewSeconds) * 1000;
  return surely > milliseconds(settled) ? { version: old?.number ?? 0, at: used.at } : null;
}

const waiting = (rotation: Rotation): NonNullable<Commit['when']> => [
  { path: 'state', is: '=', value: 'rotating' },
  { path: 'rotation.id', is: '=', value: rotation.id },
  { path: 'rotation.step', is: '=', value: 'confirm' },
];

/** False when somebody else moved the operation on between the reading and the write: the next look decides. */
async function unlessMoved(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed || error instanceof Fenced) return false;
    throw error;
  }
}
