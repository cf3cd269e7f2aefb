import { describe, expect, it } from 'vitest';
import { type Budget, explore } from './explore.ts';
import { type SwitchName, switches, switchNamed } from './switches.ts';

const names = Object.keys(switches) as SwitchName[];

describe('the protocol, in every order in which its parts can happen, keeps its invariants and can always come to an end', () => {
  it.each<Budget>([
    { rotations: 1, revokes: 0, faults: 2 },
    { rotations: 2, revokes: 0, faults: 1 },
    { rotations: 1, revokes: 1, faults: 2 },
    // Also a second revocation that begins before the first has ended.
    { rotations: 1, revokes: 2, faults: 1 },
  ])(
    'with $rotations rotation(s), $revokes revocation(s) and $faults fault(s)',
    (budget) => {
      const { violation, states } = explore(budget);
      expect(violation).toBeNull();
      expect(states).toBeGreaterThan(1000);
    },
    120_000,
  );
});

describe('every mechanism that the protocol needs, taken out, breaks an invariant:', () => {
  it.each(names.filter((name) => 'breaks' in switches[name]))('%s', (name) => {
    const { breaks, shownWith } = switchNamed(name);
    const { violation } = explore(shownWith as Budget, new Set([name]));
    expect(violation?.invariant).toBe(breaks);
    expect(violation?.story.length).toBeGreaterThan(3);
  });
});

describe('a mechanism that is a second line of defence, taken out, breaks nothing, and the reason is on record:', () => {
  it.each(names.filter((name) => 'harmlessBecause' in switches[name]))('%s', (name) => {
    expect(explore({ rotations: 1, revokes: 1, faults: 1 }, new Set([name])).violation).toBeNull();
    expect(switchNamed(name).harmlessBecause).toMatch(/\.$/);
  });
});
