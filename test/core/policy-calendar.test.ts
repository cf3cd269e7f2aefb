import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closedFor, isOpen, openings } from '../../core/policy/calendar.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { isLike, matches } from '../../core/policy/key-match.ts';
import { policyHash } from '../../core/policy/policy-hash.ts';
import type { KeyMatch, PlannedHold, Policy, Window } from '../../core/policy.ts';
import { rulesFor, tierOf } from '../../core/tier.ts';
import { consumerNamed, testFacts } from '../support/world.ts';

const at = (text: string) => Date.parse(text);
const instants = (times: readonly number[]) => times.map((time) => new Date(time).toISOString().slice(0, 16));
const nights: Window = { name: 'nights', when: {}, days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '22:00', to: '06:00', zone: 'UTC' };

describe('a pattern', () => {
  it.each([
    ['prod', 'prod', true],
    ['prod', 'production', false],
    ['prod*', 'production', true],
    ['*-eu', 'prod-eu', true],
    ['p*d*eu', 'prod-eu', true],
    ['a*b', 'ab', true],
    ['ab*ba', 'aba', false],
    ['*', '', true],
    ['a**c', 'abc', true],
    ['prod*', 'preprod', false],
  ])('%s of %s: %s', (pattern, name, like) => {
    expect(isLike(pattern, name)).toBe(like);
  });

  it('means what the regular expression of the same shape means', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
    fc.assert(
      fc.property(letters, name, (pattern, text) => isLike(pattern, text) === new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text)),
    );
  });

  it('row 42: that would take a regular expression for ever is answered by counting its steps, not by a clock', () => {
    // 30 stars over 10,000 letters: each part is looked for once, from where the one before ended.
    expect(isLike(`${'a*'.repeat(30)}b`, 'a'.repeat(10_000))).toBe(false);
  });
});

describe('a match', () => {
  const facts = testFacts({
    environment: 'prod-eu',
    owner: 'ana@example.test',
    team: 'pay',
    unit: 'cards',
    readers: ['x', 'y'],
    consumers: [consumerNamed('api')],
  });
  it.each<[when: KeyMatch, holds: boolean]>([
    [{}, true],
    [{ environment: ['dev', 'prod*'] }, true],
    [{ environment: ['dev'] }, false],
    [{ provider: ['mem*'], owner: ['ana@*'], team: ['pay'], unit: ['cards'] }, true],
    [{ provider: ['mem*'], owner: ['bob@*'] }, false],
    [{ exposure: ['internal'] }, true],
    [{ exposure: ['public', 'isolated'] }, false],
    [{ privileged: true }, false],
    [{ readersAtLeast: 2, consumersAtLeast: 1 }, true],
    [{ readersAtLeast: 3 }, false],
    [{ consumersAtLeast: 2 }, false],
  ])('%o: %s', (when, holds) => {
    expect(matches(when, facts)).toBe(holds);
  });
});

describe('the tier rules', () => {
  const policy: Policy = {
    ...defaultPolicy,
    tierRules: [
      { tier: 'high', because: 'many can read it', when: { readersAtLeast: 2 } },
      { tier: 'medium', because: 'the rest', when: {} },
    ],
  };

  it('POL-K2 POL-I7: give the same key another tier in another policy, also by how many may read it', () => {
    const facts = testFacts({ readers: ['ana', 'bob'] });
    expect(tierOf(facts, defaultPolicy).tier).toBe('medium');
    expect(tierOf(facts, policy)).toEqual({ tier: 'high', because: 'many can read it' });
    expect(tierOf(testFacts({ readers: ['ana'] }), policy).tier).toBe('medium');
  });

  it('row 43: two of which match one key count in their order, and the others can be seen', () => {
    const facts = testFacts({ readers: ['ana', 'bob'] });
    expect(rulesFor(facts, policy).map(({ because }) => because)).toEqual(['many can read it', 'the rest']);
    const turned = { ...policy, tierRules: [...policy.tierRules].reverse() };
    expect(tierOf(facts, turned).because).toBe('the rest');
  });
});

