import { describe, expect, it } from 'vitest';
import { brokenByTime, dueOf, dueVerdict } from '../../core/due.ts';
import type { Exception } from '../../core/exceptions/exception.ts';
import type { Key, KeyFacts, Tier } from '../../core/key.ts';
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
    adopted: null,
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
      { adopted: { version: 1, at: '2025-12-01T00:00:00.000Z' } },
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
  const record = { current: 2, adopted: null, lastEndedAt: null, exceptedUntil: null };
  /** Of a version that Rekey made at an instant; and of one that somebody else made then, and that was adopted later. */
  const dueAfter = (facts: KeyFacts, tier: Tier, madeAt: string): string =>
    dueOf({ ...record, facts, tier, currentMadeAt: madeAt }, policy) ?? '';
  const dueWhenAdopted = (facts: KeyFacts, tier: Tier, madeAt: string, at: string): string =>
    dueOf({ ...record, facts, tier, currentMadeAt: madeAt, adopted: { version: 2, at } }, policy) ?? '';
  const seconds = (at: string) => (milliseconds(at) - milliseconds(from)) / 1000;

  it.each([
    ['high', 30],
    ['medium', 90],
    ['low', 180],
  ] as const)('of tier %s comes within %i days and at most a tenth earlier', (tier, days) => {
    for (let i = 0; i < 200; i++) {
      const after = seconds(dueAfter(testFacts({ id: `team/key-${i}` }), tier, from));
      expect(after).toBeLessThanOrEqual(days * day);
      expect(after).toBeGreaterThan(0.9 * days * day - 1);
    }
  });

  it('is spread: a thousand keys that begin together do not come due together', () => {
    const dates = Array.from({ length: 1000 }, (_, i) => dueAfter(testFacts({ id: `team/key-${i}` }), 'high', from));
    const byHour = Map.groupBy(dates, (at) => at.slice(0, 13));
    expect(Math.max(...[...byHour.values()].map((together) => together.length))).toBeLessThan(1000 / 20);
  });

  it('of the same key from the same instant is always the same', () => {
    expect(dueAfter(testFacts(), 'high', from)).toBe(dueAfter(testFacts(), 'high', from));
  });

  it('leaves twice the longest overlap before the vendor’s own end', () => {
    const facts = testFacts({ expiresAt: '2026-01-20T00:00:00.000Z' });
    expect(seconds(dueAfter(facts, 'high', from))).toBe(19 * day - 2 * 24 * hour);
  });

  it('is at once for an adopted version that the vendor ends too soon; of a version made since, that end says nothing', () => {
    const facts = testFacts({ expiresAt: '2026-01-02T00:00:00.000Z' });
    expect(dueWhenAdopted(facts, 'high', from, from)).toBe(from);
    expect(dueAfter(facts, 'high', from)).toBe(dueAfter(testFacts(), 'high', from));
  });

  it('of a version that is older than its period when it is adopted is spread over the time to catch up', () => {
    const now = '2026-06-01T00:00:00.000Z';
    const dates = Array.from({ length: 200 }, (_, i) => dueWhenAdopted(testFacts({ id: `team/key-${i}` }), 'high', from, now));
    expect(Math.min(...dates.map(milliseconds))).toBeGreaterThanOrEqual(milliseconds(now));
    expect(Math.max(...dates.map(milliseconds))).toBeLessThan(milliseconds(now) + policy.pace.catchUpSeconds * 1000);
    expect(new Set(dates.map((at) => at.slice(0, 10))).size).toBe(14);
    expect(dueWhenAdopted(testFacts(), 'high', from, '2026-01-02T00:00:00.000Z')).toBe(dueAfter(testFacts(), 'high', from));
  });

  it('is the tier’s, when the vendor ends the key much later', () => {
    const facts = testFacts({ expiresAt: '2030-01-01T00:00:00.000Z' });
    expect(dueAfter(facts, 'high', from)).toBe(dueAfter(testFacts(), 'high', from));
  });

  it('is by the age of the version in use, however long its rotation took, and a tolerance after the last operation at the earliest', () => {
    const facts = testFacts();
    const byAge = dueAfter(facts, 'high', from);
    const endedAt = (lastEndedAt: string) => dueOf({ ...record, facts, tier: 'high', currentMadeAt: from, lastEndedAt }, policy);
    expect(endedAt('2026-01-20T00:00:00.000Z')).toBe(byAge);
    expect(endedAt('2026-02-20T00:00:00.000Z')).toBe('2026-02-20T01:00:00.000Z');
  });

  it('is not before an exception has ended, and there is none before a version', () => {
    const facts = testFacts();
    const excepted = { ...record, facts, tier: 'high', currentMadeAt: from, exceptedUntil: '2026-06-01T00:00:00.000Z' } as const;
    expect(dueOf(excepted, policy)).toBe('2026-06-01T00:00:00.000Z');
    expect(dueOf({ ...excepted, currentMadeAt: '2026-05-30T00:00:00.000Z' }, policy)).toBe(
      dueAfter(facts, 'high', '2026-05-30T00:00:00.000Z'),
    );
    expect(dueOf({ ...excepted, current: null, currentMadeAt: null }, policy)).toBeNull();
  });
});
