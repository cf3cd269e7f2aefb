import { createHash } from 'node:crypto';

/** Names a value of a vendor that has no other id for it: 64 bits of its SHA-256, in hex. A vendor's value has at least 100 random bits, so it cannot be guessed from this. */
export function digestOf(value: string): string {
  return createHash('sha256').update(value).digest('hex').slice(0, 16);
}
