import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { named } from './faults/named.ts';
import { faultKinds } from './faults/registry.ts';
import { runHistory } from './history.ts';
import { invariants } from './invariants/registry.ts';
import { planOf } from './plan.ts';
import { regressions } from './regressions.ts';
import { emptyTally, runSeed, shrink } from './seeds.ts';
import { stories } from './stories.ts';
import { failureInWords } from './telling.ts';

describe('seeded histories of the real product under faults', () => {
  it('hold every invariant', async () => {
    const tally = emptyTally();
    for (let seed = 1; seed <= 150; seed++) await runSeed(seed, tally);
    expect(tally.broken).toEqual([]);
    expect(tally.checks).toBeGreaterThan(100_000);
  }, 120_000);

  it.each(regressions)('hold every invariant where once $was', async ({ plan }) => {
    const { breaches } = await runHistory(plan);
    expect(breaches).toEqual([]);
  });

  it('are the same byte for byte when their seed is the same, also in another process', async () => {
    const text = async (seed: number) => (await runHistory(planOf(seed))).lines.join('\n');
    const digest = (all: readonly string[]) => createHash('sha256').update(all.join('\n')).digest('hex');
    const here = [await text(3), await text(17), await text(31)];
    expect([await text(3), await text(17), await text(31)]).toEqual(here);
    expect(await text(4)).not.toBe(here[0]);
    const code = `
      const { runHistory } = await import('./test/simulation/history.ts');
      const { planOf } = await import('./test/simulation/plan.ts');
      const all = [];
      for (const seed of [3, 17, 31]) all.push((await runHistory(planOf(seed))).lines.join('\\n'));
      const { createHash } = await import('node:crypto');
      console.log(createHash('sha256').update(all.join('\\n')).digest('hex'));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
    expect(stdout.trim()).toBe(digest(here));
  }, 60_000);
});

describe('the simulation', () => {
  it('knows at least 32 kinds of faults, and meets each of them', async () => {
    expect(new Set(faultKinds.map(({ name }) => name)).size).toBeGreaterThanOrEqual(32);
    const plan = stories['a rotation'];
    const unmet: string[] = [];
    for (const { name } of faultKinds) {
      const faults = [0, 4, 12, 40, 65].map((atSeconds) => ({ kind: name, atSeconds, lastsSeconds: 20, skip: 0 }));
      const requests = [
        { what: 'rotate', atSeconds: 0, key: 0 },
        { what: 'revoke everything', atSeconds: 60, key: 0 },
      ] as const;
      const { struck, breaches } = await runHistory({ ...plan!, requests, faults });
      if (!struck.has(name) || breaches.length) unmet.push(`${name} ${breaches.map(({ seen }) => seen)}`);
    }
    expect(unmet).toEqual([]);
  }, 60_000);

  it('has a fault for everything that the protocol names, or says why there is none', () => {
    const known = new Set(faultKinds.map(({ name }) => name));
    const faults = Object.values(named).flatMap((is) => (typeof is === 'string' ? [] : is));
    expect(faults.filter((name) => !known.has(name))).toEqual([]);
    const unnamed = [...known].filter((name) => !faults.includes(name));
    // More than the protocol asks for.
    expect(unnamed.sort()).toEqual(
      [
        'an operator disables a live credential',
        'destinations do not answer',
        'error before',
        'services fall silent',
        'services send wrong proofs',
        'the machine loses power',
        'the orchestrator is down',
      ].sort(),
    );
  });

  it('names INV-1 to INV-30 and the guards of the transitions, each with a sentence and something that looks', () => {
    const numbered = invariants.map(({ id }) => id).filter((id) => id.startsWith('INV-'));
    expect(numbered).toEqual(Array.from({ length: 30 }, (_, i) => `INV-${i + 1}`));
    expect(invariants.filter(({ sentence, onWrite, onLook, atEnd }) => !sentence || !(onWrite || onLook || atEnd))).toEqual([]);
  });

  it('sees it when somebody cuts a service off, and tells the story', async () => {
    const history = await runHistory(stories['a rotation']!, {
      beforeWrite: async (_call, count, { oracle }) => {
        const [record] = oracle.keys.values();
        if (count === 8 && record) await record.provider.disable({ keyId: '', account: '', params: {} }, 'vendor-1-cred-0001');
      },
    });
    expect(history.breaches.map(({ invariant }) => invariant)).toContain('INV-12');
    expect(failureInWords(1, history)).toContain('no consumer is ever refused');
  });

  it('finds the smallest plan of a seed that holds everything to be that very plan', async () => {
    expect((await shrink(5)).plan).toEqual(planOf(5));
  });
});
