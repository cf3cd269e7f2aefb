import { describe, expect, it } from 'vitest';
import { interleaved, type Place, placesOf, someOf } from './interleavings.ts';

/** Every place with the act right before its write. Returns what broke. */
async function broken(places: readonly Place[], act: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const place of places) {
    const [first] = (await interleaved(place, act)).breaches;
    if (first) wrong.push(`${place.story}, before ${place.site} (${place.nth}): ${first.invariant} ${first.seen}`);
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
    'repairs of an idle key',
  ])(
    '%s, holds every invariant',
    async (story) => {
      expect(await broken(await placesOf(story), 'revoke everything')).toEqual([]);
    },
    120_000,
  );
});

describe('right before any one external write of', () => {
  it.each([
    ['a rotation', 'take back'],
    ['a rotation', 'revoke previous'],
    ['a rotation', 'revoke current'],
    ['a rotation that is taken back', 'revoke previous'],
    ['a rotation that is taken back', 'revoke current'],
  ])(
    '%s, %s holds every invariant',
    async (story, act) => {
      expect(await broken(await placesOf(story), act)).toEqual([]);
    },
    120_000,
  );
});

describe('a worker that sleeps at any one external write until long after its function’s time-out, while everything is revoked,', () => {
  it.each(['a rotation', 'a rotation that is taken back', 'a revocation of everything', 'a held reissue that is released'])(
    'of %s, holds every invariant',
    async (story) => {
      const outside = (await placesOf(story)).filter(({ site }) => !site.includes(' inventory.'));
      expect(await broken(outside, 'a pause, and revoke everything')).toEqual([]);
    },
    120_000,
  );
});

describe('right before any one external write of a second rotation, everything that was ever begun', () => {
  it('runs once more and changes nothing', async () => {
    const places = await placesOf('a rotation after another');
    expect(await broken(places.slice(places.length / 2), 'everything is redriven')).toEqual([]);
  }, 120_000);
});

describe('at moments chosen by a seed,', () => {
  const outside = [
    'an operator enables a dead credential',
    'an operator disables a live credential',
    'a stranger makes a credential',
    'somebody moves a label',
    'somebody overwrites a destination',
    'an execution is stopped',
    'an execution is redriven',
    'everything is redriven',
    'the machine loses power',
    'a round of the reconciler',
  ];
  const pairs: readonly (readonly [story: string, act: string])[] = [
    ['a rotation', 'rotate'],
    ['a rotation', 'change the facts'],
    ['a rotation', 'hold'],
    ['a rotation', 'the answers of two creates are lost'],
    ['a revocation of everything', 'the answers of two creates are lost'],
    ...['a rotation', 'a rotation that is taken back', 'a revocation of everything'].flatMap((story) =>
      outside.map((act) => [story, act] as const),
    ),
  ];

  it.each(pairs)(
    '%s and %s hold every invariant',
    async (story, act) => {
      const places = someOf(await placesOf(story), 4, act.length + story.length);
      expect(await broken(places, act)).toEqual([]);
    },
    60_000,
  );
});
