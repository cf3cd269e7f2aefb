import type { Attempt } from './attempt.ts';
import { effect } from './effect.ts';
import { DestinationRefused, StoreConflict, Unfinished } from './errors.ts';
import type { Write } from './inventory.ts';
import { destinationKey, partition, putItem, uuidOf, versionItem } from './items.ts';
import type { DestinationSpec, Key } from './key.ts';
import { tokenOf } from './operation.ts';
import type { Ports, SecretVersion } from './ports.ts';
import { instant } from './time.ts';
import type { Value } from './value.ts';
import { moveVersion, type Version } from './version.ts';

/**
 * Writes a version to every destination that this operation has not yet written it to, and reads each back. Afterwards all of them
 * hold it; a partial delivery goes on with the missing ones. Where the records are not to be trusted, what somebody else wrote since is
 * written over as well. Throws Unfinished when more are left than one attempt may write,
 * DestinationRefused (another environment, or it reads back something else), DestinationUnavailable.
 */
export async function deliver(
  attempt: Attempt,
  version: Version,
  value: Value,
  trust: 'records' | 'what is there' = 'records',
): Promise<Version> {
  const { ports, key, keyId } = attempt;
  // AWS wrote it there. What it may have put there since is followed when the key is idle.
  if (key.facts.managedBy) return version;
  let delivered = version;
  let written = 0;
  for (const spec of key.facts.destinations) {
    if ((await wasGiven(attempt, spec, version)) && (trust === 'records' || (await holdsNow(ports, spec, value)))) continue;
    if (written >= ports.settings.destinationsPerAttempt) throw new Unfinished(`${written} destinations written, more to go`);
    if (spec.environment !== key.facts.environment)
      throw new DestinationRefused(`destination ${spec.id} is ${spec.environment}, the key is ${key.facts.environment}`);
    const now = instant(ports.clock.now());
    // From the first write on a program may hold the version: it is live, whatever becomes of the write.
    const live: Version =
      delivered.state === 'issued' ? { ...delivered, state: moveVersion(delivered.state, 'live'), liveAt: now } : delivered;
    await effect(
      attempt,
      {
        name: 'destination.write',
        target: `${spec.id}:${version.number}`,
        intent: { writes: [putItem(versionItem(keyId, live))], ...(isFirstIssue(attempt) ? { set: { 'rotation.ponr': true } } : {}) },
      },
      () => writeAndReadBack(ports, spec, value, uuidOf(attempt.operation.id, spec.id, version.number)),
      (secret) => ({
        writes: [deliveryItem(attempt, spec, version, instant(ports.clock.now()), secret)],
      }),
    );
    delivered = live;
    written += 1;
  }
  return delivered;
}

/** A first issue has nothing to go back to: once a program may hold its version, the only way is forward. */
const isFirstIssue = ({ operation }: Attempt): boolean => operation.kind === 'rotate' && operation.oldVersion === 0;

/** The record that a destination was written with a version, and where exactly it is there. */
export function deliveryItem(
  { keyId, operation }: Pick<Attempt, 'keyId' | 'operation'>,
  { id }: DestinationSpec,
  { number }: Version,
  at: string,
  secret: SecretVersion | undefined,
): Write {
  return putItem({ ...destinationKey(keyId, id, number), operationId: operation.id, at, ...(secret ? { secret: { ...secret } } : {}) });
}

/** Writes a value to a destination and proves that it holds exactly that. Returns where exactly it is, for kinds that keep every version. */
export async function writeAndReadBack(
  ports: Ports,
  spec: DestinationSpec,
  value: Value,
  marker: string,
): Promise<SecretVersion | undefined> {
  const destination = ports.destination(spec.kind);
  await destination.write(spec, value, marker);
  const held = await destination.read(spec);
  if (!held?.equals(value)) throw new DestinationRefused(`destination ${spec.id} reads back something else than was written`);
  return destination.locate?.(spec, marker);
}

/**
 * Moves the secret store's AWSCURRENT to a version by compare-and-swap, last of all, unless it is there already. It must be on one of the
 * key's own versions, or on a value that this operation minted and gave up: on anything else somebody put it there, and that is a StoreConflict.
 */
export async function promote(attempt: Attempt, to: Version, versions: readonly Version[]): Promise<void> {
  const { ports, keyId, operation } = attempt;
  const token = to.token as string;
  const { AWSCURRENT: holder = null } = await ports.secrets.labels(keyId);
  if (holder === token) return;
  const mints = Array.from({ length: operation.mint }, (_, i) => tokenOf(operation, i + 1));
  if (holder && !versions.some((version) => version.token === holder) && !mints.includes(holder))
    throw new StoreConflict(`AWSCURRENT of ${keyId} names a version that is not ours`);
  await effect(attempt, { name: 'secrets.promote', target: String(to.number) }, () => ports.secrets.promote(keyId, token, holder));
}

/** The versions whose role changes when `current` is the one to use now and `previous` the one before. Undelivered versions stay pending. */
export function withRoles(versions: readonly Version[], current: number, previous: number): Version[] {
  return versions.flatMap((version) => {
    const rest = version.role === 'pending' ? 'pending' : 'none';
    const role = version.number === current ? 'current' : version.number === previous ? 'previous' : rest;
    return role === version.role ? [] : [{ ...version, role }];
  });
}

/** Whether every destination of the key was written with this version, by any operation. */
export async function isDelivered(ports: Ports, key: Key, version: number): Promise<boolean> {
  const items = await ports.inventory.list(partition(key.facts.id), 'DEST#');
  const written = new Set(items.map((item) => item.sk));
  return key.facts.destinations.every((spec) => written.has(destinationKey(key.facts.id, spec.id, version).sk));
}

async function holdsNow(ports: Ports, spec: DestinationSpec, value: Value): Promise<boolean> {
  return (await ports.destination(spec.kind).read(spec))?.equals(value) ?? false;
}

async function wasGiven(attempt: Attempt, spec: DestinationSpec, version: Version): Promise<boolean> {
  const item = await attempt.ports.inventory.get(destinationKey(attempt.keyId, spec.id, version.number));
  return item?.['operationId'] === attempt.operation.id;
}
