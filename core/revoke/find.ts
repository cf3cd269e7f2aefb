import type { Consumer } from '../consumer.ts';
import type { Item } from '../inventory.ts';
import { credentialKey, findKey, findVersion, fingerprintKey } from '../items.ts';
import type { Key, Tier } from '../key.ts';
import { looksLike as compare, type LooksLike, type Rule } from '../leak-shapes.ts';
import { planRevocation } from '../plan.ts';
import type { Ports, Subject } from '../ports.ts';
import { keysOfPrincipal } from '../principal.ts';
import { Value } from '../value.ts';

/** Which key and version a leaked string belongs to. */
export interface Match {
  readonly keyId: string;
  readonly version: number;
  readonly state: string;
  readonly role: string;
  /** `credential id`: the string only names the credential; whether its value leaked too is not known. */
  readonly by: 'fingerprint' | 'credential id';
}

/** Everything that a responder has to know of a match before they say yes. */
export interface FoundLeak extends Match {
  readonly owner: string;
  readonly tier: Tier;
  readonly environment: string;
  readonly provider: string;
  readonly contacts: readonly string[];
  readonly keyState: string;
  readonly consumers: readonly Pick<Consumer, 'name' | 'owner' | 'contact'>[];
  /** Other keys on the same principal at the provider: whoever holds it may reach them. */
  readonly siblings: readonly string[];
  /** What a revocation would do now, in words, and who would break. */
  readonly would: readonly string[];
  readonly breaks: readonly string[];
  /** What the last drill at this provider showed. */
  readonly lastDrill: string;
}

/** What can be said of a string that belongs to no version on record. */
export interface Stranger {
  /** Providers whose values look like it. */
  readonly looksLike: LooksLike;
  /** The vendor's id that it carries, where it does. */
  readonly credentialId: string | null;
  /** Those of the likely providers that end it by the string alone. */
  readonly byValue: readonly string[];
}

export interface Search {
  readonly match: FoundLeak | null;
  readonly stranger: Stranger | null;
  /** What could not be asked, by the name of its error: then "no match" proves little. */
  readonly unasked: readonly string[];
}

/** Asks, and names what cannot be asked instead of failing by it. */
type Soft = <T>(what: string, ask: () => Promise<T>) => Promise<T | undefined>;

/** A pasted line may hold more than the value: at most so many parts of it are looked up. */
const maxParts = 12;

/**
 * Finds a leaked string: by keyed fingerprint, which is one read; then by the vendor's id that it is or carries; then by whose values look
 * like it. Tried as it is, then in parts, as a line of a log or a settings file has them. The string is neither stored nor logged. What
 * cannot be asked right now is named in the answer and stops nothing.
 */
export async function searchLeaked(ports: Ports, pasted: string): Promise<Search> {
  const unasked = new Set<string>();
  const soft: Soft = async (what, ask) => {
    try {
      return await ask();
    } catch (error) {
      unasked.add(`${what}: ${(error as Error).name}`);
      return undefined;
    }
  };
  const parts = partsOf(pasted);
  for (const part of parts) {
    const match = await soft('fingerprints', () => findLeaked(ports, new Value(part)));
    if (match) return { match: await described(ports, match, soft), stranger: null, unasked: [...unasked] };
  }
  for (const part of parts) {
    const match = await soft('credential ids', () => findNamed(ports, part));
    if (match) return { match: await described(ports, match, soft), stranger: null, unasked: [...unasked] };
  }
  return { match: null, stranger: strangerOf(ports, pasted, parts), unasked: [...unasked] };
}

/** The key and version that a string is the value of, or undefined: by keyed fingerprint, one read. The string is neither stored nor logged. */
export async function findLeaked(ports: Ports, leaked: Value): Promise<Match | undefined> {
  return matchOf(ports, await ports.inventory.get(fingerprintKey(await ports.fingerprint(leaked))), 'fingerprint');
}

