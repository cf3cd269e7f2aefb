import { createHash, sign as signBytes, verify as verifyBytes } from 'node:crypto';
import { canonical } from '../canonical.ts';
import { Refused } from '../errors.ts';
import type { Attribute } from '../inventory.ts';

/** One credential that was ended without Rekey: by whom, when, why, and what the provider answered. */
export interface BreakGlassLine {
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** The key that the local index named; empty for a credential that no key has. */
  readonly keyId: string;
  readonly provider: string;
  readonly account: string;
  readonly credentialId: string;
  readonly answer: 'disabled' | 'gone' | 'failed';
  /** With `failed`: the name of the error. */
  readonly detail: string;
}

/** A line in its place: `hash` covers the line and the hash before it, and the signature covers `hash`. */
export interface BreakGlassRecord extends BreakGlassLine {
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
  /** Ed25519, base64. */
  readonly signature: string;
}

const firstHash = '0'.repeat(64);

/** Puts a line behind the last record and signs it with an Ed25519 key (PEM). */
export function signRecord(line: BreakGlassLine, last: BreakGlassRecord | undefined, privateKey: string): BreakGlassRecord {
  const seq = (last?.seq ?? 0) + 1;
  const prevHash = last?.hash ?? firstHash;
  const hash = hashOf(line, seq, prevHash);
  return { ...line, seq, prevHash, hash, signature: signBytes(null, Buffer.from(hash), privateKey).toString('base64') };
}

/**
 * Throws Refused E_INPUT_INVALID unless every record follows from the one before and was signed with the key that belongs to this public key
 * (PEM). The first may be any: what was imported before need not come again.
 */
export function checkRecords(records: readonly BreakGlassRecord[], publicKey: string): void {
  records.forEach((record, index) => {
    const { seq, prevHash, hash, signature, ...line } = record;
    const before = records[index - 1];
    const follows = before ? seq === before.seq + 1 && prevHash === before.hash : seq > 1 || prevHash === firstHash;
    const right = hash === hashOf(line, seq, prevHash) && verifyBytes(null, Buffer.from(hash), publicKey, Buffer.from(signature, 'base64'));
    if (!follows || !right)
      throw new Refused(
        'E_INPUT_INVALID',
        `record ${index + 1} was not signed by this key, or the one before it is missing; nothing was imported`,
        [{ path: `records.${index}`, message: 'does not hold' }],
      );
  });
}

function hashOf(line: BreakGlassLine, seq: number, prevHash: string): string {
  const { at, by, reason, keyId, provider, account, credentialId, answer, detail } = line;
  const covered: Attribute = { seq, prevHash, at, by, reason, keyId, provider, account, credentialId, answer, detail };
  return createHash('sha256').update(canonical(covered)).digest('hex');
}
