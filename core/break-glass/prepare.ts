import { createHash, createPublicKey } from 'node:crypto';
import { Refused } from '../errors.ts';
import type { ItemKey } from '../inventory.ts';
import { findKey, listVersions } from '../items.ts';
import { writeJournal } from '../journal.ts';
import type { Tier } from '../key.ts';
import type { Ports } from '../ports.ts';
import { instant } from '../time.ts';
import { isDead } from '../version.ts';

/** What a responder needs of a key to end it without Rekey: ids, never a value and never a fingerprint. */
export interface BreakGlassKey {
  readonly keyId: string;
  readonly owner: string;
  readonly tier: Tier;
  readonly provider: string;
  readonly account: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The principal belongs to Rekey alone: every credential of it counts as the key's. */
  readonly exclusive: boolean;
  readonly consumers: readonly string[];
  readonly contacts: readonly string[];
  /** Versions that are not proven dead, with the vendor's ids. */
  readonly versions: readonly { readonly number: number; readonly credentialId: string; readonly role: string }[];
}

export interface BreakGlassPage {
  readonly stage: string;
  readonly madeAt: string;
  readonly keys: readonly BreakGlassKey[];
  /** Ask again with this as `after`; null when this was the last page. */
  readonly next: string | null;
}

/** Keys of one page: their records fit into one answer. */
const pageSize = 200;

/** The journal of what was prepared and imported. */
export const breakGlassJournal = 'BREAKGLASS';
export const signerKey = (id: string): ItemKey => ({ pk: breakGlassJournal, sk: `SIGNER#${id}` });

/** The index of ids that a responder keeps for the day on which nothing answers but the provider: the keys behind `after`, by id. */
export async function breakGlassIndex(ports: Ports, { after }: { readonly after?: string | undefined }): Promise<BreakGlassPage> {
  const ids: string[] = [];
  for await (const { keyId } of ports.inventory.hints('keys')) if (after === undefined || keyId > after) ids.push(keyId);
  const page = ids.sort().slice(0, pageSize);
  const keys = await Promise.all(page.map((keyId) => entryOf(ports, keyId)));
  return {
    stage: ports.settings.stage,
    madeAt: instant(ports.clock.now()),
    keys: keys.filter((key) => key !== undefined),
    next: ids.length > pageSize ? (page.at(-1) ?? null) : null,
  };
}

async function entryOf(ports: Ports, keyId: string): Promise<BreakGlassKey | undefined> {
  const key = await findKey(ports, keyId);
  if (!key || key.state === 'retired') return undefined;
  const { owner, provider, account, params, exclusive, consumers, incident } = key.facts;
  return {
    keyId,
    owner,
    tier: key.tier,
    provider,
    account,
    params,
    exclusive,
    consumers: consumers.map(({ name, contact }) => `${name} (${contact})`),
    contacts: incident.contacts,
    versions: (await listVersions(ports, keyId)).flatMap(({ number, credentialId, role, state }) =>
      credentialId && !isDead(state) ? [{ number, credentialId, role }] : [],
    ),
  };
}

/**
 * Takes the public half (PEM, Ed25519) of the key that a responder signs with when nothing answers; afterwards what it signs can be imported.
 * Returns its id. The same key again changes nothing. Throws Refused E_INPUT_INVALID.
 */
export async function registerSigner(
  ports: Ports,
  { publicKey }: { readonly publicKey: string },
  actor: string,
): Promise<{ readonly signer: string }> {
  const signer = signerOf(publicKey);
  if (await ports.inventory.get(signerKey(signer))) return { signer };
  const item = { ...signerKey(signer), publicKey, actor, at: instant(ports.clock.now()) };
  await writeJournal(ports, breakGlassJournal, [{ actor, event: 'break-glass.prepared', detail: { signer } }], [{ do: 'put', item }]);
  return { signer };
}

/** The id of a public key: the SHA-256 of its DER form. Throws Refused E_INPUT_INVALID for anything but an Ed25519 public key in PEM. */
function signerOf(publicKey: string): string {
  try {
    const key = createPublicKey(publicKey);
    if (key.asymmetricKeyType === 'ed25519')
      return createHash('sha256')
        .update(key.export({ type: 'spki', format: 'der' }))
        .digest('hex');
  } catch {
    // The parser's own message may quote what it was given.
  }
  throw new Refused('E_INPUT_INVALID', 'this is no Ed25519 public key in PEM', [{ path: 'publicKey', message: 'is not usable' }]);
}