/** The key and version of a vendor's credential id, or undefined. */
export async function findCredential(ports: Ports, provider: string, credentialId: string): Promise<Match | undefined> {
  return matchOf(ports, await ports.inventory.get(credentialKey(provider, credentialId)), 'credential id');
}

/** When the provider last saw a version used, with its accuracy; `unknown` when it does not tell. Throws ProviderUnavailable, ProviderRefused. */
export async function lastUse(
  ports: Ports,
  request: { readonly keyId: string; readonly version: number },
): Promise<{ readonly at: string; readonly accuracySeconds: number }> {
  const key = await findKey(ports, request.keyId);
  const version = await findVersion(ports, request.keyId, request.version);
  const unknown = { at: 'unknown', accuracySeconds: 0 };
  if (!key || !version?.credentialId) return unknown;
  return (await ports.provider(key.facts.provider).lastUsed?.(subjectOf(key), version.credentialId)) ?? unknown;
}

async function findNamed(ports: Ports, part: string): Promise<Match | undefined> {
  for (const name of ports.providers()) {
    const ids = [carriedId(ports, name, part), isId(part) ? part : undefined].filter((id) => id !== undefined);
    for (const id of new Set(ids)) {
      const match = await findCredential(ports, name, id);
      if (match) return match;
    }
  }
  return undefined;
}

/** A vendor's id may stand in a partition's name: short, and without spaces. */
const isId = (text: string): boolean => text.length <= 256 && /^[\x21-\x7e]+$/.test(text);

function strangerOf(ports: Ports, pasted: string, parts: readonly string[]): Stranger {
  const carried = parts.flatMap((part) => ports.providers().flatMap((name) => carriedId(ports, name, part) ?? []));
  const looksLike = vendorsLike(ports, pasted);
  const byValue = looksLike.surely.filter((name) => ports.provider(name).endByValue);
  return { looksLike, credentialId: carried[0] ?? null, byValue };
}

/** The providers whose values a text looks like; with the rule of a scanner that found it, where one did. */
export function vendorsLike(ports: Ports, text: string, rule?: Rule): LooksLike {
  return compare(
    text,
    ports.providers().map((name) => ports.provider(name)),
    rule,
  );
}

const carriedId = (ports: Ports, provider: string, part: string): string | undefined =>
  ports.provider(provider).credentialIdOf?.(new Value(part));

async function matchOf(ports: Ports, item: Item | undefined, by: Match['by']): Promise<Match | undefined> {
  if (!item) return undefined;
  const keyId = String(item['keyId']);
  const number = Number(item['version']);
  const version = await findVersion(ports, keyId, number);
  return { keyId, version: number, state: version?.state ?? 'unknown', role: version?.role ?? 'none', by };
}

/** What is shown beside a match stops nothing either: the match itself is known. */
async function described(ports: Ports, match: Match, soft: Soft): Promise<FoundLeak | null> {
  const key = await findKey(ports, match.keyId);
  if (!key) return null;
  const { owner, environment, provider, consumers, incident } = key.facts;
  const plan = await soft('what will break', () => planRevocation(ports, { keyId: match.keyId, scope: [match.version] }));
  const { would, consumers: breaks, lastDrill = 'unknown' } = plan ?? { would: ['what it would do cannot be said now'], consumers: [] };
  const siblings = await soft('keys of the same principal', () => keysOfPrincipal(ports, key.facts));
  return {
    ...match,
    owner,
    tier: key.tier,
    environment,
    provider,
    contacts: incident.contacts,
    keyState: key.state,
    consumers: consumers.map(({ name, owner: of, contact }) => ({ name, owner: of, contact })),
    siblings: (siblings ?? []).filter((id) => id !== match.keyId),
    would,
    breaks,
    lastDrill,
  };
}

const subjectOf = ({ facts: { id: keyId, account, params } }: Key): Subject => ({ keyId, account, params });

function partsOf(pasted: string): string[] {
  const parts = pasted.split(/[\s"'`=,;:<>(){}[\]]+/).filter((part) => part.length >= 8);
  return [...new Set([pasted, pasted.trim(), ...parts])].slice(0, maxParts);
}