describe('a window', () => {
  it.each([
    ['2026-06-01T21:59:59Z', false],
    ['2026-06-01T22:00:00Z', true],
    ['2026-06-02T05:59:59Z', true],
    ['2026-06-02T06:00:00Z', false],
    ['2026-06-06T03:00:00Z', true],
    ['2026-06-06T22:30:00Z', false],
    ['2026-06-08T03:00:00Z', false],
  ])('over midnight belongs to the day on which it begins: at %s %s', (time, open) => {
    expect(isOpen(nights, at(time))).toBe(open);
  });

  it('row 41: is by the clock on the wall of its zone, and its next five openings are instants in UTC', () => {
    const jakarta = { ...nights, zone: 'Asia/Jakarta' };
    expect(instants(openings(jakarta, at('2026-06-04T16:00:00Z'), 5))).toEqual([
      '2026-06-05T15:00',
      '2026-06-08T15:00',
      '2026-06-09T15:00',
      '2026-06-10T15:00',
      '2026-06-11T15:00',
    ]);
  });

  it('row 41: in the hour that summer time leaves out does not open that day; in the one that comes twice it opens twice', () => {
    const early = { days: ['sun'], from: '02:00', to: '02:45', zone: 'Europe/Berlin' } as const;
    expect(instants(openings(early, at('2026-03-28T00:00:00Z'), 2))).toEqual(['2026-04-05T00:00', '2026-04-12T00:00']);
    expect(instants(openings(early, at('2026-10-24T00:00:00Z'), 3))).toEqual(['2026-10-25T00:00', '2026-10-25T01:00', '2026-11-01T01:00']);
  });

  it('opens at the minute it says', () => {
    expect(instants(openings({ ...nights, from: '22:07' }, at('2026-06-01T00:00:00Z'), 1))).toEqual(['2026-06-01T22:07']);
  });
});

describe('the calendar', () => {
  const hold: PlannedHold = {
    name: 'year-end',
    reason: 'the shop is full',
    when: { tier: ['high'] },
    from: '2026-12-18T00:00:00.000Z',
    until: '2027-01-04T00:00:00.000Z',
  };
  const key = (tier: 'high' | 'medium') => ({ facts: testFacts(), tier });

  it('of a policy without windows and holds is always open', () => {
    expect(closedFor(key('high'), defaultPolicy, at('2026-12-20T00:00:00Z'))).toBeNull();
  });

  it('closes the keys that a hold is about, from its first instant until its last', () => {
    const policy = { ...defaultPolicy, holds: [hold] };
    const closed = (text: string, tier: 'high' | 'medium') => closedFor(key(tier), policy, at(text)) !== null;
    expect(closed('2026-12-17T23:59:59.999Z', 'high')).toBe(false);
    expect(closed('2026-12-18T00:00:00Z', 'high')).toBe(true);
    expect(closed('2026-12-18T00:00:00Z', 'medium')).toBe(false);
    expect(closed('2027-01-03T23:59:59.999Z', 'high')).toBe(true);
    expect(closed('2027-01-04T00:00:00Z', 'high')).toBe(false);
  });

  it('is open while any of a key’s windows is, and for keys that no window is about', () => {
    const noon = { ...nights, name: 'noon', from: '11:00', to: '13:00', when: { tier: ['high'] as const } };
    const policy = { ...defaultPolicy, windows: [{ ...nights, when: { tier: ['high'] as const } }, noon] };
    const closed = (text: string, tier: 'high' | 'medium') => closedFor(key(tier), policy, at(text)) !== null;
    expect(closed('2026-06-02T12:00:00Z', 'high')).toBe(false);
    expect(closed('2026-06-02T14:00:00Z', 'high')).toBe(true);
    expect(closed('2026-06-02T14:00:00Z', 'medium')).toBe(false);
  });
});

describe('the hash of a policy', () => {
  it('is the same for the same content in another order, and another for any change', () => {
    const { version, ...rest } = defaultPolicy;
    expect(policyHash({ ...rest, version })).toBe(policyHash(defaultPolicy));
    expect(policyHash({ ...defaultPolicy, onCall: 'somebody-else' })).not.toBe(policyHash(defaultPolicy));
    expect(policyHash(defaultPolicy)).toMatch(/^[0-9a-f]{64}$/);
  });
});
