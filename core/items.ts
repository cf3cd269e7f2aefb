import { createHash } from 'node:crypto';
import type { AuditEntry } from './audit.ts';
import { Refused } from './errors.ts';
import { type Attribute, type Change, type IndexName, type Item, type ItemKey, shardCount, slotOf, type Write } from './inventory.ts';
import type { Key, KeyFacts, Revocation } from './key.ts';
import type { Notice } from './notice.ts';
import type { Page } from './page.ts';
import type { Ports } from './ports.ts';
import type { Version } from './version.ts';

/**
 * Which items a key has, and under which names (protocol.md §4).
 *
 *   KEY#<id>   META            the key: facts, state, fence, operation records, audit head
 *              VER#<n>         a version
 *              EFF#<op>#…      an effect: intended, then done or failed
 *              CERT#<n>        the death certificate of version n
 *              DEST#<id>#<n>   version n was written to a destination and read back
 *              ADOPT#<c>#<n>#… consumer c proved, to an operation, that it uses version n
 *              NOTE#<op>#<c>#<notice>  what became of a notice to consumer c, and the challenge in it
 *              OP#<id>         an operation that ended
 *              AUD#<seq>       an entry of the audit chain
 *   OUT#<id>   <time>#<notice> a notice of the key, until it was sent
 *   ORPHAN#<id> <credential>   a credential of the key's principal without a record
 *   PRINCIPAL#<hash>       the keys that use one principal, and whether one of them has it alone
 *   FP#<mac>   FP              which key and version a fingerprint belongs to
 *   REVIEW#<id> REVIEW         a review; the key it is about has a pointer to it, REVIEW#<id>
 *   INSTALLATION META          what is true of no key alone: the policy that runs, a pause; and its journal, HEAD and AUD#<seq>
 *   DRILLS     CANARY#…, RUN#… the canaries of each provider, and what their drills showed
 *   EXCEPTIONS#<hash> EXCEPTIONS  the exceptions that the keys of one owner have, to be counted
 *   SEALS      META            how far the journals were sealed
 *   CRED#<provider>#<id> CRED  which key and version a vendor's credential belongs to
 *   UNMANAGED#<provider>       the journal of credentials that no key has: HEAD, and AUD#<seq> in a chain
 *   ESC#<id>   ESC             an escalation: what waits for people, and who was told
 *   TO#<level>/<name>   TO     when somebody was told last
 *   OUT#@people <time>#<page>  a page, until it was sent
 *
 * Only notices, pages and orphans are ever deleted. They have partitions of their own because a permission can name partitions
 * and nothing smaller: so no function may delete anything else (infra/rights.ts).
 */
export const partition = (keyId: string): string => `KEY#${keyId}`;
export const metaKey = (keyId: string): ItemKey => ({ pk: partition(keyId), sk: 'META' });
export const versionKey = (keyId: string, number: number): ItemKey => ({ pk: partition(keyId), sk: `VER#${padded(number)}` });
export const certificateKey = (keyId: string, number: number): ItemKey => ({ pk: partition(keyId), sk: `CERT#${padded(number)}` });
export const destinationKey = (keyId: string, destinationId: string, number: number): ItemKey => ({
  pk: partition(keyId),
  sk: `DEST#${destinationId}#${padded(number)}`,
});
export const adoptionKey = (keyId: string, consumer: string, number: number, operationId: string): ItemKey => ({
  pk: partition(keyId),
  sk: `ADOPT#${consumer}#${padded(number)}#${operationId}`,
});
export const operationKey = (keyId: string, operationId: string): ItemKey => ({ pk: partition(keyId), sk: `OP#${operationId}` });
export const outboxPartition = (keyId: string): string => `OUT#${keyId}`;
export const orphanPartition = (keyId: string): string => `ORPHAN#${keyId}`;
export const orphanKey = (keyId: string, credentialId: string): ItemKey => ({ pk: orphanPartition(keyId), sk: credentialId });
export const outboxKey = ({ keyId, time, id }: Notice): ItemKey => ({ pk: outboxPartition(keyId), sk: `${time}#${id}` });
export const reviewPartition = (reviewId: string): string => `REVIEW#${reviewId}`;
export const reviewKey = (reviewId: string): ItemKey => ({ pk: reviewPartition(reviewId), sk: 'REVIEW' });
export const reviewPointer = (keyId: string, reviewId: string): ItemKey => ({ pk: partition(keyId), sk: `REVIEW#${reviewId}` });
export const sealsKey: ItemKey = { pk: 'SEALS', sk: 'META' };
export const installationKey: ItemKey = { pk: 'INSTALLATION', sk: 'META' };
export const pagePartition = outboxPartition('@people');
export const pageItem = (page: Page): Item => ({ pk: pagePartition, sk: `${page.time}#${page.id}`, page: attribute(page) });
export const escalationKey = (id: string): ItemKey => ({ pk: `ESC#${id}`, sk: 'ESC' });
export const recipientKey = (level: string, to: string): ItemKey => ({ pk: `TO#${level}/${to}`, sk: 'TO' });
export const fingerprintKey = (mac: string): ItemKey => ({ pk: `FP#${mac}`, sk: 'FP' });
export const credentialKey = (provider: string, credentialId: string): ItemKey => ({ pk: `CRED#${provider}#${credentialId}`, sk: 'CRED' });

