import { describe, expect, it } from 'vitest';
import { Refused } from '../../core/errors.ts';
import { checkPolicy } from '../../core/policy/check-policy.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import type { TierPolicy } from '../../core/policy.ts';
import { productionSettings } from '../../core/settings.ts';

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
