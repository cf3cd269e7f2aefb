import { type Attempt, record } from '../attempt.ts';
import { attributionOf, orphansOf } from '../attribution.ts';
import { commit } from '../commit.ts';
import { deliveryItem, writeAndReadBack } from '../delivery.ts';
import { effect } from '../effect.ts';
import { ConditionFailed, Fenced, Superseded } from '../errors.ts';
import { listVersions, orphanKey, orphanPartition, putItem, uuidOf, versionItem } from '../items.ts';
import type { Key } from '../key.ts';
import type { Ports } from '../ports.ts';
import { reopen } from '../revoke/reopen.ts';
import { after, instant } from '../time.ts';
import { isDead, isEnding, moveVersion, type Version } from '../version.ts';
import { callPerson, report } from './call-person.ts';
import { ended } from './ended.ts';
import { followed, outlived } from './follow.ts';
import type { Findings, Repair } from './repair.ts';

/**
 * Repairs what may only be touched while no operation moves: orphans are disabled, then deleted; dead versions past their soak are deleted
 * and lose their labels; a dead version that somebody enabled again is disabled and reported; a destination that no longer holds the
 * current version gets it again. A key in observe mode is only reported. Returns what was done.
 */
export async function repairIdle(ports: Ports, key: Key): Promise<string[]> {
  const { id: keyId, account, params, mode } = key.facts;
  if (key.lastVersion === 0) return [];
  const provider = ports.provider(key.facts.provider);
  const listed = await provider.list({ keyId, account, params });
  const versions = await listVersions(ports, keyId);
  const isManaged = key.facts.managedBy !== undefined;
  // AWS makes credentials beside ours where it rotates the key.
  const strangers = isManaged
    ? 0
    : listed.filter((one) => one.enabled && attributionOf(provider, key, versions, one) === 'stranger').length;
  if (mode === 'observe') {
    await callPerson(ports, key, strangers, []);
    return [];
  }
  const findings: Findings = { ports, key, versions, listed, now: instant(ports.clock.now()) };
  const failed: string[] = [];
  const repairs: Repair[] = [];
  for (const plan of isManaged ? [...always, followed, outlived] : [...always, orphans, drifted])
    await plan(findings).then((planned) => repairs.push(...planned), alone(failed));
  const attempt = repairs.length ? await hold(ports, key) : null;
  const done: string[] = [];
  if (attempt) {
    for (const repair of repairs) await repair(attempt).then((what) => done.push(what), alone(failed));
    await record(attempt, () => ({ set: { repairingAt: null }, events: [] })).catch(alone(failed));
  }
  await callPerson(ports, attempt?.key ?? key, strangers, failed);
  return done;
}

/** What is repaired whoever rotates the key. */
const always: readonly ((findings: Findings) => Promise<Repair[]>)[] = [enabledAgain, ended, soaked, labelled];

/** What AWS made and ended is AWS's to clear away; what was revoked is ours. */
const isOurs = ({ facts }: Key, { compromised }: Version): boolean => facts.managedBy === undefined || compromised;

/** One repair's trouble is noted and does not keep the others from being made. */
function alone(failed: string[]): (error: Error) => void {
  return (error) => {
    // Somebody else has the key now: what is left is for the next look.
    if (!(error instanceof Fenced || error instanceof Superseded)) failed.push(error.name);
  };
}

/** Takes the key's fence, unless anything happened on the key since it was read; null then. */
async function hold(ports: Ports, key: Key): Promise<Attempt | null> {
  const { id: keyId, account, params } = key.facts;
  try {
    const held = await commit(ports, keyId, (fresh) => ({
      actor: 'reconciler',
      fence: key.fence,
      when: [{ path: 'state', is: '=', value: key.state }],
      // Whoever begins an operation waits until these repairs can no longer write.
      set: { fence: fresh.fence + 1, repairingAt: instant(ports.clock.now()) },
      events: [{ event: 'reconciler.acquired', detail: { fence: fresh.fence + 1 } }],
    }));
    const operation = {
      kind: 'rotate',
      id: `reconcile-${held.fence}`,
      startSeq: 0,
      step: 'done',
      oldVersion: 0,
      newVersion: 0,
      mint: 0,
    } as const;
    return {
      ports,
      keyId,
      step: 'reconcile',
      actor: 'reconciler',
      fence: held.fence,
      key: held,
      operation,
      subject: { keyId, account, params },
    };
  } catch (error) {
    if (error instanceof Fenced || error instanceof ConditionFailed) return null;
    throw error;
  }
}

/** Ours without a record: disabled on sight, deleted when nobody can still be about to record it. */
async function orphans({ ports, key, versions, listed, now }: Findings): Promise<Repair[]> {
  const keyId = key.facts.id;
  const known = new Map((await ports.inventory.list(orphanPartition(keyId))).map((item) => [item.sk, String(item['foundAt'])]));
  const provider = ports.provider(key.facts.provider);
  const ours = orphansOf(provider, key, versions, listed);
  const gone = [...known.keys()].filter((sk) => !ours.some(({ credentialId }) => orphanKey(keyId, credentialId).sk === sk));
  for (const sk of gone) await ports.inventory.write([{ do: 'delete', key: orphanKey(keyId, sk) }]);
  return ours.flatMap(({ credentialId, enabled }): Repair[] => {
    const orphan = orphanKey(keyId, credentialId);
    const foundAt = known.get(orphan.sk);
    const target = `credential:${credentialId}`;
    const detail = { credential: `…${credentialId.slice(-4)}` };
    if (enabled || !foundAt) {
      return [
        async (attempt) => {
          await effect(
            attempt,
            { name: 'provider.disable', target },
            () => provider.disable(attempt.subject, credentialId),
            () => ({ writes: [putItem({ ...orphan, foundAt: foundAt ?? now })], events: [{ event: 'orphan.disabled', detail }] }),
          );
          return 'orphan disabled';
        },
      ];
    }
    if (now < after(foundAt, ports.settings.orphanSeconds)) return [];
    return [
      async (attempt) => {
        await effect(
          attempt,
          { name: 'provider.delete', target },
          () => provider.delete(attempt.subject, credentialId),
          () => ({ events: [{ event: 'orphan.deleted', detail }] }),
        );
        // On its own: the permission to delete names this partition, and a transaction would bring others along. Lost, it is made when
        // the next look no longer finds the credential.
        await ports.inventory.write([{ do: 'delete', key: orphan }]);
        return 'orphan deleted';
      },
    ];
  });
}

