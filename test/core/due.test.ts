import { describe, expect, it } from 'vitest';
import { brokenByTime, dueAfter, dueVerdict, dueWhenAdopted } from '../../core/due.ts';
import type { Exception } from '../../core/exceptions/exception.ts';
import type { Key } from '../../core/key.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { milliseconds } from '../../core/time.ts';
import { testFacts } from '../support/world.ts';

const policy = defaultPolicy;
const day = 86_400;
const hour = 3600;
const keyWith = (more: Partial<Key>): Key =>
  ({
    facts: testFacts(),
    tier: 'medium',
    state: 'active',
    current: 1,
    currentMadeAt: '2025-12-01T00:00:00.000Z',
    lastEndedAt: '2025-12-01T00:00:00.000Z',
    nextDueAt: '2026-03-01T00:00:00.000Z',
    dueBecause: 'interval',
    dueNow: null,
    exceptions: [],
    breaches: [],
    ...more,
  }) as Key;
const exception: Exception = {
  id: 'exception-1',
  rule: 'rotation',
  reason: 'the vendor is being replaced',
  compensating: 'calls are limited to one address',
  requestedBy: 'ana',
  requestedAt: '2026-02-01T00:00:00.000Z',
  until: '2026-05-01T00:00:00.000Z',
  approvedBy: 'bob',
  approvedAt: '2026-02-01T00:00:00.000Z',
};
const expiring = { facts: testFacts({ expiresAt: '2026-02-10T00:00:00.000Z' }), nextDueAt: '2026-02-04T00:00:00.000Z' };

describe('a key is due', () => {
  it.each<[name: string, key: Partial<Key>, now: string, reason: string, message: string]>([
    ['not before its date', {}, '2026-02-28T23:59:59.999Z', 'not-due', 'next due at 2026-03-01T00:00:00.000Z'],
    ['from its date on', {}, '2026-03-01T00:00:00.000Z', 'interval', 'due at 2026-03-01T00:00:00.000Z'],
    [
      'for the first time, and says so',
      { lastEndedAt: null },
      '2026-03-01T00:00:00.000Z',
      'never-rotated',
      'was never rotated since it was adopted, and due at 2026-03-01T00:00:00.000Z',
    ],
    [
      'because its risk was raised',
      { dueBecause: 'tier-raised' },
      '2026-03-01T00:00:00.000Z',
      'tier-raised',
      'its risk is higher than it was, and the shorter schedule ended at 2026-03-01T00:00:00.000Z',
    ],
    [
      'because an exception has ended',
      { dueBecause: 'exception-ended' },
      '2026-03-01T00:00:00.000Z',
      'exception-ended',
      'an exception from its schedule ended at 2026-03-01T00:00:00.000Z',
    ],
    [
      'because its version is older than its tier allows, whatever the schedule says',
      { nextDueAt: '2027-01-01T00:00:00.000Z' },
      '2026-04-15T00:00:00.000Z',
      'lifetime',
      'version 1 is older than the longest life of its tier, which ended at 2026-04-15T00:00:00.000Z',
    ],
    [
      'and for no such reason while an exception lasts',
      { exceptions: [exception] },
      '2026-03-01T00:00:00.000Z',
      'excepted',
      'excepted until 2026-05-01T00:00:00.000Z: the vendor is being replaced',
    ],
    [
      'whose exception nobody approved is due all the same',
      { exceptions: [{ ...exception, approvedAt: null }] },
      '2026-03-01T00:00:00.000Z',
      'interval',
      'due at 2026-03-01T00:00:00.000Z',
    ],
    [
      'when somebody asked for it, for the cause that was given, also with an exception',
      { dueNow: { cause: 'departure', message: 'an employee left', at: '2026-01-01T00:00:00.000Z' }, exceptions: [exception] },
      '2026-01-01T00:00:00.000Z',
      'departure',
      'asked for: an employee left',
    ],
    [
      'twice the longest overlap before the vendor ends it',
      expiring,
      '2026-02-04T00:00:00.000Z',
      'vendor-expiry',
      'the vendor ends it at 2026-02-10T00:00:00.000Z',
    ],
    ['and not before that', expiring, '2026-02-03T23:59:59.999Z', 'not-due', 'next due at 2026-02-04T00:00:00.000Z'],
    [
      'never before it has a version',
      { nextDueAt: null, current: null, currentMadeAt: null },
      '2030-01-01T00:00:00.000Z',
      'not-due',
      'has no version yet',
    ],
  ])('%s', (_name, key, now, reason, message) => {
    expect(dueVerdict(keyWith(key), now, policy)).toMatchObject({ due: reason !== 'not-due' && reason !== 'excepted', reason, message });
  });

  it.each([
    ['2026-03-01T11:59:59.999Z', []],
    ['2026-03-01T12:00:00.000Z', ['overdue']],
    ['2026-04-15T00:00:00.000Z', ['overdue', 'lifetime']],
  ])('and at %s breaks the rules about time: %j', (now, rules) => {
    expect(brokenByTime(keyWith({}), now, policy).map(({ rule }) => rule)).toEqual(rules);
  });

  it('and breaks none while an exception lasts, or an operation runs', () => {
    expect(brokenByTime(keyWith({ exceptions: [exception] }), '2026-04-15T00:00:00.000Z', policy)).toEqual([]);
    expect(brokenByTime(keyWith({ state: 'rotating' }), '2026-04-15T00:00:00.000Z', policy)).toEqual([]);
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

  it('of a version that is older than its period when it is adopted is spread over the time to catch up', () => {
    const now = '2026-06-01T00:00:00.000Z';
    const dates = Array.from({ length: 200 }, (_, i) => dueWhenAdopted(testFacts({ id: `team/key-${i}` }), 'high', policy, from, now));
    expect(Math.min(...dates.map(milliseconds))).toBeGreaterThanOrEqual(milliseconds(now));
    expect(Math.max(...dates.map(milliseconds))).toBeLessThan(milliseconds(now) + policy.pace.catchUpSeconds * 1000);
    expect(new Set(dates.map((at) => at.slice(0, 10))).size).toBe(14);
    expect(dueWhenAdopted(testFacts(), 'high', policy, from, '2026-01-02T00:00:00.000Z')).toBe(dueAfter(testFacts(), 'high', policy, from));
  });

  it('is the tier’s, when the vendor ends the key much later', () => {
    const facts = testFacts({ expiresAt: '2030-01-01T00:00:00.000Z' });
    expect(dueAfter(facts, 'high', policy, from)).toBe(dueAfter(testFacts(), 'high', policy, from));
  });
});
