import { createHmac } from 'node:crypto';
import type { Value } from '../core/value.ts';

/**
 * Makes the port's `fingerprint`: HMAC-SHA-256 of a value under the installation's pepper, as 64 lower-case hex digits.
 * The pepper is fetched on first use and kept; a failed fetch is tried again by the next call. A pepper under 32 bytes
 * (the size of the MAC: RFC 2104 §3 discourages shorter ones) is an Error.
 */
export function fingerprintWith(pepper: () => Promise<Buffer>): (value: Value) => Promise<string> {
  let kept: Buffer | undefined;
  return async (value) => {
    if (!kept) {
      const fetched = await pepper();
      if (fetched.length < 32) throw new Error(`the pepper has ${fetched.length} bytes; it needs at least 32`);
      kept = fetched;
    }
    return createHmac('sha256', kept).update(value.reveal(), 'utf8').digest('hex');
  };
}
