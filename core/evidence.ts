import type { Commit } from './commit.ts';
import type { Write } from './inventory.ts';
import { adoptionKey, findVersion, putItem } from './items.ts';
import type { Key } from './key.ts';
import { quietSeconds, settleSeconds } from './overlap.ts';
import type { Ports } from './ports.ts';
import { after, instant, milliseconds } from './time.ts';
import type { Version } from './version.ts';

/** How a consumer was seen to use a version, for which operation, and since when. */
export interface Adoption {
  readonly kind: 'possession' | 'first-use' | 'override' | 'policy';
  readonly operationId: string;
  /** Its first use of the version, as far as anybody can tell. */
  readonly at: string;
  readonly by: string;
  /** The consumer said later that it fails with that version; empty: it did not. */
  readonly withdrawnAt?: string;
  /** The challenge that was answered. */
  readonly nonce?: string;
}

export interface Proof {
  readonly consumer: string;
  readonly kind: Adoption['kind'] | 'quiet';
  readonly at: string;
  /** From then on all of it has moved, not only the part that proved it: its overlap begins with its own first use. */
  readonly settledAt: string;
  /** Seen just now: on record only once somebody writes it down. */
  readonly fresh: boolean;
}

/** Which consumers have proved, since `since` and for this operation, that they use a version, and which have not. Unknown is not yes. */
export interface Evidence {
  readonly proved: readonly Proof[];
  readonly missing: readonly string[];
}

/**
 * Gathers the evidence that every consumer left `leaving` for `version`. A key without registered consumers is unmapped:
 * nobody can prove anything, so only its owner's decision (`*`) counts (POL-M1).
 */
export async function evidenceFor(ports: Ports, key: Key, version: number, leaving: Version | undefined, since: string): Promise<Evidence> {
  const proved: Proof[] = [];
  const missing: string[] = [];
  const vendor = vendorsWord(ports, key, version, leaving, since);
  for (const name of key.facts.consumers.length ? key.facts.consumers.map((one) => one.name) : ['*']) {
    const proof = await proofBy(ports, key, version, name, since, vendor);
    if (proof) proved.push(proof);
    else missing.push(name);
  }
  return { proved, missing };
}

/** The evidence that the open rotation waits for, and about which version: the new one, or in a rollback the old one. Null while it waits for none. */
export async function awaitedEvidence(ports: Ports, key: Key): Promise<(Evidence & { readonly version: number }) | null> {
  const { rotation } = key;
  const since = rotation?.rollbackAt ?? rotation?.distributedAt;
  if (!rotation || !since) return null;
  const back = key.state === 'rolling-back';
  const [version, from] = back ? [rotation.oldVersion, rotation.newVersion] : [rotation.newVersion, rotation.oldVersion];
  if (from === 0 || version === 0) return null;
  const leaving = await findVersion(ports, key.facts.id, from);
  return { ...(await evidenceFor(ports, key, version, leaving, since)), version };
}

async function proofBy(ports: Ports, key: Key, version: number, name: string, since: string, vendor: VendorsWord): Promise<Proof | null> {
  const consumer = key.facts.consumers.find((one) => one.name === name);
  const item = await ports.inventory.get(adoptionKey(key.facts.id, name, version, key.rotation?.id ?? ''));
  const adoption = item as unknown as Adoption | undefined;
  if (adoption && adoption.at >= since && !adoption.withdrawnAt) {
    const { kind, at } = adoption;
    // A person's word, and the policy's, are about all of it.
    const settledAt = consumer && (kind === 'possession' || kind === 'first-use') ? after(at, settleSeconds(consumer)) : at;
    return { consumer: name, kind, at, settledAt, fresh: false };
  }
  const now = instant(ports.clock.now());
  if (consumer?.proof === 'first-use' && (await vendor.firstUse()))
    return { consumer: name, kind: 'first-use', at: now, settledAt: after(now, settleSeconds(consumer)), fresh: true };
  if (consumer?.proof === 'quiet' && (await vendor.quietFor(quietSeconds(consumer, ports.policy.tiers[key.tier]))))
    return { consumer: name, kind: 'quiet', at: now, settledAt: now, fresh: false };
  return null;
}

