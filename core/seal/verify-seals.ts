import { createHash, createPublicKey, verify as verifyBytes } from 'node:crypto';
import { rootBy, rootOf } from './merkle.ts';
import { noSeal, type SealedHead, type SignedSeal, sealHash } from './seal.ts';

/** Something that is not as it was written, and where. `seq` is the entry of the chain, or the number of the seal. */
export interface Tampering {
  readonly chain: string;
  readonly seq: number;
  readonly kind: 'edited' | 'deleted' | 'inserted' | 'reordered' | 'truncated' | 'rewritten' | 'unsealed' | 'seal';
  readonly message: string;
}

/** What the seals prove: the ends of chains at the times of their sealing, the latest last. */
export interface SealedHeads {
  readonly of: ReadonlyMap<string, readonly SealedHead[]>;
  readonly seals: number;
  readonly last: { readonly number: number; readonly at: string; readonly hash: string } | null;
  readonly problems: readonly Tampering[];
  /** Of every seal, by which an earlier run can be compared. */
  readonly hashes: ReadonlySet<string>;
}

/**
 * Checks the seals in their order: that each is signed with the key that belongs to the public key, covers its content, and follows from the one
 * before. What a seal that does not hold says, proves nothing and is left out. Without a key nothing was ever sealed.
 */
export async function verifySeals(texts: AsyncIterable<string> | Iterable<string>, publicKeyPem: string): Promise<SealedHeads> {
  if (publicKeyPem === '') return { of: new Map(), seals: 0, last: null, problems: [], hashes: new Set() };
  const key = createPublicKey(publicKeyPem);
  const signer = signerOf(publicKeyPem);
  const of = new Map<string, SealedHead[]>();
  const problems: Tampering[] = [];
  const hashes = new Set<string>();
  let previous = noSeal;
  let number = 0;
  let last: SealedHeads['last'] = null;
  for await (const text of texts) {
    number += 1;
    const one = parse(text);
    const wrong = one ? faultOf(one, { number, previous, signer }, key) : 'is no seal';
    if (wrong) problems.push({ chain: 'SEALS', seq: number, kind: 'seal', message: `seal ${number} ${wrong}` });
    if (!one) continue;
    previous = one.hash;
    hashes.add(one.hash);
    last = { number: one.seal.number, at: one.seal.at, hash: one.hash };
    if (wrong) continue;
    for (const head of headsOf(one)) of.set(head.chain, [...(of.get(head.chain) ?? []), head]);
  }
  return { of, seals: number, last, problems, hashes };
}

/** The name of the key that signs: the SHA-256 of its public half. Throws for a text that is no public key. */
export function signerOf(publicKeyPem: string): string {
  const der = createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex');
}

function faultOf(
  one: SignedSeal,
  expected: { readonly number: number; readonly previous: string; readonly signer: string },
  key: ReturnType<typeof createPublicKey>,
): string | null {
  const { seal, hash, signer, algorithm, signature } = one;
  if (!isCovered(one)) return 'was edited: what it lists is not what was signed';
  if (sealHash(seal) !== hash) return 'was edited: its hash is another one';
  if (signer !== expected.signer) return 'is signed by another key';
  const digest = algorithm === 'Ed25519' ? null : 'sha256';
  if (!verifyBytes(digest, Buffer.from(hash), key, Buffer.from(signature, 'base64'))) return 'is not signed by this key';
  if (seal.number !== expected.number) return `has the number ${seal.number}: one is missing or was put in between`;
  return seal.previous === expected.previous ? null : 'does not follow from the one before';
}

/** Every head that it lists leads to the root that was signed. */
function isCovered({ seal, heads, some = [] }: Pick<SignedSeal, 'seal' | 'heads' | 'some'>): boolean {
  if (heads) return heads.length === seal.count && rootOf(heads) === seal.root;
  return some.every(({ head, path }) => rootBy(head, path) === seal.root);
}

const headsOf = ({ heads, some = [] }: SignedSeal): readonly SealedHead[] => heads ?? some.map(({ head }) => head);

function parse(text: string): SignedSeal | null {
  try {
    const one = JSON.parse(text) as SignedSeal;
    return typeof one.hash === 'string' && typeof one.seal?.root === 'string' ? one : null;
  } catch {
    return null;
  }
}
