import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dueOf } from '../../core/due.ts';
import { explainKey } from '../../core/explain.ts';
import { findVersion, getKey } from '../../core/items.ts';
import type { Key, KeyFacts } from '../../core/key.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import type { Policy } from '../../core/policy.ts';
import { registerKey } from '../../core/register.ts';
import { history, listKeys, showKey } from '../../core/show.ts';
import { beginsRotation, end, passInflight, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, testPolicy, type World, world } from '../support/world.ts';

let w: World;
afterEach(() => end(w));

/** Tiers of different length, in the test's short times. */
const threeTiers: Policy = {
  ...testPolicy,
  tiers: {
    high: { ...testPolicy.tiers.high, rotateEverySeconds: 10_000 },
    medium: { ...testPolicy.tiers.medium, rotateEverySeconds: 30_000 },
    low: { ...testPolicy.tiers.low, rotateEverySeconds: 60_000 },
  },
};

const last = async (keyId: string, event: string) => (await history(w.ports, keyId)).findLast((entry) => entry.event === event);

describe('the due date of a key', () => {
  const kinds: readonly Partial<KeyFacts>[] = [
    { id: 'a/high', environment: 'production', destinations: [{ id: 'a', kind: 'memory', at: 'a', environment: 'production' }] },
    { id: 'a/public', exposure: 'public' },
    { id: 'a/medium' },
    { id: 'a/low', exposure: 'isolated' },
    { id: 'a/ending', expiresAt: '2026-01-05T14:00:00.000Z' },
  ];

  it('POL-W4: is derived, never typed: computed again it equals the stored one, for all keys, adopted, issued, rotated and reissued', async () => {
    const second = 1000;
    /** By hand: the period less up to a tenth by the id's hash, and never after the vendor's end less twice the longest overlap. */
    const byHand = (key: Key, madeAt: string): string => {
      const { rotateEverySeconds: every, overlapMaxSeconds: cap, toleranceSeconds } = threeTiers.tiers[key.tier];
      const share = (createHash('sha256').update(key.facts.id).digest().readUInt32BE(0) % 1000) / 1000;
      const byPeriod = Date.parse(madeAt) + Math.floor(every - (every / 10) * share) * second;
      const byVendor = key.facts.expiresAt ? Date.parse(key.facts.expiresAt) - 2 * cap * second : Number.POSITIVE_INFINITY;
      const again = key.lastEndedAt ? Date.parse(key.lastEndedAt) + toleranceSeconds * second : 0;
      return new Date(Math.max(Math.min(byPeriod, byVendor), again)).toISOString();
    };
    const due = async (keyId: string): Promise<[stored: string | null, computed: string]> => {
      const key = await getKey(w.ports, keyId);
      return [key.nextDueAt, byHand(key, (await findVersion(w.ports, keyId, key.current ?? 0))?.createdAt ?? '')];
    };
    for (const kind of kinds) {
      w = world({ policy: threeTiers });
      const facts = testFacts(kind);
      services(w, facts);
      const keyId = await adopted(w, facts);
      const dates: string[] = [];
      const same = async () => {
        const [stored, computed] = await due(keyId);
        expect(stored, keyId).toBe(computed);
        dates.push(stored ?? 'none');
      };
      await same();
      await beginsRotation(w, keyId);
      await untilIdle(w, keyId);
      await same();
      await passInflight(w);
      await revokes(w, keyId);
      await untilIdle(w, keyId);
      await same();
      expect(dates.filter((at) => at === 'none')).toEqual([]);
      await end(w);
    }
  });

  it('POL-T3: exists for a key of the lowest tier as well, once it has a version', async () => {
    w = world({ policy: threeTiers });
    const facts = testFacts({ exposure: 'isolated' });
    await registerKey(w.ports, facts, 'test');
    expect(await getKey(w.ports, facts.id)).toMatchObject({ tier: 'low', nextDueAt: null });
    await beginsRotation(w, facts.id);
    await untilIdle(w, facts.id);
    expect(await getKey(w.ports, facts.id)).toMatchObject({ tier: 'low', nextDueAt: expect.stringMatching(/^2026-01-0[56]T/) });
  });

  it('POL-T4 POL-K2: of a higher tier comes sooner, and another policy gives another date', () => {
    w = world();
    const key = {
      facts: testFacts(),
      current: 1,
      currentMadeAt: '2026-01-01T00:00:00.000Z',
      adopted: null,
      lastEndedAt: null,
      exceptedUntil: null,
    };
    const dates = (policy: Policy) => (['high', 'medium', 'low'] as const).map((tier) => dueOf({ ...key, tier }, policy) ?? '');
    const [high = '', medium = '', low = ''] = dates(defaultPolicy);
    expect(high < medium && medium < low).toBe(true);
    expect(dates(threeTiers)).not.toEqual([high, medium, low]);
  });
});

