import { Refused } from '../errors.ts';
import type { Item, ItemKey } from '../inventory.ts';
import type { LeakSource } from '../leak-sources.ts';
import type { Ports } from '../ports.ts';

/** Which keys an incident is about; every part that is given must hold. `leaked`: the versions that a list of strings named. */
export interface BulkSelector {
  readonly owner?: string;
  readonly provider?: string;
  /** A consumer: every key that this service uses. */
  readonly service?: string;
  /** Every version that was made before an instant, whatever is thought of its use. */
  readonly issuedBefore?: string;
  readonly leaked?: readonly BulkKey[];
}

/** One key of a bulk revocation, and which of its versions. */
export interface BulkKey {
  readonly keyId: string;
  readonly scope: 'all' | readonly number[];
}

/**
 * `disabling`: each key is fenced and its provider told, one after the other; no reissue begins. `proving`: the revocations run, at the
 * provider's pace. `done`: every key is proven dead, or stands under `late`.
 */
export type BulkPhase = 'disabling' | 'proving' | 'done';

/** An incident that concerns many keys. Its keys lie in chunks beside it; each key has a revocation of its own, under one request id. */
export interface Bulk {
  readonly id: string;
  readonly phase: BulkPhase;
  /** The selector in words. */
  readonly what: string;
  readonly reason: string;
  readonly source: LeakSource;
  readonly actor: string;
  readonly requestId: string;
  readonly reportedAt: string;
  readonly startedAt: string;
  readonly total: number;
  /** How many keys were fenced and disabled, how many executions were started, and how many keys were seen contained: each in the keys' order. */
  readonly disabled: number;
  readonly started: number;
  readonly proven: number;
  /** Keys whose provider had not answered the first disable, and keys that were not contained within the target: both are still worked on. */
  readonly failed: readonly string[];
  readonly late: readonly string[];
  readonly disabledAt: string | null;
  readonly endedAt: string | null;
  /** Calls that may still be made at each provider, as of an instant. */
  readonly budgets: Readonly<Record<string, { readonly at: string; readonly calls: number }>>;
  /** Who advances it now, until when; so that two do not do the same work. */
  readonly leaseUntil: string;
  readonly revision: number;
}

/** The partition of all bulk revocations, and that of one with its chunks. */
const bulksPartition = 'BULKS';
/** The journal of bulk revocations. */
export const bulkJournal = `${bulksPartition}#LOG`;
export const bulkKey = (id: string): ItemKey => ({ pk: bulksPartition, sk: id });
const chunkPartition = (id: string): string => `BULK#${id}`;

/** Keys in one item. */
export const chunkSize = 200;

/** Most ids that a record names; the count says the rest. */
export const mostNamed = 200;

/** The items that hold the keys of a bulk revocation. */
export function chunkItems(id: string, keys: readonly BulkKey[]): Item[] {
  return Array.from({ length: Math.ceil(keys.length / chunkSize) }, (_, i) => ({
    pk: chunkPartition(id),
    sk: `CHUNK#${String(i).padStart(6, '0')}`,
    keys: keys
      .slice(i * chunkSize, (i + 1) * chunkSize)
      .map(({ keyId, scope }) => ({ keyId, scope: scope === 'all' ? 'all' : [...scope] })),
  }));
}

/** The keys from one place on, at most to the end of their chunk. */
export async function keysFrom(ports: Ports, id: string, index: number): Promise<BulkKey[]> {
  const [chunk, from] = [Math.floor(index / chunkSize), index % chunkSize];
  const item = await ports.inventory.get({ pk: chunkPartition(id), sk: `CHUNK#${String(chunk).padStart(6, '0')}` });
  return ((item?.['keys'] ?? []) as unknown as BulkKey[]).slice(from);
}

/** A bulk revocation as it is on record now. Throws Refused E_NOT_FOUND. */
export async function getBulk(ports: Ports, id: string): Promise<Bulk> {
  const item = await ports.inventory.get(bulkKey(id));
  if (!item) throw new Refused('E_NOT_FOUND', `there is no bulk revocation ${id}`);
  return bulkOf(item);
}

/** Every bulk revocation, the oldest first. */
export async function listBulks(ports: Ports): Promise<Bulk[]> {
  const bulks = (await ports.inventory.list(bulksPartition)).map(bulkOf);
  return bulks.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

function bulkOf(item: Item): Bulk {
  const { pk: _pk, sk: _sk, ...bulk } = item;
  return bulk as unknown as Bulk;
}

/** The request by which each key of a bulk revocation is revoked: the same for all, so that no key is begun twice. */
export const bulkRequestId = (id: string): string => `bulk-${id}`;
