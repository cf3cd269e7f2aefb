import { describe, expect, it } from 'vitest';
import { IllegalMove } from '../../core/errors.ts';
import { type KeyMove, type KeyState, keyMoves, moveKey } from '../../core/key.ts';

const states: readonly KeyState[] = [
  'registered',
  'active',
  'rotating',
  'rolling-back',
  'revoking',
  'contained',
  'reissuing',
  'offboarding',
  'retired',
];

/** Every arrow that there is, written out by hand: from > move > to. */
const arrows = `
registered>adopt>active  active>rotate>rotating  rotating>rotated>active  rotating>abort>rolling-back  rolling-back>rolled-back>active
registered>first-issue>rotating  rolling-back>first-issue-undone>registered
registered>revoke>revoking  active>revoke>revoking  rotating>revoke>revoking  rolling-back>revoke>revoking  revoking>revoke>revoking
contained>revoke>revoking  reissuing>revoke>revoking  offboarding>revoke>revoking
revoking>contain>contained  contained>reissue>reissuing  reissuing>reissued>active
active>offboard>offboarding  contained>offboard>offboarding  offboarding>offboarded>retired
`
  .trim()
  .split(/\s+/);

describe('the state of a key', () => {
  const moves = Object.keys(keyMoves) as KeyMove[];

  it('has exactly the arrows of its table', () => {
    const legal = states.flatMap((from) =>
      moves.flatMap((move) => {
        try {
          return [`${from}>${move}>${moveKey(from, move)}`];
        } catch {
          return [];
        }
      }),
    );
    expect(legal.sort()).toEqual([...arrows].sort());
  });

  it.each(
    states
      .flatMap((from) => moves.map((move) => ({ from, move })))
      .filter(({ from, move }) => !arrows.some((arrow) => arrow.startsWith(`${from}>${move}>`))),
  )('cannot go from $from by $move', ({ from, move }) => {
    expect(() => moveKey(from, move)).toThrow(IllegalMove);
  });

  it('can be revoked from everywhere but the end', () => {
    expect(states.filter((from) => (keyMoves.revoke.from as readonly string[]).includes(from))).toEqual(
      states.filter((state) => state !== 'retired'),
    );
  });
});
