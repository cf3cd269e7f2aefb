import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Call } from './server.ts';

/** Who a request says it is from, by its Authorization header. */
export interface Signer {
  readonly accessKeyId: string;
  /** Whether the signature was made with this secret; computed after AWS's description of Signature Version 4. */
  signedWith(secretAccessKey: string): boolean;
}

/** Reads the signature of a `POST /`; undefined when the request has none. */
export function signerOf({ headers, rawBody }: Call): Signer | undefined {
  const header = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
  const [, accessKeyId, scope, signedHeaders, signature] = header.exec(headers.authorization ?? '') ?? [];
  if (!accessKeyId || !scope || !signedHeaders || !signature) return undefined;

  const names = signedHeaders.split(';');
  const canonical = [
    'POST',
    '/',
    '',
    ...names.map(
      (name) =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    signedHeaders,
    sha256(rawBody),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', String(headers['x-amz-date']), scope, sha256(canonical)].join('\n');

  return {
    accessKeyId,
    signedWith(secretAccessKey) {
      const key = scope.split('/').reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
      return timingSafeEqual(Buffer.from(signature, 'hex'), hmac(key, toSign));
    },
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
