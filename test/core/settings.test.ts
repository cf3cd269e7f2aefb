import { describe, expect, it } from 'vitest';
import { Refused } from '../../core/errors.ts';
import { checkSettings, inflightSeconds, productionSettings, type Settings } from '../../core/settings.ts';
import { testSettings } from '../support/world.ts';

const pathsOf = (more: Partial<Settings>): string[] => {
  try {
    checkSettings({ ...productionSettings, ...more });
    return [];
  } catch (error) {
    return error instanceof Refused ? error.problems.map(({ path }) => path) : [String(error)];
  }
};

describe('the settings', () => {
  it('of production, and of these tests, do not contradict themselves', () => {
    expect(checkSettings(productionSettings)).toBe(productionSettings);
    expect(checkSettings(testSettings)).toBe(testSettings);
  });

  it('give production an in-flight bound of 125 seconds', () => {
    expect(inflightSeconds(productionSettings)).toBe(125);
  });

  it.each<[name: string, more: Partial<Settings>, paths: string[]]>([
    ['calls that just do not fit into a function', { callSeconds: 11 }, ['functionSeconds']],
    ['calls that just fit', { callSeconds: 10.9 }, []],
    ['more destinations per attempt than there is time for', { destinationsPerAttempt: 2 }, ['functionSeconds']],
    ['several destinations and the time for them', { destinationsPerAttempt: 2, functionSeconds: 80 }, []],
    ['a tier that is never looked at', { sweepSeconds: { high: 0, medium: 3600, low: 21_600 } }, ['sweepSeconds.high']],
    ['a tier that is looked at before', { sweepSeconds: { high: 300, medium: -60, low: 21_600 } }, ['sweepSeconds.medium']],
    ['half a destination per attempt', { destinationsPerAttempt: 0.5 }, ['destinationsPerAttempt']],
    ['orphans that live for less than three rounds', { orphanSeconds: 179 }, ['orphanSeconds']],
    ['an operation stuck before its function could end', { stuckSeconds: 60 }, ['stuckSeconds']],
    ['nothing', { settleSeconds: 0 }, ['settleSeconds']],
    ['what is no number', { skewSeconds: Number.NaN }, ['skewSeconds']],
    ['what never ends', { reconcileSeconds: Number.POSITIVE_INFINITY }, ['reconcileSeconds', 'orphanSeconds']],
    ['several faults at once', { stuckSeconds: -1, orphanSeconds: 1 }, ['stuckSeconds', 'orphanSeconds', 'stuckSeconds']],
  ])('with %s are refused by name', (_name, more, paths) => {
    expect(pathsOf(more)).toEqual(paths);
  });
});
