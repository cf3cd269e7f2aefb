import { describe, expect, it } from 'vitest';
import { boundaries, struckAt, unreached } from './boundaries.ts';
import { callFaults } from './faults/calls.ts';

const all = await boundaries('each site');

describe(`${all.length} boundaries, each an external write of a step and a way in which it can go wrong,`, () => {
  it('are at least as many as there were, and every effect of the registry has one', () => {
    console.info(
      `${all.length} boundaries: ${new Set(all.map(({ site }) => site)).size} external writes of steps, ${callFaults.length} faults`,
    );
    expect(all.length).toBeGreaterThanOrEqual(640);
    expect(unreached(all)).toEqual([]);
  });

  it.each(callFaults.map(({ name }) => name))(
    'hold every invariant when the write meets: %s',
    async (fault) => {
      const wrong: string[] = [];
      for (const boundary of all) {
        if (boundary.fault !== fault) continue;
        const seen = await struckAt(boundary);
        if (seen) wrong.push(seen);
      }
      expect(wrong).toEqual([]);
    },
    120_000,
  );
});
