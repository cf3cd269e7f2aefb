import { lastDrillAt } from './drills/last.ts';
import { Refused } from './errors.ts';
import { adoptionKey, getKey, listVersions } from './items.ts';
import type { Key, RevokeRequest } from './key.ts';
import { overlapOf } from './overlap.ts';
import type { Ports } from './ports.ts';
import { inScope } from './revoke/scope.ts';
import { refusalToRotate } from './rotate/begin.ts';
import { isDead } from './version.ts';

/** What an operation would do, and what stands in its way. Nothing was changed to find out. */
export interface Plan {
  readonly keyId: string;
  readonly would: readonly string[];
  readonly blockedBy: readonly string[];
  readonly consumers: readonly string[];
  readonly overlapSeconds: number;
  /** Of a revocation: what the last drill at this provider showed, as a sentence. */
  readonly lastDrill?: string;
}

/** What a rotation would do now. Throws Refused E_NOT_FOUND. */
export async function planRotation(ports: Ports, keyId: string): Promise<Plan> {
  const key = await getKey(ports, keyId);
  const { activateSeconds } = ports.provider(key.facts.provider).traits;
  const overlap = overlapOf(key.facts, ports.policy.tiers[key.tier], activateSeconds);
  const refusal = refusalToRotate(ports, key);
  const consumers = key.facts.consumers.map(({ name }) => name);
  return {
    keyId,
    would: [
      `issue version ${key.lastVersion + 1} at ${key.facts.provider}`,
      ...key.facts.destinations.map(({ id, kind }) => `write it to ${id} (${kind}) and read it back`),
      ...(key.current
        ? [
            `keep version ${key.current} and version ${key.lastVersion + 1} alive for at least ${overlap.minSeconds} s`,
            consumers.length ? `wait until ${consumers.join(', ')} proved the move` : 'wait for its owner: no consumer is registered',
            `disable version ${key.current} and see it refused`,
          ]
        : []),
    ],
    blockedBy: refusal ? [`${refusal.code}: ${refusal.message}`] : [],
    consumers,
    overlapSeconds: overlap.minSeconds,
  };
}

/** What a revocation would do now; nothing ever blocks one. Throws Refused E_NOT_FOUND. */
export async function planRevocation(
  ports: Ports,
  request: { readonly keyId: string; readonly scope: RevokeRequest['scope'] },
): Promise<Plan> {
  const key = await getKey(ports, request.keyId);
  const versions = inScope(await listVersions(ports, request.keyId), [request.scope]);
  if (request.scope !== 'all' && versions.length < request.scope.length)
    throw new Refused('E_NOT_FOUND', `${request.keyId} does not have all of these versions`);
  const alive = versions.filter(({ state }) => !isDead(state));
  return {
    keyId: request.keyId,
    would: [
      ...alive.map(
        ({ number, role }) =>
          `disable version ${number}${role === 'none' ? '' : ` (${role})`} at ${key.facts.provider}; it cannot come back`,
      ),
      ...(alive.length
        ? ['tell everyone who uses it', 'see it refused', `then issue version ${key.lastVersion + 1}, unless held`]
        : ['nothing: every version in scope is dead']),
      ...(key.rotation ? [`end ${key.rotation.id}, which is at ${key.rotation.step}`] : []),
    ],
    blockedBy: [],
    consumers: await whoBreaks(ports, key, new Set(alive.map(({ number }) => number))),
    overlapSeconds: 0,
    lastDrill: await lastDrillAt(ports, key.facts.provider),
  };
}

/**
 * The consumers that stop working when versions end (POL-R3). During an overlap those that proved their move use the new version; of the
 * others nobody knows which one they use, so they may break by either.
 */
async function whoBreaks(ports: Ports, key: Key, ending: ReadonlySet<number>): Promise<string[]> {
  const { rotation, current } = key;
  const [old, next] = rotation?.distributedAt ? [rotation.oldVersion, rotation.newVersion] : [current ?? 0, current ?? 0];
  const broken = await Promise.all(
    key.facts.consumers.map(async ({ name, owner }) => {
      const moved = old === next || (await ports.inventory.get(adoptionKey(key.facts.id, name, next, rotation?.id ?? ''))) !== undefined;
      const may = moved ? [next] : [old, next];
      const hit = may.filter((version) => ending.has(version));
      return hit.length === 0 ? [] : [`${name} (${owner})${hit.length < may.length ? ', perhaps' : ''}`];
    }),
  );
  return broken.flat();
}
