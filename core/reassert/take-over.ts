import { type AuditEntry, firstBreak } from '../audit.ts';
import { ConditionFailed } from '../errors.ts';
import type { Condition, InventoryReader, Item, Write } from '../inventory.ts';
import { auditItem, keyOf, metaKey, partition, principalKey, putItem, versionItem } from '../items.ts';
import type { Ports } from '../ports.ts';
import type { Version } from '../version.ts';
import { joinVersions } from './join.ts';

/** Items of one transaction, with room for the key itself. */
const atOnce = 90;

/**
 * Brings into a copy what the table it was copied from still has of a key. Afterwards no version is further left than there, and where the
 * key's history there continues the one here, everything that happened since is here as well: entries, operation, notices. A history that
 * does not continue gives nothing but the states of versions. A key that is only there is taken whole. Again is harmless.
 */
export async function takeOver(ports: Ports, keyId: string, former: InventoryReader, round: string): Promise<'all' | 'states' | 'nothing'> {
  const theirs = await former.list(partition(keyId));
  const theirMeta = theirs.find(({ sk }) => sk === 'META');
  if (!theirMeta) return 'nothing';
  const mine = await ports.inventory.list(partition(keyId));
  const myMeta = mine.find(({ sk }) => sk === 'META');
  if (myMeta?.['takenOver'] === round) return 'all';
  await joinAll(ports, keyId, myMeta, mine, theirs);
  if (myMeta && !continues(myMeta, theirMeta, theirs)) return 'states';
  await fileEntries(ports, keyId, myMeta, theirs);
  const there = new Set(mine.map(({ sk }) => sk));
  await putAbsent(
    ports,
    theirs.filter(({ sk }) => !there.has(sk) && sk !== 'META' && !/^(VER|AUD)#/.test(sk)),
  );
  await putAbsent(ports, [await former.get(principalKey(keyOf(theirMeta).facts))]);
  const fence = Math.max(Number(myMeta?.['fence'] ?? 0), Number(theirMeta['fence']));
  const { reasserted: _reasserted, ...rest } = theirMeta;
  const head = theirMeta['audit'] as { readonly seq: number };
  const asFiled: Condition[] = myMeta ? [...unchanged(myMeta), { path: 'audit.seq', is: '=', value: head.seq }] : [{ item: 'absent' }];
  await ports.inventory.write([{ do: 'put', item: { ...(rest as Item), fence, takenOver: round }, when: asFiled }], 'toward dead');
  return 'all';
}

/** Nobody has revoked the key here since it was read. */
const unchanged = (meta: Item): Condition[] => [
  { path: 'fence', is: '=', value: Number(meta['fence']) },
  { path: 'pendingCount', is: '=', value: Number(meta['pendingCount']) },
];

/** Whether their chain holds, and ours is its beginning. A revocation that runs here is newer than anything there. */
function continues(myMeta: Item, theirMeta: Item, theirs: readonly Item[]): boolean {
  const mine = keyOf(myMeta);
  const their = keyOf(theirMeta);
  const entries = theirs.filter(({ sk }) => sk.startsWith('AUD#')).map(entryOf);
  const same = mine.audit.seq === 0 || entries[mine.audit.seq - 1]?.hash === mine.audit.hash;
  const asked = mine.revocation?.requests ?? [];
  const answered = asked.every((one) => their.revocation?.requests.some(({ requestId }) => requestId === one.requestId));
  return same && answered && firstBreak(entries, their.audit) === null;
}

function entryOf(item: Item): AuditEntry {
  const { pk: _pk, sk: _sk, ...entry } = item;
  return entry as unknown as AuditEntry;
}

async function joinAll(ports: Ports, keyId: string, meta: Item | undefined, mine: readonly Item[], theirs: readonly Item[]): Promise<void> {
  const joined = theirs
    .filter(({ sk }) => sk.startsWith('VER#'))
    .map((item) => {
      const own = mine.find(({ sk }) => sk === item.sk) as Version | undefined;
      return versionItem(keyId, own ? joinVersions(own, item as unknown as Version) : (item as unknown as Version));
    });
  for (const part of parts(joined)) {
    const guard: Write[] = meta ? [{ do: 'check', key: metaKey(keyId), when: unchanged(meta) }] : [];
    await ports.inventory.write([...guard, ...part.map(putItem)], 'toward dead');
  }
}

/** Their entries behind ours: the head moves with them, so that a revocation can always file its own behind it. */
async function fileEntries(ports: Ports, keyId: string, meta: Item | undefined, theirs: readonly Item[]): Promise<void> {
  const entries = theirs.filter(({ sk }) => sk.startsWith('AUD#'));
  if (!meta) return putAbsent(ports, entries);
  let { seq } = keyOf(meta).audit;
  for (const part of parts(entries.slice(seq).map(entryOf))) {
    const last = part[part.length - 1] as AuditEntry;
    await ports.inventory.write(
      [
        {
          do: 'update',
          key: metaKey(keyId),
          change: { set: { audit: { seq: last.seq, hash: last.hash } } },
          when: [...unchanged(meta), { path: 'audit.seq', is: '=', value: seq }],
        },
        ...part.map((entry): Write => ({ do: 'put', item: auditItem(keyId, entry), when: [{ item: 'absent' }] })),
      ],
      'toward dead',
    );
    seq = last.seq;
  }
}

/** Puts what is not there; what is there stays. */
async function putAbsent(ports: Ports, items: readonly (Item | undefined)[]): Promise<void> {
  for (const item of items) {
    if (!item) continue;
    await ports.inventory.write([{ do: 'put', item, when: [{ item: 'absent' }] }], 'toward dead').catch((error: Error) => {
      if (!(error instanceof ConditionFailed)) throw error;
    });
  }
}

function parts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / atOnce) }, (_, i) => all.slice(i * atOnce, (i + 1) * atOnce));
}
