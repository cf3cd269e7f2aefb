import { createHmac, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { fingerprintWith } from '../../adapters/fingerprint.ts';
import { randomId } from '../../adapters/random-id.ts';
import { Value } from '../../core/value.ts';

it('is the HMAC-SHA-256 of the value under the pepper, in hex', async () => {
  const pepper = randomBytes(32);
  const fingerprint = fingerprintWith(async () => pepper);
  expect(await fingerprint(new Value('välue'))).toBe(createHmac('sha256', pepper).update('välue').digest('hex'));
});

it('differs between values, and between installations', async () => {
  const [one, two] = [fingerprintWith(async () => Buffer.alloc(32, 1)), fingerprintWith(async () => Buffer.alloc(32, 2))];
  const seen = new Set([await one(new Value('a')), await one(new Value('b')), await two(new Value('a'))]);
  expect(seen.size).toBe(3);
});

it('fetches the pepper once, and again after a failure', async () => {
  let fetches = 0;
  const fingerprint = fingerprintWith(async () => {
    if (++fetches === 1) throw new Error('not now');
    return Buffer.alloc(32, 1);
  });
  await expect(fingerprint(new Value('a'))).rejects.toThrow('not now');
  await fingerprint(new Value('a'));
  await fingerprint(new Value('b'));
  expect(fetches).toBe(2);
});

it('does not work with a short pepper', async () => {
  await expect(fingerprintWith(async () => Buffer.alloc(16))(new Value('a'))).rejects.toThrow('at least 32');
});

it('ids are 32 lower-case hex digits and do not repeat', () => {
  const ids = Array.from({ length: 1000 }, randomId);
  expect(new Set(ids).size).toBe(1000);
  expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
});
