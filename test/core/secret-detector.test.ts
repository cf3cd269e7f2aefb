import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { looksSecret } from '../../core/secret-detector.ts';

/** Joined here so that no scanner takes this file for a leak. */
const vendorShapes = [
  ['sk', 'live', 'abcdefghij1234'],
  ['ghp', 'abcdefghij1234567890'],
  ['xoxb', '1234567890-abcdef'],
  ['glpat', 'abcdefghij1234567890'],
  ['AKIAIOSFODNN7EXAMPLE:', 'x'.repeat(40)],
  ['-----BEGIN RSA ', 'PRIVATE KEY-----'],
  ['postgres://user:', 'correct-horse@db.internal/x'],
].map((parts) => parts.join(parts[0]?.startsWith('xox') || parts[0] === 'glpat' ? '-' : /^(sk|ghp)$/.test(parts[0] ?? '') ? '_' : ''));

describe('what looks like a key’s value', () => {
  test.each(vendorShapes.map((text, index) => [index, text] as const))('a vendor’s shape is seen inside a sentence (%i)', (_, text) => {
    expect(looksSecret(`found ${text} in a log`)).toBe(true);
  });

  test('nearly every random token is seen, in each common encoding', () => {
    const random = (encode: (bytes: Buffer) => string) =>
      Array.from({ length: 300 }, () => encode(randomBytes(30))).filter((text) => looksSecret(text)).length;
    expect(random((bytes) => bytes.toString('hex'))).toBeGreaterThan(290);
    expect(random((bytes) => bytes.toString('base64').replace(/[/+]/g, 'x'))).toBeGreaterThan(290);
  });

  test.each([
    'payments/stripe',
    'team-payments@example.com',
    'Charges cards for the European checkout, version 2 since 2024-01-31T00:00:00Z',
    'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/payments/stripe-AbCdEf',
    'arn:aws:iam::123456789012:role/PaymentsServiceProductionRole2024',
    'AKIAIOSFODNN7EXAMPLE',
    '6f1c0a52-7b1e-4c55-9a39-0d5a6d5f9f10',
    'https://dash.example.com/d/abc123/payments-overview?orgId=1&from=now-24h',
    'rotate-payments-stripe-because-the-contract-ended-2026-q4',
    '/var/lib/rekey/PaymentsServiceV2/production/stripe-key-1',
    'acct_1NabcdefGHIJKLM0',
    'npm-publish-token-for-the-packages-team',
  ])('an honest text passes: %s', (text) => {
    expect(looksSecret(text)).toBe(false);
  });
});
