import { describe, expect, it } from 'vitest';
import { Refused } from '../../core/errors.ts';
import { checkPolicy } from '../../core/policy/check-policy.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { overlapOf, type TierPolicy } from '../../core/policy.ts';
import { productionSettings } from '../../core/settings.ts';
import { consumerNamed, testFacts } from '../support/world.ts';

const high = defaultPolicy.tiers.high;
const problemsOf = (more: Partial<TierPolicy>): string[] => {
  try {
    checkPolicy({ ...defaultPolicy, tiers: { ...defaultPolicy.tiers, high: { ...high, ...more } } }, productionSettings);
    return [];
  } catch (error) {
    return error instanceof Refused ? error.problems.map(({ path }) => path) : [String(error)];
  }
};
const inflight = 125;

describe('a policy', () => {
  it('as it ships does not contradict itself', () => {
    expect(checkPolicy(defaultPolicy, productionSettings)).toBe(defaultPolicy);
  });

  it.each<[name: string, more: Partial<TierPolicy>, paths: string[]]>([
    [
      'whose period is exactly overlap, soak and two in-flight bounds',
      { rotateEverySeconds: high.overlapMaxSeconds + high.soakSeconds + 2 * inflight },
      ['tiers.high.rotateEvery'],
    ],
    ['whose period is a second more than that', { rotateEverySeconds: high.overlapMaxSeconds + high.soakSeconds + 2 * inflight + 1 }, []],
    ['that never rotates', { rotateEverySeconds: 0, remindBeforeSeconds: [] }, ['tiers.high.rotateEvery', 'tiers.high.rotateEvery']],
    [
      'that rotates every 10,000 days',
      { rotateEverySeconds: 10_000 * 86_400, maxLifetimeSeconds: 0 },
      ['tiers.high.rotateEvery', 'tiers.high.maxLifetime', 'tiers.medium.rotateEvery'],
    ],
    ['whose least overlap is more than its most', { overlapMinSeconds: high.overlapMaxSeconds + 1 }, ['tiers.high.overlapMin']],
    ['whose overlap is negative', { overlapMinSeconds: -1 }, ['tiers.high.overlapMin']],
  ])('%s is judged by the inequality', (_name, more, paths) => {
    expect(problemsOf(more)).toEqual(paths);
  });
});

describe('the overlap of a rotation', () => {
  const t: TierPolicy = { ...high, overlapMinSeconds: 100, overlapMaxSeconds: 1000 };
  const slow = (refreshSeconds: number) => testFacts({ consumers: [consumerNamed('api'), { ...consumerNamed('slow'), refreshSeconds }] });

  it.each<[name: string, facts: ReturnType<typeof testFacts>, minSeconds: number]>([
    ['is the tier’s least', testFacts(), 100],
    ['is what the owner asks for', testFacts({ overlapSeconds: 300 }), 300],
    ['is twice the slowest consumer’s refresh, when that is more', slow(80), 160],
    ['is never less than that, whatever the owner asks for', { ...slow(80), overlapSeconds: 10 }, 160],
    ['is never more than the tier’s most', testFacts({ overlapSeconds: 5000 }), 1000],
    ['of a key without consumers is the tier’s least', testFacts({ consumers: [] }), 100],
  ])('%s', (_name, facts, minSeconds) => {
    expect(overlapOf(facts, t)).toMatchObject({ minSeconds, maxSeconds: 1000 });
  });

  it('says how it came about', () => {
    expect(overlapOf(slow(80), t).because).toBe('the larger of 100 s asked and 2 × 80 s refresh, at most 1000 s');
  });
});
