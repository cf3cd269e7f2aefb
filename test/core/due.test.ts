import { describe, expect, it } from 'vitest';
import { dueAfter, dueVerdict } from '../../core/due.ts';
import type { Key } from '../../core/key.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { milliseconds } from '../../core/time.ts';
import { testFacts } from '../support/world.ts';

const policy = defaultPolicy;
const day = 86_400;
const hour = 3600;
const keyWith = (more: Partial<Key>): Key =>
  ({ facts: testFacts(), tier: 'medium', nextDueAt: '2026-03-01T00:00:00.000Z', dueNow: null, ...more }) as Key;
const expiring = { facts: testFacts({ expiresAt: '2026-02-10T00:00:00.000Z' }), nextDueAt: '2026-02-04T00:00:00.000Z' };

describe('a key is due', () => {
  it.each<[name: string, key: Partial<Key>, now: string, reason: string, message: string]>([
    ['not before its date', {}, '2026-02-28T23:59:59.999Z', 'not-due', 'next due at 2026-03-01T00:00:00.000Z'],
    ['from its date on', {}, '2026-03-01T00:00:00.000Z', 'scheduled', 'due at 2026-03-01T00:00:00.000Z'],
    [
      'and overdue past the tolerance of its tier',
      {},
      '2026-03-01T12:00:00.000Z',
      'overdue',
      "was due at 2026-03-01T00:00:00.000Z, past its tier's tolerance",
    ],
    ['and is not overdue within it', {}, '2026-03-01T11:59:59.999Z', 'scheduled', 'due at 2026-03-01T00:00:00.000Z'],
    ['when somebody asked for it', { dueNow: 'an employee left' }, '2026-01-01T00:00:00.000Z', 'requested', 'asked for: an employee left'],
    [
      'twice the longest overlap before the vendor ends it',
      expiring,
      '2026-02-04T00:00:00.000Z',
      'vendor-expiry',
      'the vendor ends it at 2026-02-10T00:00:00.000Z',
    ],
    ['and not before that', expiring, '2026-02-03T23:59:59.999Z', 'not-due', 'next due at 2026-02-04T00:00:00.000Z'],
    ['never before it has a version', { nextDueAt: null }, '2030-01-01T00:00:00.000Z', 'not-due', 'has no version yet'],
  ])('%s', (_name, key, now, reason, message) => {
    expect(dueVerdict(keyWith(key), now, policy)).toEqual({ due: reason !== 'not-due', reason, message });
  });
});

describe('the next due date', () => {
  const from = '2026-01-01T00:00:00.000Z';
  const seconds = (at: string) => (milliseconds(at) - milliseconds(from)) / 1000;

  it.each([
    ['high', 30],
    ['medium', 90],
    ['low', 180],
  ] as const)('of tier %s comes within %i days and at most a tenth earlier', (tier, days) => {
    for (let i = 0; i < 200; i++) {
      const after = seconds(dueAfter(testFacts({ id: `team/key-${i}` }), tier, policy, from));
      expect(after).toBeLessThanOrEqual(days * day);
      expect(after).toBeGreaterThan(0.9 * days * day - 1);
    }
  });

  it('is spread: a thousand keys that begin together do not come due together', () => {
    const dates = Array.from({ length: 1000 }, (_, i) => dueAfter(testFacts({ id: `team/key-${i}` }), 'high', policy, from));
    const byHour = Map.groupBy(dates, (at) => at.slice(0, 13));
    expect(Math.max(...[...byHour.values()].map((together) => together.length))).toBeLessThan(1000 / 20);
  });

  it('of the same key from the same instant is always the same', () => {
    expect(dueAfter(testFacts(), 'high', policy, from)).toBe(dueAfter(testFacts(), 'high', policy, from));
  });

  it('leaves twice the longest overlap before the vendor’s own end', () => {
    const facts = testFacts({ expiresAt: '2026-01-20T00:00:00.000Z' });
    expect(seconds(dueAfter(facts, 'high', policy, from))).toBe(19 * day - 2 * 24 * hour);
  });

  it('is at once for an adopted version that the vendor ends too soon; of a version made since, that end says nothing', () => {
    const facts = testFacts({ expiresAt: '2026-01-02T00:00:00.000Z' });
    expect(dueAfter(facts, 'high', policy, from, 'adopted')).toBe(from);
    expect(dueAfter(facts, 'high', policy, from, 'by us')).toBe(dueAfter(testFacts(), 'high', policy, from));
  });

  it('is the tier’s, when the vendor ends the key much later', () => {
    const facts = testFacts({ expiresAt: '2030-01-01T00:00:00.000Z' });
    expect(dueAfter(facts, 'high', policy, from)).toBe(dueAfter(testFacts(), 'high', policy, from));
  });
});
