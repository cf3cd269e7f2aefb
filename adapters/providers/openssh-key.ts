import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';

const [begin, end] = ['-----BEGIN OPENSSH PRIVATE KEY-----', '-----END OPENSSH PRIVATE KEY-----'];
const magic = Buffer.from('openssh-key-v1\0');
/** The header of an Ed25519 key in PKCS #8 (RFC 8410 §7), before its 32 bytes. */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * An Ed25519 private key as ssh reads it, made from random bits: the same bits give the same key. The format is PROTOCOL.key of OpenSSH,
 * without a passphrase: programs read it.
 */
export function opensshKey(random: string): string {
  const seed = createHash('sha256').update(`rekey ed25519 ${random}`).digest();
  const { x = '' } = createPublicKey(createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  });
  const point = Buffer.from(x, 'base64url');
  const type = text('ssh-ed25519');
  // The same number twice, by which ssh sees that it decrypted well.
  const check = createHash('sha256').update(point).digest().subarray(0, 4);
  const inner = Buffer.concat([check, check, type, field(point), field(Buffer.concat([seed, point])), text('')]);
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, index) => index + 1));
  const whole = Buffer.concat([
    ...[magic, text('none'), text('none'), text(''), number(1)],
    ...[field(Buffer.concat([type, field(point)])), field(Buffer.concat([inner, padding]))],
  ]);
  return `${begin}\n${whole.toString('base64').replace(/.{70}/g, '$&\n').trimEnd()}\n${end}\n`;
}

/** The public key of an OpenSSH private key of any type, as a line without a comment (`ssh-ed25519 AAAA…`); undefined when it is none. */
export function publicLineOf(key: string): string | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]{1,20000})-----END OPENSSH PRIVATE KEY-----/.exec(key)?.[1];
  const bytes = Buffer.from(body ?? '', 'base64');
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined;
  try {
    let at = magic.length;
    const next = (): Buffer => {
      const from = at + 4;
      at = from + bytes.readUInt32BE(at);
      if (at > bytes.length) throw new RangeError('a field is longer than the key');
      return bytes.subarray(from, at);
    };
    for (let skipped = 0; skipped < 3; skipped++) next();
    at += 4;
    const blob = next();
    const name = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
    return /^[a-z0-9@.-]{1,64}$/.test(name) ? `${name} ${blob.toString('base64')}` : undefined;
  } catch {
    return undefined;
  }
}

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const field = (bytes: Buffer): Buffer => Buffer.concat([number(bytes.length), bytes]);
const text = (content: string): Buffer => field(Buffer.from(content));