/** What writes down what the vendor shows of a consumer's first use; nothing when it is on record already. */
export function witnessed(
  { facts }: Key,
  operationId: string,
  version: number,
  proved: readonly Proof[],
): Pick<Commit, 'events'> & { readonly writes: Write[] } {
  const fresh = proved.filter((proof) => proof.fresh);
  return {
    writes: fresh.map(({ consumer, kind, at }) =>
      putItem({
        ...adoptionKey(facts.id, consumer, version, operationId),
        kind,
        operationId,
        at,
        by: `provider:${facts.provider}`,
        withdrawnAt: '',
      }),
    ),
    events: fresh.map(({ consumer, kind }) => ({ event: 'use.seen', detail: { consumer, version, operation: operationId, proof: kind } })),
  };
}

interface VendorsWord {
  readonly quietFor: (seconds: number) => Promise<boolean>;
  readonly firstUse: () => Promise<boolean>;
}

/**
 * What the vendor's account of the last use shows, its accuracy taken into account; it is about a version and not about a consumer, and is
 * asked once however many wait for it. No answer, an answer that is too coarse, and "unknown" show nothing.
 */
function vendorsWord(ports: Ports, key: Key, version: number, leaving: Version | undefined, since: string): VendorsWord {
  const left = once(() => lastUse(ports, key, leaving));
  const holds = once(() => destinationsHold(ports, key, version));
  // How far off the instant can be: by the vendor's accuracy, and by the difference of two clocks.
  const blur = ({ accuracySeconds }: LastUse): number => (accuracySeconds + ports.settings.skewSeconds) * 1000;
  const taken = once(async () => lastUse(ports, key, await findVersion(ports, key.facts.id, version)));
  return {
    async quietFor(seconds) {
      const quietFrom = ports.clock.now() - seconds * 1000;
      if (milliseconds(since) > quietFrom) return false;
      const used = await left();
      const isQuiet = used && (used.at === 'never' || milliseconds(used.at) + blur(used) <= quietFrom);
      return Boolean(isQuiet) && (await holds());
    },
    async firstUse() {
      // We tried the new version ourselves before it was delivered, so only what is surely later counts; and only where the consumer is
      // the one user there can be.
      if (!isSoleUser(key)) return false;
      const used = await taken();
      return used !== null && used.at !== 'never' && milliseconds(used.at) - blur(used) > milliseconds(since);
    },
  };
}

/** Whether the key has one consumer, one place to read it and no other reader: only then is a use at the vendor that consumer's. */
export function isSoleUser({ facts: { consumers, readers, destinations } }: Pick<Key, 'facts'>): boolean {
  return consumers.length === 1 && readers.length === 0 && destinations.length === 1;
}

interface LastUse {
  readonly at: string;
  readonly accuracySeconds: number;
}

/** When the vendor says that a version was last used, or null when nobody can tell. */
export async function lastUse(ports: Ports, { facts }: Pick<Key, 'facts'>, version: Version | undefined): Promise<LastUse | null> {
  if (!version?.credentialId) return null;
  const { id: keyId, account, params } = facts;
  try {
    return (await ports.provider(facts.provider).lastUsed?.({ keyId, account, params }, version.credentialId)) ?? null;
  } catch {
    return null;
  }
}

/** Whether every destination holds a version now, as read back. What cannot be read does not. */
async function destinationsHold(ports: Ports, key: Key, number: number): Promise<boolean> {
  const version = await findVersion(ports, key.facts.id, number);
  try {
    const value = version?.token ? await ports.secrets.read(key.facts.id, version.token) : undefined;
    if (!value) return false;
    // One after the other: what fails leaves nothing under way.
    for (const spec of key.facts.destinations) if (!(await ports.destination(spec.kind).read(spec))?.equals(value)) return false;
    return true;
  } catch {
    return false;
  }
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
