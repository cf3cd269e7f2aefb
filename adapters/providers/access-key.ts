import { createHash } from 'node:crypto';
import { Value } from '../../core/value.ts';

/** The two halves of an AWS access key. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The value of an access key, always the same text: `{"accessKeyId":…,"secretAccessKey":…}`. */
export function accessKeyValue({ accessKeyId, secretAccessKey }: AccessKey): Value {
  return new Value(JSON.stringify({ accessKeyId, secretAccessKey }));
}

/** The halves of a value, or undefined when it is not an access key. */
export function parseAccessKey(value: Value): AccessKey | undefined {
  try {
    const { accessKeyId, secretAccessKey } = JSON.parse(value.reveal());
    if (typeof accessKeyId === 'string' && accessKeyId && typeof secretAccessKey === 'string' && secretAccessKey) {
      return { accessKeyId, secretAccessKey };
    }
  } catch {
    // The parser's own message quotes the text.
  }
  return undefined;
}

/** The access key id in any text that holds one: the value itself, a line of a credentials file, a pasted id. */
export function accessKeyIdIn(value: Value): string | undefined {
  return parseAccessKey(value)?.accessKeyId ?? /(?<![A-Z0-9])AKIA[A-Z2-7]{16}(?![A-Z0-9])/.exec(value.reveal())?.[0];
}

/** A well-formed access key that AWS never issued; the same `random` gives the same one. */
export function neverIssuedAccessKey(random: string): Value {
  const bytes = createHash('sha512').update(random).digest();
  const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const id = [...bytes.subarray(0, 16)].map((byte) => base32[byte % 32]).join('');
  return accessKeyValue({ accessKeyId: `AKIA${id}`, secretAccessKey: bytes.subarray(16, 46).toString('base64') });
}
