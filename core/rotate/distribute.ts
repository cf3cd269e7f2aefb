import { acquire, record } from '../attempt.ts';
import { challenges, placesOf, silence } from '../challenge.ts';
import { deliver, promote, withRoles } from '../delivery.ts';
import { StoreConflict } from '../errors.ts';
import { findVersion, getKey, listVersions, putItem, versionItem } from '../items.ts';
import { recordPath } from '../operation.ts';
import { activateSecondsOf, overlapOf } from '../overlap.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { after, instant } from '../time.ts';
import type { Version } from '../version.ts';

/**
 * Distribute (protocol.md §6): every destination holds the new version and read back as such; then the secret store's AWSCURRENT
 * moves to it; then each consumer is told, with a challenge to prove its move. Starts the overlap. Returns its earliest end.
 */
export async function distribute(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<{ overlapUntil: string }> {
  const attempt = await acquire(ports, payload, attemptId, 'distribute');
  if (attempt === 'done') return result(ports, payload);
  const { keyId, key, operation } = attempt;
  const version = (await findVersion(ports, keyId, operation.newVersion)) as Version;
  const value = version.token ? await attempt.ports.secrets.read(keyId, version.token) : undefined;
  if (!value) throw new StoreConflict(`the secret store no longer holds version ${version.number} of ${keyId}`);
  await deliver(attempt, version, value);
  const versions = await listVersions(ports, keyId);
  await promote(attempt, version, versions);

  const now = instant(ports.clock.now());
  const overlap = overlapOf(key.facts, ports.policy.tiers[key.tier], activateSecondsOf(key));
  const path = recordPath(operation);
  const rotates = operation.kind === 'rotate';
  const overlapUntil = rotates && operation.oldVersion ? after(now, overlap.minSeconds) : now;
  const overlapCapAt = after(now, overlap.maxSeconds);
  const destinations = await placesOf(ports, key, operation.newVersion);
  const data = { action: 'refresh', version: operation.newVersion, destinations } as const;
  const previous = rotates && operation.oldVersion ? { previousValidUntil: overlapUntil } : {};
  await record(attempt, (fresh) => ({
    set: {
      current: operation.newVersion,
      currentMadeAt: version.createdAt,
      [`${path}.step`]: rotates ? 'confirm' : 'verify',
      [`${path}.distributedAt`]: now,
      ...(rotates ? { 'rotation.overlapUntil': overlapUntil, 'rotation.overlapCapAt': overlapCapAt } : {}),
    },
    writes: withRoles(versions, operation.newVersion, operation.oldVersion).map((v) => putItem(versionItem(keyId, v))),
    notices: rotates
      ? challenges(ports, fresh, operation.id, { type: 'key.issued', severity: 'info', data: { ...data, ...previous } })
      : challenges(ports, fresh, operation.id, { type: 'key.reissued', severity: 'warning', data }),
    // A first version replaces nothing: whoever is silent about it keeps nothing alive.
    matters:
      rotates && !operation.oldVersion
        ? []
        : [silence(fresh, operation.id, operation.newVersion, overlap.minSeconds, rotates ? overlapCapAt : null)],
    events: [
      { event: 'version.distributed', detail: { operation: operation.id, version: operation.newVersion, overlap: overlap.because } },
    ],
  }));
  return { overlapUntil };
}

async function result(ports: Ports, payload: ExecutionPayload): Promise<{ overlapUntil: string }> {
  const key = await getKey(ports, payload.keyId);
  return { overlapUntil: key.rotation?.overlapUntil ?? instant(ports.clock.now()) };
}
