import { createHmac, timingSafeEqual, verify } from 'node:crypto';
import type { Value } from '../../core/value.ts';

/** Whether `given` is the HMAC-SHA-256 of a text under a secret, in hex. Takes the same time whichever digit is wrong. */
export function isHmac(given: string, secret: Value, text: string | Uint8Array): boolean {
  const right = createHmac('sha256', secret.reveal()).update(text).digest();
  const said = /^[0-9a-f]{64}$/.test(given) ? Buffer.from(given, 'hex') : Buffer.alloc(right.length);
  return timingSafeEqual(said, right) && /^[0-9a-f]{64}$/.test(given);
}

/** Whether `given` is an ECDSA signature (P-256, SHA-256, DER in base64) of the bytes, made with the key of which this is the public half (PEM). */
export function isEcdsa(given: string, publicKey: string, bytes: Uint8Array): boolean {
  if (!/^[A-Za-z0-9+/]{60,120}={0,2}$/.test(given)) return false;
  try {
    return verify('sha256', bytes, { key: publicKey, dsaEncoding: 'der' }, Buffer.from(given, 'base64'));
  } catch {
    return false;
  }
}
