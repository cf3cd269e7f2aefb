import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backed } from './backed.ts';
import { catalogue, killers, textsOf } from './catalogue.ts';
import { conditionsOf } from './conditions.ts';
import { hunt } from './hunters.ts';
import { coreFiles, type ThrowAway, throwAway } from './throw-away.ts';

const rows = catalogue();

describe('the mutants', () => {
  it('can all be made of the code as it is: each edit finds its place exactly once', () => {
    expect(
      rows.flatMap(({ mutant }) => {
        try {
          return textsOf(mutant).size ? [] : [`${mutant.name} changes nothing`];
        } catch (error) {
          return [(error as Error).message];
        }
      }),
    ).toEqual([]);
  });

  it('are at least 28 besides the conditions, by different names', () => {
    expect(rows.filter(({ kind }) => kind !== 'condition').length).toBeGreaterThanOrEqual(28);
    expect(new Set(rows.map(({ mutant }) => mutant.name)).size).toBe(rows.length);
  });

  it('each have a known killer, or a second guard that is named; a new one is found by npm run mutants -- --only NAME --store', () => {
    const unexplained = rows.filter(({ mutant, because }) => !killers[mutant.name] && because === undefined);
    expect(unexplained.map(({ mutant }) => mutant.name)).toEqual([]);
    const names = new Set(rows.map(({ mutant }) => mutant.name));
    expect([...Object.keys(killers), ...Object.keys(backed)].filter((name) => !names.has(name))).toEqual([]);
  });

  it('leave out no condition of a write in the core', () => {
    const files = coreFiles();
    const written = files.flatMap(({ text }) => text.match(/\bis: '|\bitem: '(?:exists|absent)'/g) ?? []).length;
    const fences = conditionsOf(files).filter(({ name }) => / fence( \(\d+\))?$/.test(name)).length;
    expect(conditionsOf(files).length).toBeGreaterThanOrEqual(written);
    expect(fences).toBeGreaterThan(8);
  });
});

describe('a mutant', () => {
  let copy: ThrowAway;
  beforeAll(() => {
    copy = throwAway();
  });
  afterAll(() => copy.end());

  it.each(['confirm back', 'pinned versions', 'attribution'])(
    'without the mechanism "%s" does not survive the history that is known to kill it',
    async (name) => {
      const row = rows.find(({ mutant }) => mutant.name === name);
      const killer = killers[name];
      if (!row || !killer || !('by' in killer)) throw new Error(`no history kills ${name}`);
      const texts = textsOf(row.mutant, copy.path);
      const { death } = await copy.holding(texts, () => hunt(copy.path, { known: [killer.by], shows: row.mutant.shows ?? [], seeds: 0 }));
      expect(death?.invariants.length).toBeGreaterThan(0);
      expect((await hunt(copy.path, { known: [killer.by], shows: [], seeds: 0 })).death).toBeNull();
    },
    60_000,
  );
});
