import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { opensshKey, publicLineOf } from '../../adapters/providers/openssh-key.ts';

describe('an OpenSSH private key', () => {
  it('is the same for the same bits, another for others, and ends like a file that ssh reads', () => {
    expect(opensshKey('00')).toBe(opensshKey('00'));
    expect(opensshKey('00')).not.toBe(opensshKey('01'));
    expect(opensshKey('00')).toMatch(
      /^-----BEGIN OPENSSH PRIVATE KEY-----\n([A-Za-z0-9+/]{70}\n)+[A-Za-z0-9+/]+={0,2}\n-----END OPENSSH PRIVATE KEY-----\n$/,
    );
  });

  it('holds a secret half that signs for its public half', () => {
    const key = opensshKey('a1');
    const bytes = Buffer.from(key.replace(/-----[A-Z ]+-----/g, ''), 'base64');
    const seed = bytes.subarray(bytes.lastIndexOf('ssh-ed25519') + 51).subarray(0, 32);
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
    const signature = sign(null, Buffer.from('hello'), createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    const [type, line = ''] = (publicLineOf(key) ?? '').split(' ');
    const x = Buffer.from(line, 'base64').subarray(-32).toString('base64url');
    const shown = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect([type, verify(null, Buffer.from('hello'), shown, signature)]).toEqual(['ssh-ed25519', true]);
  });

  it.each([
    ['', 'nothing'],
    ['ssh-ed25519 AAAA', 'a public key'],
    [opensshKey('00').replace('b3BlbnNzaC1rZXktdjEA', 'b3BlbnNzaC1rZXktdjIA'), 'another version'],
    [
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from('openssh-key-v1\0\xff\xff\xff\xff', 'latin1').toString('base64')}\n-----END OPENSSH PRIVATE KEY-----`,
      'a field that is longer than the key',
    ],
  ])('is not seen in %j (%s)', (text) => expect(publicLineOf(text)).toBeUndefined());
});
