import { describe, expect, it } from 'vitest';
import { IllegalMove } from '../../core/errors.ts';
import { isDead, isEnding, moveVersion, type VersionState, versionMoves } from '../../core/version.ts';

const states: readonly VersionState[] = ['minting', 'issued', 'live', 'disabling', 'disabled', 'destroyed', 'orphaned'];
const arrows = [
  'minting>issued',
  'minting>disabling',
  'minting>destroyed',
  'issued>live',
  'issued>disabling',
  'live>disabling',
  'disabling>disabled',
  'disabled>destroyed',
  'orphaned>disabling',
];
const pairs = states.flatMap((from) => states.map((to) => ({ from, to }))).filter(({ from, to }) => from !== to);

describe('the state of a version', () => {
  it.each(pairs.filter(({ from, to }) => !arrows.includes(`${from}>${to}`)))('cannot go from $from to $to', ({ from, to }) => {
    expect(() => moveVersion(from, to)).toThrow(IllegalMove);
  });

  it.each(pairs.filter(({ from, to }) => arrows.includes(`${from}>${to}`)))('goes from $from to $to', ({ from, to }) => {
    expect(moveVersion(from, to)).toBe(to);
  });

  it('may stay what it is, so that a step run again records the same', () => {
    for (const state of states) expect(moveVersion(state, state)).toBe(state);
  });

  it('never comes back: from no state does any way lead to one that the provider accepts, once it is ending', () => {
    const reachable = (from: VersionState): VersionState[] => versionMoves[from].flatMap((to) => [to, ...reachable(to)]);
    for (const state of states.filter(isEnding)) expect(reachable(state).filter((to) => !isEnding(to))).toEqual([]);
  });

  it('is ending once the provider was told, and dead only once that was proven', () => {
    expect(states.filter(isEnding)).toEqual(['disabling', 'disabled', 'destroyed']);
    expect(states.filter(isDead)).toEqual(['disabled', 'destroyed']);
  });
});
