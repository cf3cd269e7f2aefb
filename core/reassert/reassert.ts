import { commit } from '../commit.ts';
import { withRoles } from '../delivery.ts';
import { ConditionFailed, Fenced } from '../errors.ts';
import {
  credentialItem,
  destinationKey,
  fingerprintKey,
  getKey,
  listVersions,
  metaKey,
  orphanKey,
  putItem,
  versionItem,
} from '../items.ts';
import type { Key } from '../key.ts';
import type { Ports } from '../ports.ts';
import { revoke } from '../revoke/begin.ts';
import { instant } from '../time.ts';
import { isDead, isEnding, type Version } from '../version.ts';
import { askProvider } from './ask-provider.ts';
import { type Found, findCurrent } from './find-current.ts';
import { joinKnown, type KnownVersion } from './join.ts';
import { roundOf } from './open.ts';
import { fateOf } from './open-operation.ts';
import { takeOver } from './take-over.ts';

export interface Reassertion {
  readonly keyId: string;
  /** The table that the copy was made from, while it can be read. */
  readonly from?: string;
  /** What is known of versions from elsewhere: an export of the history. */
  readonly known?: readonly KnownVersion[];
  /** The provider cannot be asked: the key is only observed from now on. */
  readonly observe?: boolean;
}

export interface Reasserted {
  readonly keyId: string;
  /** `again`: a death is not proven yet, ask again after `againSeconds`. `doubtful`: done, and the key is only observed until a person decides. */
  readonly outcome: 'done' | 'done before' | 'again' | 'doubtful';
  readonly againSeconds: number;
  readonly versions: readonly { readonly number: number; readonly state: string; readonly compromised: boolean }[];
  readonly taken: 'all' | 'states' | 'nothing';
  readonly doubts: readonly string[];
}

/** How far a re-asserted key's fence and execution numbers are put beyond everything that an attempt of before can hold. */
const farBeyond = 1_000_000;

/**
 * Re-asserts one key of a restored table: what was ended since the backup is ended here again, and whatever an attempt of that time still
 * holds is worthless. States only join to the right; what leaked and is not proven dead is revoked. Again is harmless, and an interrupted
 * one goes on. Throws Refused E_NOTHING_TO_DO (no restored table), E_NOT_FOUND; ProviderUnavailable, DestinationUnavailable.
 */
export async function reassertKey(ports: Ports, request: Reassertion, actor: string): Promise<Reasserted> {
  const { keyId, from } = request;
  const round = await roundOf(ports);
  const before = await ports.inventory.get(metaKey(keyId));
  if (before?.['reasserted'] === round) return answer(keyId, 'done before', await listVersions(ports, keyId));
  try {
    const taken = from ? await takeOver(ports, keyId, ports.inventory.former(from), round) : 'nothing';
    const key = await getKey(ports, keyId);
    const now = instant(ports.clock.now());
    const known = joinKnown(await listVersions(ports, keyId), request.known ?? [], now);
    const asked = request.observe ? { versions: known, listed: [], againSeconds: null } : await askProvider(ports, key, known);
    if (asked.againSeconds !== null) {
      await put(ports, key, asked.versions, actor);
      return { ...answer(keyId, 'again', asked.versions), againSeconds: asked.againSeconds, taken };
    }
    const found = request.observe ? blind(key, asked.versions) : await findCurrent(ports, key, asked.versions, asked.listed);
    // Facts that the search brought up (a leak of a version that just got its record back) join once more.
    const facts: Found = { ...found, versions: joinKnown(found.versions, request.known ?? [], now) };
    const doubts = [
      ...facts.doubts,
      ...(await settle(ports, key, facts, taken === 'all', round, actor, before?.['reasserting'] === round)),
    ];
    await index(ports, key, facts.versions);
    await endLeaked(ports, key, facts.versions, round, actor);
    await commit(ports, keyId, () => ({ actor, permit: 'toward dead', set: { reasserted: round, reasserting: null }, events: [] }));
    return { ...answer(keyId, doubts.length ? 'doubtful' : 'done', await listVersions(ports, keyId)), taken, doubts };
  } catch (error) {
    // Somebody revoked the key in between: once more, with what is true now.
    if (error instanceof Fenced || error instanceof ConditionFailed) return answer(keyId, 'again', []);
    throw error;
  }
}

function answer(keyId: string, outcome: Reasserted['outcome'], versions: readonly Version[]): Reasserted {
  const shown = versions.map(({ number, state, compromised }) => ({ number, state, compromised }));
  return { keyId, outcome, againSeconds: 0, versions: shown, taken: 'nothing', doubts: [] };
}

