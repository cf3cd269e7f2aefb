import { type Attempt, acquire, record } from '../attempt.ts';
import { dueOf } from '../due.ts';
import { disableVersion, proveDead } from '../ending.ts';
import type { Write } from '../inventory.ts';
import { attribute, findVersion, operationKey, putItem, versionItem } from '../items.ts';
import { type Key, moveKey, type Rotation } from '../key.ts';
import type { Notice } from '../notice.ts';
import { disableOrphans } from '../orphans.ts';
import { noticeFor } from '../outbox.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { instant } from '../time.ts';
import type { Version } from '../version.ts';

/**
 * Retire (protocol.md §6): the point of no return is recorded, then the old version is disabled, then refused as often in a row as the
 * provider's spec asks; then the operation is closed and the key is active with its next due date. From the first line on only forward.
 * Throws ProbeAgain or StillAccepted until the old version is dead.
 */
export async function retire(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<Record<string, never>> {
  const attempt = await acquire(ports, payload, attemptId, 'retire');
  if (attempt === 'done') return {};
  const { keyId, operation } = attempt;
  await passPointOfNoReturn(attempt);
  const old = operation.oldVersion ? await findVersion(ports, keyId, operation.oldVersion) : undefined;
  if (!old) {
    await close(attempt, undefined);
    return {};
  }
  const disabling = old.state === 'disabling' || old.state === 'disabled' ? old : await disableVersion(attempt, old);
  // One that its vendor will end itself needs nobody to wait for it: the reconciler proves its death when the time has come.
  const endsLater = disabling.endsAt !== undefined && instant(ports.clock.now()) < disabling.endsAt;
  if (disabling.state === 'disabled' || endsLater) await close(attempt, disabling);
  else {
    const { version, certificate } = await proveDead(attempt, disabling);
    await close(attempt, version, [certificate]);
  }
  return {};
}

/** T1: legal only when this very rotation was distributed, confirmed and verified; the three are conditions of the write. */
async function passPointOfNoReturn(attempt: Attempt): Promise<void> {
  // A first issue is past it since its first delivery, and comes by here all the same.
  if (attempt.key.rotation?.ponr && attempt.operation.oldVersion) return;
  // What a lost answer of a create left enabled must not outlive the rotation.
  await disableOrphans(attempt);
  await record(attempt, () => ({
    when: [
      { path: 'rotation.distributedAt', is: '>', value: '' },
      { path: 'rotation.confirmedAt', is: '>', value: '' },
      { path: 'rotation.verifiedAt', is: '>', value: '' },
    ],
    set: { 'rotation.ponr': true },
    events: [{ event: 'rotation.point-of-no-return', detail: { operation: attempt.operation.id, old: attempt.operation.oldVersion } }],
  }));
}

async function close(attempt: Attempt, old: Version | undefined, writes: readonly Write[] = []): Promise<void> {
  const { ports, keyId } = attempt;
  await record(attempt, (key) => {
    const now = instant(ports.clock.now());
    const rotation = key.rotation as Rotation;
    return {
      set: {
        state: moveKey(key.state, 'rotated'),
        rotation: null,
        lastEndedAt: now,
        nextDueAt: dueOf({ ...key, lastEndedAt: now }, ports.policy),
        dueBecause: 'interval',
        dueNow: null,
        ...(staysAfter(key, rotation) ? {} : { attention: null }),
      },
      writes: [
        putItem({
          ...operationKey(keyId, rotation.id),
          ...(attribute({ ...rotation, taskToken: null, outcome: 'done', endedAt: now }) as object),
        }),
        ...(old ? [putItem(versionItem(keyId, { ...old, role: 'none' }))] : []),
        ...writes,
      ],
      notices: old ? retiredNotices(ports, key, rotation) : [],
      events: [{ event: 'rotation.done', detail: { operation: rotation.id, current: rotation.newVersion, retired: rotation.oldVersion } }],
    };
  });
}

/** What a person must still look at when the rotation is over: strangers, and that this very one was ended without some consumer's proof. */
function staysAfter({ attention }: Key, { startedAt }: Rotation): boolean {
  if (attention?.reason === 'RetiredUnconfirmed') return attention.since >= startedAt;
  return attention?.reason === 'UnattributedCredential';
}

function retiredNotices(ports: Ports, key: Key, rotation: Rotation): Notice[] {
  return [...key.facts.consumers.map((consumer) => consumer.name), '*'].map((audience) =>
    noticeFor(ports, key, rotation.id, {
      type: 'key.retired',
      audience,
      severity: 'info',
      data: { version: rotation.newVersion, action: 'none' },
    }),
  );
}