const padded = (number: number): string => String(number).padStart(8, '0');

/** Where the keys that use a principal are listed: by provider, account and parameters. */
export const principalKey = ({ provider, account, params }: KeyFacts): ItemKey => ({
  pk: `PRINCIPAL#${uuidOf(provider, account, JSON.stringify(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))))}`,
  sk: 'PRINCIPAL',
});

/** Where the exceptions of an owner's keys are counted. */
export const exceptionsKey = (owner: string): ItemKey => ({ pk: `EXCEPTIONS#${uuidOf(owner)}`, sk: 'EXCEPTIONS' });

/** Anything JSON-shaped as an attribute; undefined members are dropped. */
export function attribute(value: unknown): Attribute {
  return JSON.parse(JSON.stringify(value)) as Attribute;
}

/** The key as its META item holds it now, or undefined. */
export async function findKey(ports: Ports, keyId: string): Promise<Key | undefined> {
  const item = await ports.inventory.get(metaKey(keyId));
  return item && keyOf(item);
}

/** The key. Throws Refused E_NOT_FOUND. */
export async function getKey(ports: Ports, keyId: string): Promise<Key> {
  const key = await findKey(ports, keyId);
  if (!key) throw new Refused('E_NOT_FOUND', `there is no key ${keyId}`);
  return key;
}

/** The key that a META item holds. */
export function keyOf(item: Item): Key {
  const { pk: _pk, sk: _sk, ...rest } = item;
  const key = rest as unknown as Key & { revocation: Partial<Revocation> };
  return { ...key, revocation: key.revocation.id ? (key.revocation as Revocation) : null };
}

/** The META item of a new key. `revocation` is an empty map so that the revoke fence can set paths in it unconditionally. */
export function newKeyItem(key: Key): Item {
  return { ...metaKey(key.facts.id), ...(attribute({ ...key, revocation: {} }) as object) };
}

/** The item of a version; putting it replaces what was recorded of that version. */
export function versionItem(keyId: string, version: Version): Item {
  return { ...versionKey(keyId, version.number), ...(attribute(version) as object) };
}

/** All versions of a key, oldest first. */
export async function listVersions(ports: Ports, keyId: string): Promise<Version[]> {
  return (await ports.inventory.list(partition(keyId), 'VER#')).map((item) => item as unknown as Version);
}

/** One version of a key as it is recorded now, or undefined. */
export async function findVersion(ports: Ports, keyId: string, number: number): Promise<Version | undefined> {
  return (await ports.inventory.get(versionKey(keyId, number))) as Version | undefined;
}

/** The item of one entry of a key's audit chain. */
export function auditItem(keyId: string, entry: AuditEntry): Item {
  return { pk: partition(keyId), sk: `AUD#${String(entry.seq).padStart(10, '0')}`, ...(attribute(entry) as object) };
}

/** The item of a notice that is committed and not yet sent. */
export function outboxItem(notice: Notice): Item {
  return { ...outboxKey(notice), notice: attribute(notice) };
}

/** Which index rows an item has: of a key, the reconciler looks at it from `look` on, and it is due from `due` on while it is idle. */
export function indexChange(id: string, rows: Readonly<Partial<Record<IndexName, string | null>>>): Change {
  const set: Record<string, Attribute> = {};
  const remove: string[] = [];
  for (const [index, at] of Object.entries(rows)) {
    const { partitionKey, sortKey } = slotOf(index as IndexName);
    if (at) {
      set[partitionKey] = `${index}#${shardOf(id)}`;
      set[sortKey] = `${at}#${id}`;
    } else remove.push(partitionKey, sortKey);
  }
  return { set, remove };
}

/** What an item holds beside its key and its row in an index. */
export function withoutRow(item: Item, index: IndexName): Readonly<Record<string, Attribute>> {
  const { partitionKey, sortKey } = slotOf(index);
  const names = new Set(['pk', 'sk', partitionKey, sortKey]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => !names.has(name)));
}

/** Where a vendor's id of a credential leads back to its key and version. */
export function credentialItem(provider: string, credentialId: string, keyId: string, version: number): Item {
  return { ...credentialKey(provider, credentialId), keyId, version };
}

/** A write that puts an item, whatever was there. */
export const putItem = (item: Item): Write => ({ do: 'put', item });

/** A stable number in [0, buckets) from an id: spreads index rows and due dates. */
export function spread(id: string, buckets: number): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0) % buckets;
}

/** Which partition of an index the row of an id is in. */
export const shardOf = (id: string): number => spread(id, shardCount);

/** A UUID (version 8) made of names: the same names always give the same one. Secret store tokens and destination markers. */
export function uuidOf(...names: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(names.join('|')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The id of an operation: its kind and a hash of what caused it, so that the same cause always names the same operation. */
export function operationIdOf(kind: 'rotate' | 'revoke', keyId: string, trigger: string): string {
  return `${kind}-${hashed(`${keyId}|${kind}|${trigger}`, 26)}`;
}

/** The first letters, at most 32, of a text's SHA-256 in base 32. */
export function hashed(text: string, letters: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const bytes = createHash('sha256').update(text).digest();
  return Array.from({ length: letters }, (_, i) => alphabet[(bytes[i] as number) & 31]).join('');
}
