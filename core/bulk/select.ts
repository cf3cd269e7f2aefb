import { lastDrillAt } from '../drills/last.ts';
import { findKey, listVersions } from '../items.ts';
import type { Key } from '../key.ts';
import type { Ports } from '../ports.ts';
import { findLeaked } from '../revoke/find.ts';
import { Value } from '../value.ts';
import { isDead, type Version } from '../version.ts';
import type { BulkKey, BulkSelector } from './bulk.ts';

/** What a bulk revocation would do, before anybody says yes. */
export interface BulkPreview {
  readonly what: string;
  readonly count: number;
  readonly versions: number;
  readonly byProvider: Readonly<Record<string, number>>;
  readonly byOwner: Readonly<Record<string, number>>;
  readonly byTier: Readonly<Record<string, number>>;
  /** Services that use at least one of these keys. */
  readonly consumers: readonly string[];
  /** The first of them, by id. */
  readonly sample: readonly string[];
  /** What the last drill at each of the providers showed. */
  readonly drills: readonly string[];
}

/** How many keys are read side by side. */
const atOnce = 25;

/** The keys that a selector means now, by id, with the versions that would end. A key without a version that lives is left out. */
export async function selectKeys(ports: Ports, selector: BulkSelector): Promise<{ readonly key: Key; readonly take: BulkKey }[]> {
  const named = selector.leaked && new Map(selector.leaked.map(({ keyId, scope }) => [keyId, scope]));
  const ids: string[] = named ? [...named.keys()] : [];
  if (!named) for await (const { keyId } of ports.inventory.hints('keys')) ids.push(keyId);
  const found = await side(ids.sort(), async (keyId) => {
    const key = await findKey(ports, keyId);
    if (!key || !matches(key, selector)) return [];
    const alive = (await listVersions(ports, keyId)).filter(({ state }) => !isDead(state));
    const scope = scopeOf(alive, selector, named?.get(keyId));
    return scope === null ? [] : [{ key, take: { keyId, scope } }];
  });
  return found.flat();
}

function matches({ facts }: Key, { owner, provider, service }: BulkSelector): boolean {
  return (
    (owner === undefined || facts.owner === owner) &&
    (provider === undefined || facts.provider === provider) &&
    (service === undefined || facts.consumers.some(({ name }) => name === service))
  );
}

/** Which versions: all that live, those that were named, or those made before an instant. Null: none of them lives. */
function scopeOf(alive: readonly Version[], { issuedBefore }: BulkSelector, named: BulkKey['scope'] | undefined): BulkKey['scope'] | null {
  const meant = alive
    .filter(({ number }) => named === undefined || named === 'all' || named.includes(number))
    .filter(({ createdAt }) => issuedBefore === undefined || createdAt < issuedBefore);
  if (meant.length === 0) return null;
  return meant.length === alive.length && named === undefined && issuedBefore === undefined ? 'all' : meant.map(({ number }) => number);
}

/** A selector in words. */
export function wordsOf({ owner, provider, service, issuedBefore, leaked }: BulkSelector): string {
  const parts = [
    owner && `owned by ${owner}`,
    provider && `at ${provider}`,
    service && `used by ${service}`,
    issuedBefore && `with versions issued before ${issuedBefore}`,
    leaked && `named by a list of leaked strings`,
  ];
  return `keys ${parts.filter(Boolean).join(' and ') || 'of everybody'}`;
}

/** What a selector means now. Nothing is changed to find out. */
export async function previewBulk(ports: Ports, selector: BulkSelector): Promise<BulkPreview> {
  const selected = await selectKeys(ports, selector);
  const count = (name: (key: Key) => string) => {
    const counts: Record<string, number> = {};
    for (const { key } of selected) counts[name(key)] = (counts[name(key)] ?? 0) + 1;
    return counts;
  };
  const byProvider = count(({ facts }) => facts.provider);
  return {
    what: wordsOf(selector),
    count: selected.length,
    versions: selected.reduce((sum, { take }) => sum + (take.scope === 'all' ? 1 : take.scope.length), 0),
    byProvider,
    byOwner: count(({ facts }) => facts.owner),
    byTier: count(({ tier }) => tier),
    consumers: [...new Set(selected.flatMap(({ key }) => key.facts.consumers.map(({ name }) => name)))].sort(),
    sample: selected.slice(0, 20).map(({ take }) => take.keyId),
    drills: await Promise.all(Object.keys(byProvider).map((provider) => lastDrillAt(ports, provider))),
  };
}

/** Which versions a list of strings are the values of, and how many of the strings nobody knows. They are kept nowhere. */
export async function findMany(
  ports: Ports,
  leaked: readonly string[],
): Promise<{ readonly keys: readonly BulkKey[]; readonly unknown: number }> {
  const matches = await side(leaked, (text) => findLeaked(ports, new Value(text)));
  const byKey = new Map<string, Set<number>>();
  for (const match of matches) if (match) byKey.set(match.keyId, (byKey.get(match.keyId) ?? new Set()).add(match.version));
  return {
    keys: [...byKey].map(([keyId, versions]) => ({ keyId, scope: [...versions].sort((a, b) => a - b) })),
    unknown: matches.filter((match) => !match).length,
  };
}

/** Some at a time, in order. */
async function side<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < all.length; i += atOnce) results.push(...(await Promise.all(all.slice(i, i + atOnce).map(work))));
  return results;
}
