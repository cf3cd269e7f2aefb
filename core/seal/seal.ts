import { createHash } from 'node:crypto';
import { canonical } from '../canonical.ts';
import type { Attribute } from '../inventory.ts';
import { type Path, pathTo } from './merkle.ts';

/** Where a chain ended when it was sealed. `chain` is its partition. */
export interface SealedHead {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
}

/** What is signed: the root over the heads of every chain that grew since the seal before (core/seal/merkle.ts), and the hash of that one. */
export interface Seal {
  /** Counted from 1, without a gap. */
  readonly number: number;
  readonly at: string;
  readonly stage: string;
  readonly previous: string;
  readonly root: string;
  readonly count: number;
}

export interface Signature {
  /** SHA-256 of the public key (DER), in hex. */
  readonly signer: string;
  readonly algorithm: 'Ed25519' | 'ECDSA_SHA_256';
  /** Base64. */
  readonly signature: string;
}

/** A seal as it is kept. `hash` covers the seal, and the signature covers `hash`. */
export interface SignedSeal extends Signature {
  readonly seal: Seal;
  readonly hash: string;
  /** All of its heads, in the order of the tree; or else only some, each with its path to the root. */
  readonly heads?: readonly SealedHead[];
  readonly some?: readonly { readonly head: SealedHead; readonly path: Path }[];
}

/** What the first seal has in place of the one before. */
export const noSeal = '0'.repeat(64);

/** The hash of a seal's content, in hex. */
export function sealHash(seal: Seal): string {
  return createHash('sha256')
    .update(canonical(seal as unknown as Attribute))
    .digest('hex');
}

/** A seal as somebody gets it who may see only some of its chains: it proves the same of them, and names no other. */
export function sealFor(text: string, chains: ReadonlySet<string>): string {
  const { heads = [], ...sealed } = JSON.parse(text) as SignedSeal;
  const some = heads.flatMap((head, at) => (chains.has(head.chain) ? [{ head, path: pathTo(heads, at) }] : []));
  return JSON.stringify({ ...sealed, some } satisfies SignedSeal);
}
