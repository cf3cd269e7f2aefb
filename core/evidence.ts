import { adoptionKey, findVersion } from './items.ts';
import type { Consumer, Key } from './key.ts';
import type { Ports } from './ports.ts';
import { milliseconds } from './time.ts';
import type { Version } from './version.ts';

/** How a consumer was seen to use a version, by which operation's challenge, and when. */
export interface Adoption {
  readonly kind: 'possession' | 'quiet' | 'override';
  readonly operationId: string;
  readonly at: string;
  readonly by: string;
}

/** Which consumers have proved, since `since` and for this operation, that they use a version, and which have not. Unknown is not yes. */
export interface Evidence {
  readonly proved: readonly { readonly consumer: string; readonly kind: Adoption['kind'] }[];
  readonly missing: readonly string[];
}

/**
 * Gathers the evidence that every consumer left `leaving` for `version`. A key without registered consumers is unmapped:
 * nobody can prove anything, so only its owner's decision (`*`) counts (POL-M1).
 */
export async function evidenceFor(ports: Ports, key: Key, version: number, leaving: Version | undefined, since: string): Promise<Evidence> {
  const names = key.facts.consumers.length ? key.facts.consumers : [owner];
  const proved: { consumer: string; kind: Adoption['kind'] }[] = [];
  const missing: string[] = [];
  // The vendor's answer is about the version and not about a consumer: it is asked once, however many wait for it.
  let quiet: Promise<boolean> | undefined;
  const isQuietNow = () => {
    quiet ??= isQuiet(ports, key, leaving, since);
    return quiet;
  };
  for (const consumer of names) {
    const adoption = (await ports.inventory.get(adoptionKey(key.facts.id, consumer.name, version, key.rotation?.id ?? ''))) as unknown as
      | Adoption
      | undefined;
    const fresh = adoption && adoption.at >= since;
    if (fresh) proved.push({ consumer: consumer.name, kind: adoption.kind });
    else if (consumer.proof === 'quiet' && (await isQuietNow())) proved.push({ consumer: consumer.name, kind: 'quiet' });
    else missing.push(consumer.name);
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

const owner: Pick<Consumer, 'name' | 'proof'> = { name: '*', proof: 'possession' };

/** Whether the vendor says that a version was not used for the tier's quiet time, its accuracy taken into account. Unknown is no. */
async function isQuiet(ports: Ports, key: Key, version: Version | undefined, since: string): Promise<boolean> {
  const { quietSeconds } = ports.policy.tiers[key.tier];
  const quietFrom = ports.clock.now() - quietSeconds * 1000;
  if (!version?.credentialId || milliseconds(since) > quietFrom) return false;
  const { id: keyId, account, params } = key.facts;
  try {
    const used = await ports.provider(key.facts.provider).lastUsed?.({ keyId, account, params }, version.credentialId);
    if (!used) return false;
    return used.at === 'never' || milliseconds(used.at) + used.accuracySeconds * 1000 <= quietFrom;
  } catch {
    return false;
  }
}