const blind = (key: Key, versions: readonly Version[]): Found => ({
  versions,
  current: key.current,
  recovered: null,
  holding: [],
  orphans: [],
  doubts: ['the provider was not asked'],
});

/** Half-way: deaths seen so far, with the probes counted. */
async function put(ports: Ports, key: Key, versions: readonly Version[], actor: string): Promise<void> {
  const writes = versions.map((version) => putItem(versionItem(key.facts.id, version)));
  const seen = versions.filter(({ state }) => isEnding(state)).map(({ number }) => number);
  const events = [{ event: 'inventory.compared', detail: { ending: seen.join(' ') } }];
  await commit(ports, key.facts.id, () => ({ actor, permit: 'toward dead', fence: key.fence, writes, events }));
}

/** One transaction: versions, the one in use, orphans for the reconciler, the operation's fate, a fence beyond every old attempt. Returns further doubts. */
async function settle(
  ports: Ports,
  key: Key,
  found: Found,
  complete: boolean,
  round: string,
  actor: string,
  again: boolean,
): Promise<readonly string[]> {
  const keyId = key.facts.id;
  const now = instant(ports.clock.now());
  const { writes, set, doubts, open } = fateOf(ports, key, found.versions, found.current, complete);
  const all = [...found.doubts, ...doubts];
  const moved = open ? [] : withRoles(found.versions, found.current ?? 0, 0);
  const versions = found.versions.map((version) => moved.find(({ number }) => number === version.number) ?? version);
  const shown = versions.map(({ number, state, compromised }) => `${number}:${state}${compromised ? ':compromised' : ''}`);
  await commit(ports, keyId, (fresh) => ({
    actor,
    permit: 'toward dead',
    fence: key.fence,
    set: {
      ...set,
      fence: fresh.fence + farBeyond,
      current: found.current,
      currentMadeAt: versions.find(({ number }) => number === found.current)?.createdAt ?? null,
      lastVersion: Math.max(fresh.lastVersion, ...versions.map(({ number }) => number)),
      // An attempt from before may still be under way: nothing begins on the key until it cannot be.
      repairingAt: now,
      reasserting: round,
      ...(all.length ? { 'facts.mode': 'observe', attention: { reason: 'RestoredInDoubt', message: all.join('; '), since: now } } : {}),
    },
    writes: [
      ...versions.map((version) => putItem(versionItem(keyId, version))),
      ...(all.length ? [] : found.orphans.map(({ credentialId }) => putItem({ ...orphanKey(keyId, credentialId), foundAt: now }))),
      ...(found.recovered === null
        ? []
        : found.holding.map((id) => putItem({ ...destinationKey(keyId, id, found.recovered ?? 0), operationId: 'reassert', at: now }))),
      ...writes,
    ],
    events: [
      {
        // Interrupted behind this, it is done again, and the history says once that it was.
        event: again ? 'inventory.compared' : 'inventory.reasserted',
        detail: {
          versions: shown.join(' '),
          current: found.current ?? 'none',
          recovered: found.recovered ?? 'none',
          orphans: found.orphans.length,
          fence: fresh.fence + farBeyond,
          doubts: all.join('; ') || 'none',
        },
      },
    ],
  }));
  return doubts;
}

/** A leaked string, and a vendor's id, find their key again. */
async function index(ports: Ports, { facts: { id: keyId, provider } }: Key, versions: readonly Version[]): Promise<void> {
  for (const { number, fingerprints, credentialId } of versions) {
    const items = [
      ...fingerprints.map((mac) => ({ ...fingerprintKey(mac), keyId, version: number })),
      ...(credentialId ? [credentialItem(provider, credentialId, keyId, number)] : []),
    ];
    for (const item of items) {
      if (await ports.inventory.get(item)) continue;
      await ports.inventory.write([{ do: 'put', item, when: [{ item: 'absent' }] }], 'toward dead').catch((error: Error) => {
        if (!(error instanceof ConditionFailed)) throw error;
      });
    }
  }
}

/** What leaked and is not proven dead is revoked as at any other time: disabled, proven, told, and reissued when a responder says so. */
async function endLeaked(ports: Ports, key: Key, versions: readonly Version[], round: string, actor: string): Promise<void> {
  const scope = versions.filter(({ compromised, state }) => compromised && !isDead(state)).map(({ number }) => number);
  if (key.revocation || scope.length === 0) return;
  const order = { keyId: key.facts.id, scope, reason: 'known to have leaked when the table was restored', source: 'unknown' } as const;
  await revoke(ports, { ...order, requestId: `reassert:${round}` }, actor);
}