describe('POL-F1: a change of what a key is exposed to', () => {
  beforeEach(() => {
    w = world({ policy: threeTiers });
  });

  it('moves its due date earlier, and the history says why', async () => {
    const keyId = await adopted(w);
    const before = await getKey(w.ports, keyId);
    expect(await registerKey(w.ports, testFacts({ exposure: 'public' }), 'owner')).toMatchObject({ outcome: 'changed', tier: 'high' });
    const after = await getKey(w.ports, keyId);
    expect((after.nextDueAt ?? '') < (before.nextDueAt ?? '')).toBe(true);
    expect(await last(keyId, 'key.changed')).toMatchObject({
      actor: 'owner',
      detail: { from: 'medium', tier: 'high', because: 'it is exposed to the internet', due: after.nextDueAt },
    });
  });

  it('is changed back later, and so is the due date', async () => {
    const keyId = await adopted(w);
    const { nextDueAt } = await getKey(w.ports, keyId);
    await registerKey(w.ports, testFacts({ exposure: 'public' }), 'owner');
    await registerKey(w.ports, testFacts(), 'owner');
    expect(await getKey(w.ports, keyId)).toMatchObject({ tier: 'medium', nextDueAt });
  });

  it('that leaves the tier as it is never postpones anything', async () => {
    const keyId = await adopted(w);
    const { nextDueAt } = await getKey(w.ports, keyId);
    await w.pass(100);
    await registerKey(w.ports, testFacts({ purpose: 'refund cards' }), 'owner');
    expect(await getKey(w.ports, keyId)).toMatchObject({ nextDueAt, facts: { purpose: 'refund cards' } });
    await registerKey(w.ports, testFacts({ expiresAt: '2026-01-05T10:00:00.000Z' }), 'owner');
    expect((await getKey(w.ports, keyId)).nextDueAt).toBe('2026-01-05T09:40:00.000Z');
  });

  it('is refused while an operation runs, and the same facts again change nothing', async () => {
    const keyId = await adopted(w);
    const { audit } = await getKey(w.ports, keyId);
    expect(await registerKey(w.ports, testFacts(), 'owner')).toMatchObject({ outcome: 'unchanged' });
    expect((await getKey(w.ports, keyId)).audit).toEqual(audit);
    await beginsRotation(w, keyId);
    await expect(registerKey(w.ports, testFacts({ exposure: 'public' }), 'owner')).rejects.toMatchObject({ code: 'E_BUSY' });
  });
});

describe('POL-F8: what a key may do', () => {
  it('is copied to each new version, and never widened, whatever the facts say meanwhile', async () => {
    w = world();
    const facts = testFacts({ scopes: ['charges'] });
    services(w, facts);
    const keyId = await adopted(w, facts);
    await registerKey(w.ports, { ...facts, scopes: ['charges', 'refunds', 'admin'] }, 'owner');
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect((await findVersion(w.ports, keyId, 2))?.scopes).toEqual(['charges']);
    await passInflight(w);
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    expect((await findVersion(w.ports, keyId, 3))?.scopes).toEqual(['charges']);
  });
});

describe('POL-Q7: the questions about a key', () => {
  beforeEach(() => {
    w = world();
  });

  it('are all answered for a key whose record is whole', async () => {
    const keyId = await adopted(w);
    const { complete, answers } = await explainKey(w.ports, keyId);
    expect(complete).toBe(true);
    expect(answers.map(({ id }) => id)).toEqual(['POL-Q1', 'POL-Q2', 'POL-Q3', 'POL-Q4', 'POL-Q5', 'POL-Q6', 'POL-Q7']);
    for (const { answer, missing } of answers) {
      expect(answer.length).toBeGreaterThan(0);
      expect(answer.join(' ')).not.toMatch(/undefined|null|NaN|\[object|\[value/);
      expect(missing).toEqual([]);
    }
  });

  it('are answered as far as the record goes, and every gap is named under its question', async () => {
    const bare = testFacts({
      owner: '',
      purpose: '',
      consumers: [],
      destinations: [],
      monitors: [],
      incident: { contacts: [], reissue: 'held' },
    });
    await registerKey(w.ports, bare, 'test');
    const { complete, answers } = await explainKey(w.ports, bare.id);
    expect(complete).toBe(false);
    const quick = answers.find(({ id }) => id === 'POL-Q7');
    expect(quick?.missing).toEqual([
      'POL-Q1: an owner',
      'POL-Q2: a purpose',
      'POL-Q2: consumers: nobody is registered as using it',
      'POL-Q3: destinations',
      'POL-Q3: monitors',
      'POL-Q4: a due date: it has no version yet',
      'POL-Q5: incident contacts',
    ]);
  });

  it.each<[rule: string, facts: Partial<KeyFacts>]>([
    ['unmapped', { consumers: [] }],
    ['no-monitor', { monitors: [] }],
    ['no-incident-contact', { incident: { contacts: [], reissue: 'automatic' } }],
    ['observe-only', { mode: 'observe' }],
    ['too-many-readers', { readers: Array.from({ length: 11 }, (_, i) => `reader-${i}`) }],
    [
      'too-many-consumers',
      { consumers: Array.from({ length: 6 }, (_, i) => ({ ...testFacts().consumers[0], name: `c${i}` })) as KeyFacts['consumers'] },
    ],
  ])('POL-W5 POL-Q3 POL-M3: a record that breaks the rule %s is a finding with its owner, and a whole one is none', async (rule, facts) => {
    const keyId = await adopted(w, testFacts(facts));
    const { findings } = await showKey(w.ports, keyId);
    expect(findings).toMatchObject([{ rule, message: expect.any(String), owner: 'team-payments', since: '2026-01-05T08:00:00.000Z' }]);
  });

  it('POL-I6: a key that is past its date and tolerance is a finding that says since when', async () => {
    await end(w);
    w = world({ reconciler: false });
    const keyId = await adopted(w);
    expect((await listKeys(w.ports))[0]).toMatchObject({ findings: [], due: null });
    const { nextDueAt } = await getKey(w.ports, keyId);
    await w.pass(2 * 86_400);
    expect((await listKeys(w.ports))[0]).toMatchObject({ findings: [{ rule: 'overdue', since: nextDueAt }], due: 'never-rotated' });
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    expect((await listKeys(w.ports))[0]).toMatchObject({ findings: [] });
  });
});
