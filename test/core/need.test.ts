import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getKey, listVersions } from '../../core/items.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { registerKey } from '../../core/register.ts';
import { answerReview } from '../../core/reviews/answer.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { approveRevoke, declineRevoke } from '../../core/revoke/planned.ts';
import { releaseReissue } from '../../core/revoke/release.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { history, showKey } from '../../core/show.ts';
import { sweep } from '../../core/sweep.ts';
import { answer } from '../../requests/answer.ts';
import { end } from '../support/operations.ts';
import { adopted, testFacts, testPolicy, type World, world } from '../support/world.ts';

const day = 86_400;
const tier = {
  ...testPolicy.tiers.medium,
  rotateEverySeconds: 3650 * day,
  maxLifetimeSeconds: 5000 * day,
  dormantAfterSeconds: 30 * day,
  probeEverySeconds: day,
  soakSeconds: 2 * day,
};
const policy = { ...testPolicy, tiers: { high: tier, medium: tier, low: tier } };
const keyId = 'payments/stripe';

let w: World;
beforeEach(() => {
  // One look a day is enough where nothing happens by itself.
  w = world({ reconciler: false, policy, settings: { idleCheckSeconds: day, reconcileSeconds: 60 } });
});
afterEach(() => end(w));

const look = () => reconcile(w.ports);
const days = async (count: number, each: () => Promise<void> | void = () => undefined) => {
  for (let i = 0; i < count; i++) {
    await w.pass(day);
    await each();
    await look();
    await sweep(w.ports, { tier: 'medium' });
    await sweep(w.ports, { tier: 'high' });
  }
};
const use = async () => {
  const value = await w.ports.secrets.read(keyId, (await listVersions(w.ports, keyId)).at(-1)?.token ?? '');
  if (value) w.provider.use(value);
};
const dormant = () => listReviews(w.ports, { keyId, kind: 'dormant' });
const rules = async () => (await showKey(w.ports, keyId)).findings.map(({ rule }) => rule);
/** The workflow of a revocation runs to its end, and the reconciler looks. */
const settle = async () => {
  for (let i = 0; i < 12; i++) {
    await w.pass(60);
    await look();
  }
};

describe('POL-C5: a key that nobody uses', () => {
  it('is asked about when the tier’s time is over, once; a key in use never is', async () => {
    await adopted(w);
    await days(29);
    expect(await dormant()).toEqual([]);
    await days(3);
    const [review] = await dormant();
    expect(review).toMatchObject({ assignee: 'team-payments', cause: expect.stringContaining('never used') });
    expect(await rules()).toEqual(['dormant']);
    await days(3);
    expect(await dormant()).toHaveLength(1);
  });

  it('POL-C3: each day of use is on record with the vendor’s accuracy, and keeps it from being asked about', async () => {
    await adopted(w);
    await days(40, use);
    expect(await dormant()).toEqual([]);
    const used = (await history(w.ports, keyId)).filter(({ event }) => event === 'version.used');
    expect(used.length).toBeGreaterThan(30);
    expect(used[0]?.detail).toMatchObject({ version: 1, accuracySeconds: 0, at: expect.stringMatching(/^2026-01-06/) });
    expect(await rules()).toEqual([]);
  });

  it('that its owner needs all the same is asked about again a period later', async () => {
    await adopted(w);
    await days(32);
    const [review] = await dormant();
    await answerReview(w.ports, { reviewId: review?.id ?? '', answer: 'needed', note: 'the yearly report' }, 'ana');
    await days(25);
    expect(await dormant()).toHaveLength(1);
    await days(8);
    expect(await dormant()).toHaveLength(2);
  });

  it('whose vendor does not tell is never called unused', async () => {
    const silent = { ...w.ports, provider: () => ({ ...w.provider, lastUsed: async () => undefined }) };
    await adopted(w);
    for (let i = 0; i < 40; i++) {
      await w.pass(day);
      await reconcile(silent);
      await sweep(silent, { tier: 'medium' });
    }
    expect(await dormant()).toEqual([]);
    expect(await rules()).toEqual([]);
  });
});

