import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installationState } from '../../core/installation.ts';
import { getKey } from '../../core/items.ts';
import { readJournal } from '../../core/journal.ts';
import { applyPolicy } from '../../core/policy/apply-policy.ts';
import { policyHash } from '../../core/policy/policy-hash.ts';
import { notePolicyFile } from '../../core/policy/refused-policy.ts';
import type { Policy } from '../../core/policy.ts';
import type { Ports } from '../../core/ports.ts';
import { history } from '../../core/show.ts';
import { sweep } from '../../core/sweep.ts';
import { end } from '../support/operations.ts';
import { adopted, testFacts, testPolicy, type World, world } from '../support/world.ts';

let w: World;
beforeEach(() => {
  w = world({ reconciler: false, provider: { traits: { maxLive: 1000 } } });
});
afterEach(() => end(w));

const day = 86_400;
/** Everything internal is of tier high, and high is rotated twice as often. */
const stricter: Policy = {
  ...testPolicy,
  version: '2',
  tierRules: [{ tier: 'high', because: 'everything is', when: {} }],
  tiers: { ...testPolicy.tiers, high: { ...testPolicy.tiers.high, rotateEverySeconds: day / 2 } },
};
const under = (policy: Policy): Ports => ({ ...w.ports, policy });
const keys = async (count: number) => {
  for (let i = 0; i < count; i++) await adopted(w, testFacts({ id: `team/key-${i}`, exclusive: false }));
};
const journal = async () => (await readJournal(w.ports, 'INSTALLATION')).map(({ event, detail }) => ({ event, ...detail }));

describe('POL-G4 POL-M6: another policy', () => {
  it('takes effect on every key, and its hash is on record before and after, with how many changed', async () => {
    await keys(3);
    await applyPolicy(under(testPolicy), 60);
    const before = await getKey(w.ports, 'team/key-0');
    expect(await applyPolicy(under(stricter), 60)).toEqual([expect.stringMatching(/in effect; 3 keys changed/)]);
    const after = await getKey(w.ports, 'team/key-0');
    expect(after.tier).toBe('high');
    expect((after.nextDueAt ?? '') < (before.nextDueAt ?? '')).toBe(true);
    expect((await history(w.ports, 'team/key-0')).at(-1)).toMatchObject({
      event: 'key.derived',
      detail: { policy: policyHash(stricter), tier: 'high', from: 'medium', because: 'everything is', due: after.nextDueAt },
    });
    const [first, second] = [policyHash(testPolicy), policyHash(stricter)];
    expect(await journal()).toMatchObject([
      { event: 'policy.applying', policy: first, from: 'none' },
      { event: 'policy.applied', policy: first, changed: 0 },
      { event: 'policy.applying', policy: second, version: '2', from: first },
      { event: 'policy.applied', policy: second, from: first, changed: 3 },
    ]);
    expect((await installationState(w.ports)).policy).toMatchObject({ hash: second, version: '2' });
  });

  it('changes what the schedule does', async () => {
    await keys(1);
    await applyPolicy(under(testPolicy), 60);
    await w.pass(day / 2);
    expect((await sweep(under(testPolicy), { tier: 'medium' })).started).toEqual([]);
    await applyPolicy(under(stricter), 60);
    expect((await sweep(under(stricter), { tier: 'high' })).started).toEqual(['team/key-0']);
  });

  it('postpones as well as it hastens: dates are derived, not remembered', async () => {
    await keys(1);
    await applyPolicy(under(stricter), 60);
    const { nextDueAt } = await getKey(w.ports, 'team/key-0');
    await applyPolicy(under(testPolicy), 60);
    expect(((await getKey(w.ports, 'team/key-0')).nextDueAt ?? '') > (nextDueAt ?? '')).toBe(true);
  });

  it('that is in effect costs one read, and the same content under other comments is the same policy', async () => {
    await keys(1);
    await applyPolicy(under(testPolicy), 60);
    let calls = 0;
    const inventory = new Proxy(w.ports.inventory, {
      get(target, name) {
        calls += 1;
        return Reflect.get(target, name);
      },
    });
    expect(await applyPolicy({ ...w.ports, inventory, policy: { ...testPolicy } }, 60)).toEqual([]);
    expect(calls).toBe(1);
  });

  it('goes on where a run that was cut off stopped, and reaches every key once', async () => {
    await keys(450);
    await applyPolicy(under(testPolicy), 600);
    expect(await applyPolicy(under(stricter), 0)).toEqual([expect.stringMatching(/taking effect/)]);
    expect((await installationState(w.ports)).applying).toMatchObject({ hash: policyHash(stricter), changed: 200 });
    expect(await applyPolicy(under(stricter), 0)).toEqual([expect.stringMatching(/taking effect/)]);
    expect(await applyPolicy(under(stricter), 0)).toEqual([expect.stringMatching(/450 keys changed/)]);
    for (let i = 0; i < 450; i++) expect((await getKey(w.ports, `team/key-${i}`)).tier).toBe('high');
  });

  it('that gives way to a newer one before it reached every key begins again', async () => {
    await keys(250);
    await applyPolicy(under(testPolicy), 600);
    await applyPolicy(under(stricter), 0);
    expect(await applyPolicy(under({ ...testPolicy, version: '3' }), 600)).toEqual([expect.stringMatching(/200 keys changed/)]);
    expect((await getKey(w.ports, 'team/key-7')).tier).toBe('medium');
  });
});

describe('row 36: a policy file that is refused', () => {
  const refused = {
    file: 'policy.yaml',
    message: 'is not a policy',
    problems: [{ path: 'policy.yaml, line 3, column 5: tiers', message: 'is missing' }],
  };

  it('is on record once, with where and why, until the file is good again', async () => {
    const note = (what: typeof refused | null) => notePolicyFile(w.ports, what, '2026-01-05T08:00:00.000Z');
    await note(null);
    await note(refused);
    await note(refused);
    expect((await installationState(w.ports)).refused).toEqual({ ...refused, since: '2026-01-05T08:00:00.000Z' });
    await note(null);
    expect((await installationState(w.ports)).refused).toBeNull();
    expect(await journal()).toMatchObject([
      { event: 'policy.refused', first: 'policy.yaml, line 3, column 5: tiers is missing' },
      { event: 'policy.accepted' },
    ]);
  });
});