/** Enabled again by somebody else: disabled again at once, and a person is told. */
async function enabledAgain({ ports, key, versions, listed, now }: Findings): Promise<Repair[]> {
  const provider = ports.provider(key.facts.provider);
  return versions.flatMap((version): Repair[] => {
    const { credentialId } = version;
    const enabled = listed.some((one) => one.credentialId === credentialId && one.enabled);
    if (!isEnding(version.state) || !credentialId || !enabled || !isOurs(key, version) || (version.endsAt && now < version.endsAt))
      return [];
    return [
      async (attempt) => {
        await effect(attempt, { name: 'provider.disable', target: `again:${version.number}` }, () =>
          provider.disable(attempt.subject, credentialId),
        );
        if (version.compromised) {
          const at = instant(ports.clock.now());
          await reopen(ports, attempt.keyId, version.number, { at, verdict: 'not tried', answer: '', listed: 'enabled', by: 'reconciler' });
        }
        await report(
          ports,
          attempt.key,
          'EnabledAgain',
          `version ${version.number} was enabled at the provider by somebody else; it was disabled again`,
        );
        return `version ${version.number} disabled again`;
      },
    ];
  });
}

/** T5: after its soak a dead version is deleted at the provider. */
async function soaked({ ports, key, versions, now }: Findings): Promise<Repair[]> {
  const soakSeconds = ports.policy.tiers[key.tier].soakSeconds;
  const provider = ports.provider(key.facts.provider);
  const over = versions.filter(
    (one) => one.state === 'disabled' && one.disabledAt && now >= after(one.disabledAt, soakSeconds) && isOurs(key, one),
  );
  return over.map(
    (version): Repair =>
      async (attempt) => {
        const destroyed: Version = { ...version, state: moveVersion(version.state, 'destroyed'), role: 'none', destroyedAt: now };
        const { credentialId } = version;
        await effect(
          attempt,
          { name: 'provider.delete', target: `version:${version.number}` },
          async () => (credentialId ? provider.delete(attempt.subject, credentialId) : 'gone'),
          () => ({
            writes: [putItem(versionItem(attempt.keyId, destroyed))],
            events: [{ event: 'version.destroyed', detail: { version: version.number, reason: 'soak over' } }],
          }),
        );
        return `version ${version.number} destroyed`;
      },
  );
}

/** AWSCURRENT names the current version. No label but AWSCURRENT's may stay on a version that is dead, and none at all on a value that never became a version. */
async function labelled({ ports, key, versions }: Findings): Promise<Repair[]> {
  const { AWSCURRENT: current, ...labels } = await ports.secrets.labels(key.facts.id);
  const named = [...new Set(Object.values(labels))].filter((token) => token !== current);
  const stale = named.filter((token) => {
    const version = versions.find((one) => one.token === token);
    return !version || isDead(version.state);
  });
  return [
    ...movedBack(ports, key, versions, current),
    ...stale.map(
      (token): Repair =>
        async (attempt) => {
          await effect(attempt, { name: 'secrets.strip', target: token }, () => ports.secrets.strip(attempt.keyId, token));
          return 'labels stripped';
        },
    ),
  ];
}

/** Somebody moved AWSCURRENT to another version of ours: back to the one in use. On anything else it is theirs, and the next operation says so. */
function movedBack(ports: Ports, key: Key, versions: readonly Version[], holder: string | undefined): Repair[] {
  const current = versions.find(({ number }) => number === key.current);
  const token = current?.token;
  if (key.state !== 'active' || !token || current.state !== 'live' || current.compromised) return [];
  if (!holder || holder === token || !versions.some((version) => version.token === holder)) return [];
  return [
    async (attempt) => {
      await effect(attempt, { name: 'secrets.promote', target: String(current.number) }, () =>
        ports.secrets.promote(attempt.keyId, token, holder),
      );
      return 'AWSCURRENT moved back';
    },
  ];
}

/** A destination that holds anything but the current version gets it again. */
async function drifted({ ports, key, versions, now }: Findings): Promise<Repair[]> {
  const version = versions.find(({ number }) => number === key.current);
  if (key.state !== 'active' || !version?.token || version.compromised) return [];
  const value = await ports.secrets.read(key.facts.id, version.token);
  if (!value) return [];
  const repairs: Repair[] = [];
  for (const spec of key.facts.destinations) {
    const held = await ports.destination(spec.kind).read(spec);
    if (held?.equals(value)) continue;
    repairs.push(async (attempt) => {
      await effect(
        attempt,
        { name: 'destination.write', target: `${spec.id}:${version.number}` },
        () => writeAndReadBack(ports, spec, value, uuidOf(attempt.operation.id, spec.id, version.number)),
        (secret) => ({
          writes: [deliveryItem(attempt, spec, version, now, secret)],
          events: [{ event: 'destination.restored', detail: { destination: spec.id, version: version.number } }],
        }),
      );
      return `destination ${spec.id} restored`;
    });
  }
  return repairs;
}