describe('POL-C5: offboarding', () => {
  const goes = async (facts = testFacts()) => {
    await adopted(w, facts);
    await days(32);
    const [review] = await dormant();
    await answerReview(w.ports, { reviewId: review?.id ?? '', answer: 'not-needed', note: 'the shop is closed' }, 'ana');
  };

  it('begins with the answer of a named person, and ends with every version refused and deleted: retired, on record under that name', async () => {
    await goes();
    await settle();
    expect(w.provider.credentials().map(({ enabled }) => enabled)).toEqual([false]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'offboarding', current: null, nextDueAt: null, revocation: null });
    await days(4);
    expect(w.provider.credentials()).toEqual([]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'retired', attention: null });
    const told = (await history(w.ports, keyId)).filter(({ event }) => /^key\.(offboarding|retired)|^revocation\.requested/.test(event));
    expect(told.map(({ event, actor }) => [event, actor])).toEqual([
      ['key.offboarding-asked', 'ana'],
      ['revocation.requested', 'ana'],
      ['key.offboarding', 'reconciler'],
      ['key.retired', 'reconciler'],
    ]);
    expect(await rules()).toEqual([]);
    await expect(registerKey(w.ports, testFacts({ purpose: 'again' }), 'ana')).rejects.toMatchObject({ code: 'E_REVOKED' });
  });

  it('never begins by silence, however long it lasts', async () => {
    await adopted(w);
    await days(120);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active' });
    expect((await listReviews(w.ports, { keyId }))[0]).toMatchObject({ state: 'open', assignee: 'on-call', missedAt: expect.any(String) });
    expect(w.provider.credentials().every(({ enabled }) => enabled)).toBe(true);
  });

  it('of a high tier waits for the approval of somebody else, and for nothing else to change meanwhile', async () => {
    await goes(testFacts({ privileged: true }));
    await settle();
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', approval: { by: 'ana' } });
    await expect(beginRotation(w.ports, { keyId, reason: 'x', trigger: 'x' }, 'bob')).rejects.toMatchObject({ code: 'E_REVOKED' });
    await expect(approveRevoke(w.ports, { keyId }, 'ana')).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
    await approveRevoke(w.ports, { keyId }, 'bob');
    await settle();
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'offboarding' });
  });

  it('that is declined is over: the key goes on as before', async () => {
    await goes(testFacts({ privileged: true }));
    await settle();
    await declineRevoke(w.ports, { keyId, reason: 'the shop opens again' }, 'bob');
    await settle();
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', approval: null, offboard: null });
  });

  it('can be asked for without a review, and called back while the key is contained: it is issued again', async () => {
    await adopted(w);
    const asked = await answer(w.ports, 'key.offboard', { keyId, reason: 'closed' }, { actor: 'ana', via: 'operate' });
    expect(asked).toEqual({ keyId, state: 'active', waitsForApproval: false });
    await look();
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    await releaseReissue(w.ports, { keyId, mistake: false, reason: 'it is needed' }, 'bob');
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'active');
    expect(await getKey(w.ports, keyId)).toMatchObject({ offboard: null, current: 2 });
  });
});

describe('POL-V1 POL-G2 POL-C4: what is looked through again and again', () => {
  const open = async (kind: 'policy' | 'log') => listReviews(w.ports, { kind });
  const answerAs = (reviewId: string, word: string) => answerReview(w.ports, { reviewId, answer: word, note: 'looked' }, 'sam');

  it('the policy is asked about before its year is over, and 366 days without an answer are a breach', async () => {
    await look();
    await w.pass(334 * day);
    await look();
    expect(await open('policy')).toEqual([]);
    await w.pass(2 * day);
    await look();
    await look();
    const [review, ...more] = await open('policy');
    expect(more).toEqual([]);
    expect(review).toMatchObject({ assignee: defaultPolicy.reviews.reviewers[0], dueAt: expect.stringMatching(/^2027-01-05/) });
    await w.pass(30 * day);
    await look();
    const { breaches } = (await answer(w.ports, 'policy.show', {}, { actor: 'x', via: 'operate' })) as { breaches: { of: string }[] };
    expect(breaches.map(({ of }) => of)).toContain(review?.id);
    await answerAs(review?.id ?? '', 'kept');
    await look();
    expect(await open('policy')).toEqual([]);
  });

  it('the log every thirty days, again from its last answer on', async () => {
    await look();
    await w.pass(17 * day);
    await look();
    const [first] = await open('log');
    await answerAs(first?.id ?? '', 'nothing-found');
    await w.pass(15 * day);
    await look();
    expect(await open('log')).toEqual([]);
    await w.pass(2 * day);
    await look();
    expect(await open('log')).toHaveLength(1);
  });
});
