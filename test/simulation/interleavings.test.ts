import { describe, expect, it } from 'vitest';
import { type Act, asks, countWrites, happens, interleaved, reconciles, someOf } from './interleavings.ts';

/** Every write of a story, or those given, with the act right before it. Returns what broke. */
async function broken(story: string, act: Act, at?: readonly number[]): Promise<string[]> {
  const places = at ?? Array.from({ length: await countWrites(story) }, (_, i) => i + 1);
  const wrong: string[] = [];
  for (const place of places) {
    const seen = await interleaved(story, place, act);
    if (seen) wrong.push(seen);
  }
  return wrong;
}

describe('a revocation of everything, right before any one external write of', () => {
  it.each([
    'a rotation',
    'the first issue',
    'a rotation that is taken back',
    'a revocation of everything',
    'a second revocation before the first has ended',
    'a held reissue that is released',
  ])(
    '%s, holds every invariant',
    async (story) => {
      expect(await broken(story, asks('revoke everything'))).toEqual([]);
    },
    120_000,
  );
});

describe('right before any one external write of a rotation', () => {
  it.each(['take back', 'revoke previous', 'revoke current'] as const)(
    '%s holds every invariant',
    async (what) => {
      expect(await broken('a rotation', asks(what))).toEqual([]);
    },
    120_000,
  );
});

describe('at moments chosen by a seed,', () => {
  const pairs: readonly (readonly [string, string, Act])[] = [
    ['a rotation', 'a round of the reconciler', reconciles],
    ['a rotation that is taken back', 'a round of the reconciler', reconciles],
    ['a revocation of everything', 'a round of the reconciler', reconciles],
    ['a rotation', 'another rotation', asks('rotate')],
    ['a rotation', 'a change of facts', asks('change the facts')],
    ['a rotation', 'a hold', asks('hold')],
    ...['a rotation', 'a rotation that is taken back', 'a revocation of everything'].flatMap((story) =>
      [
        'an operator enables a dead credential',
        'an operator disables a live credential',
        'a stranger makes a credential',
        'somebody moves a label',
        'somebody overwrites a destination',
        'an execution is stopped',
        'an execution is redriven',
        'the machine loses power',
      ].map((name) => [story, name, happens(name)] as const),
    ),
  ];

  it.each(pairs)(
    '%s and %s hold every invariant',
    async (story, name, act) => {
      const places = someOf(await countWrites(story), 4, name.length + story.length);
      expect(await broken(story, act, places)).toEqual([]);
    },
    60_000,
  );
});
