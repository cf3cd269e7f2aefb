import { type Attempt, acquire, record } from '../attempt.ts';
import { challenges, placesOf, silence } from '../challenge.ts';
import { deliver, promote, withRoles } from '../delivery.ts';
import { dueOf } from '../due.ts';
import { effect, wasIntended } from '../effect.ts';
import { disableVersion, proveDead } from '../ending.ts';
import { ConsumersNotBack, StoreConflict } from '../errors.ts';
import { evidenceFor, witnessed } from '../evidence.ts';
import type { Write } from '../inventory.ts';
import { attribute, findVersion, listVersions, operationKey, putItem, versionItem } from '../items.ts';
import { moveKey, type Rotation } from '../key.ts';
import { noticeFor } from '../outbox.ts';
import { activateSecondsOf, overlapOf } from '../overlap.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { instant } from '../time.ts';
import type { Value } from '../value.ts';
import { isDead, type Version } from '../version.ts';

/**
 * Roll back (protocol.md §6): every destination holds the old version again, every consumer has proved that it is back, and only then the
 * new version is disabled and proven dead. The old one was never disabled, so nothing has to be enabled.
 * Throws ConsumersNotBack until all are back; nothing is disabled because somebody did not answer.
 */
export async function rollBack(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<Record<string, never>> {
  const attempt = await acquire(ports, payload, attemptId, 'rollback');
  if (attempt === 'done') return {};
  const { keyId, operation } = attempt;
  const old = operation.oldVersion ? await findVersion(ports, keyId, operation.oldVersion) : undefined;
  // What no destination was ever told to hold, nobody can use: there is nothing to point back.
  // (A rotation that took over from a reissue was delivered before it began.)
  const delivered = Boolean(attempt.key.rotation?.distributedAt) || (await wasIntended(attempt, 'destination.write'));
  if (old && delivered) {
    const since = attempt.key.rotation?.rollbackAt ?? (await restore(attempt, old));
    await requireConsumersBack(attempt, old, since);
  }
  const failed = await findVersion(ports, keyId, operation.newVersion);
  await close(attempt, failed && (await end(attempt, failed)));
  return {};
}

/** B2: the old version again everywhere, and told. Returns the instant from which a proof counts. */
async function restore(attempt: Attempt, old: Version): Promise<string> {
  const { ports, keyId, operation } = attempt;
  await deliver(attempt, old, await storedValue(attempt, old));
  const versions = await listVersions(ports, keyId);
  await promote(attempt, old, versions);
  const now = instant(ports.clock.now());
  const destinations = await placesOf(ports, attempt.key, old.number);
  const { minSeconds } = overlapOf(attempt.key.facts, ports.policy.tiers[attempt.key.tier], activateSecondsOf(attempt.key));
  const data = { action: 'refresh', version: old.number, destinations, reason: 'rolled back' } as const;
  await record(attempt, (key) => ({
    set: { current: old.number, currentMadeAt: old.createdAt, 'rotation.rollbackAt': now },
    writes: withRoles(versions, old.number, 0).map((version) => putItem(versionItem(keyId, version))),
    notices: challenges(ports, key, operation.id, { type: 'key.restored', severity: 'warning', data }),
    matters: [silence(key, operation.id, old.number, minSeconds)],
    events: [{ event: 'rotation.restored', detail: { operation: operation.id, version: old.number } }],
  }));
  return now;
}

async function storedValue({ ports, keyId }: Attempt, { number, token }: Version): Promise<Value> {
  const value = token ? await ports.secrets.read(keyId, token) : undefined;
  if (!value) throw new StoreConflict(`the secret store no longer holds version ${number} of ${keyId}`);
  return value;
}

/** B3. Who is not back may have been given something else since: then it is given the old version again. */
async function requireConsumersBack(attempt: Attempt, old: Version, since: string): Promise<void> {
  const leaving = await findVersion(attempt.ports, attempt.keyId, attempt.operation.newVersion);
  const { ports, key, operation } = attempt;
  const { missing, proved } = await evidenceFor(ports, key, old.number, leaving, since);
  const seen = witnessed(key, operation.id, old.number, proved);
  if (seen.writes.length) await record(attempt, () => seen);
  if (missing.length) {
    await deliver(attempt, old, await storedValue(attempt, old), 'what is there');
    throw new ConsumersNotBack(`not back on version ${old.number}: ${missing.join(', ')}`);
  }
  const now = instant(ports.clock.now());
  const late = proved.filter(({ settledAt }) => settledAt > now).map(({ consumer }) => consumer);
  if (late.length) throw new ConsumersNotBack(`not all of them back on version ${old.number} yet: ${late.join(', ')}`);
}

/** B4: the new version disabled, proven dead, and without a label. Returns what the close writes of it. */
async function end(attempt: Attempt, version: Version): Promise<Write[]> {
  const { ports, keyId } = attempt;
  if (isDead(version.state)) return [putItem(versionItem(keyId, version))];
  const disabling = version.state === 'disabling' ? version : await disableVersion(attempt, version);
  const { version: dead, certificate } = await proveDead(attempt, disabling);
  const { token } = dead;
  if (token) await effect(attempt, { name: 'secrets.strip', target: String(dead.number) }, () => ports.secrets.strip(keyId, token));
  return [putItem(versionItem(keyId, { ...dead, role: 'none' })), certificate];
}

async function close(attempt: Attempt, ended: readonly Write[] = []): Promise<void> {
  const { ports, keyId } = attempt;
  await record(attempt, (key) => {
    const rotation = key.rotation as Rotation;
    const now = instant(ports.clock.now());
    const cause = rotation.firstCause ?? 'unknown';
    return {
      set: {
        state: moveKey(key.state, rotation.oldVersion ? 'rolled-back' : 'first-issue-undone'),
        rotation: null,
        lastEndedAt: now,
        // Due again after the tier's tolerance at the earliest: under a new due date, so as a new operation.
        ...(rotation.oldVersion
          ? { nextDueAt: dueOf({ ...key, lastEndedAt: now }, ports.policy) }
          : { current: null, currentMadeAt: null }),
        dueBecause: 'interval',
        attention: { reason: 'RolledBack', message: `the rotation of ${now} was rolled back: ${cause}`, since: now },
      },
      writes: [
        putItem({
          ...operationKey(keyId, rotation.id),
          ...(attribute({ ...rotation, taskToken: null, outcome: 'rolled-back', endedAt: now }) as object),
        }),
        ...ended,
      ],
      notices: [
        noticeFor(ports, key, rotation.id, {
          type: 'key.rotation.failed',
          audience: '*',
          severity: 'warning',
          data: { ...(rotation.oldVersion ? { version: rotation.oldVersion } : {}), action: 'look', reason: cause },
        }),
      ],
      events: [{ event: 'rotation.rolled-back', detail: { operation: rotation.id, current: rotation.oldVersion, cause } }],
    };
  });
}
