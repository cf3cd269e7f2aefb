import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { slotOf } from '../../core/inventory.ts';
import { getKey, metaKey } from '../../core/items.ts';
import type { Key } from '../../core/key.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import type { Policy } from '../../core/policy.ts';
import { registerKey } from '../../core/register.ts';
import { answerReview } from '../../core/reviews/answer.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { history, showKey } from '../../core/show.ts';
import { sweep } from '../../core/sweep.ts';
import { after as later, milliseconds } from '../../core/time.ts';
import { end, passInflight, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, testPolicy, type World, world } from '../support/world.ts';

let w: World;
beforeEach(() => {
  w = world({ reconciler: false, policy });
});
afterEach(() => end(w));

const hour = 3600;
const day = 24 * hour;
const tier = {
  ...testPolicy.tiers.medium,
  rotateEverySeconds: 10 * day,
  maxLifetimeSeconds: 15 * day,
  toleranceSeconds: hour,
  remindBeforeSeconds: [3 * day, day],
};
const policy: Policy = { ...testPolicy, tiers: { high: tier, medium: tier, low: tier } };

const key = () => getKey(w.ports, 'payments/stripe');
const fire = () => sweep(w.ports, { tier: 'medium' });
const events = async (...names: string[]) => (await history(w.ports, 'payments/stripe')).filter(({ event }) => names.includes(event));
const rules = async () => (await key()).breaches.map(({ rule }) => rule);
const passUntil = (at: string | null) => w.pass((milliseconds(at ?? '') - w.ports.clock.now()) / 1000);
/** Whether the sweep has anything to read of the key: the instant of its row in the due index. */
const rowAt = async () => String((await w.ports.inventory.get(metaKey('payments/stripe')))?.[slotOf('due').sortKey]).split('#')[0];

describe('POL-C8: a reminder', () => {
  it('is sent once for each of the policy’s times before the due date, to the key’s owner, and the index is read at none in between', async () => {
    await adopted(w);
    const { nextDueAt } = await key();
    const sent = () => w.notices.filter(({ type, audience }) => type === 'key.rotation.scheduled' && audience === '*');
    expect(await rowAt()).toBe(later(nextDueAt ?? '', -3 * day));
    await passUntil(later(nextDueAt ?? '', -3 * day));
    await fire();
    await fire();
    expect(sent().map(({ data }) => data.reason)).toEqual([`team-payments: it rotates at ${nextDueAt}`]);
    expect(await rowAt()).toBe(later(nextDueAt ?? '', -day));
    await passUntil(later(nextDueAt ?? '', -day));
    await fire();
    await fire();
    expect(sent()).toHaveLength(2);
    expect(await rowAt()).toBe(nextDueAt);
    expect(await events('reminder.sent')).toHaveLength(2);
  });

  it('that comes too late is one, and none comes once the key is due', async () => {
    await adopted(w);
    const { nextDueAt } = await key();
    await passUntil(later(nextDueAt ?? '', -hour));
    await fire();
    expect(w.notices.filter(({ type, audience }) => type === 'key.rotation.scheduled' && audience === '*')).toHaveLength(1);
    await passUntil(nextDueAt);
    await fire();
    expect(w.notices.filter(({ type, audience }) => type === 'key.rotation.scheduled' && audience === '*')).toHaveLength(1);
  });
});

describe('POL-I6 POL-W1: a key that is past its time', () => {
  const observed = testFacts({ mode: 'observe' });

  it('is a breach on record from its tolerance on, once, and another one when its version is past its life', async () => {
    await adopted(w, observed);
    const { nextDueAt, currentMadeAt } = await key();
    await passUntil(nextDueAt);
    await fire();
    expect(await rules()).toEqual([]);
    await w.pass(hour);
    await fire();
    await fire();
    expect(await rules()).toEqual(['overdue']);
    await passUntil(later(currentMadeAt ?? '', 15 * day));
    await fire();
    await fire();
    expect(await rules()).toEqual(['overdue', 'lifetime']);
    expect((await events('breach.opened')).map(({ detail }) => [detail['rule'], detail['since']])).toEqual([
      ['overdue', nextDueAt],
      ['lifetime', later(currentMadeAt ?? '', 15 * day)],
    ]);
    const { findings } = await showKey(w.ports, 'payments/stripe');
    expect(findings.map(({ rule }) => rule)).toEqual(['observe-only', 'lifetime', 'overdue']);
  });

  it('is none any more when it was rotated: both end by themselves, and that is on record', async () => {
    const facts = testFacts();
    await adopted(w, facts);
    await w.pass(16 * day);
    services(w, facts);
    await fire();
    expect(await rules()).toEqual([]);
    expect((await events('breach.opened')).map(({ detail }) => detail['rule'])).toEqual(['overdue', 'lifetime']);
    expect((await key()).rotation?.reason).toBe('lifetime');
    await untilIdle(w, 'payments/stripe');
    expect(await rules()).toEqual([]);
    expect((await events('breach.closed')).map(({ detail }) => detail['rule'])).toEqual(['overdue', 'lifetime']);
  });

  it('of which the version was rolled back to is as old as it was before', async () => {
    const facts = testFacts();
    await adopted(w, facts);
    const before = await key();
    await passUntil(before.nextDueAt);
    services(w, facts);
    await fire();
    await untilStep(w, 'payments/stripe', 'confirm');
    expect((await key()).currentMadeAt).toBe(before.nextDueAt);
    await requestRollback(w.ports, { keyId: 'payments/stripe', reason: 'test' }, 'ana');
    await untilIdle(w, 'payments/stripe');
    expect(await key()).toMatchObject({ current: 1, currentMadeAt: before.currentMadeAt });
  });
});

describe('POL-F11 POL-C5: an owner', () => {
  const reviewed: Policy = {
    ...policy,
    tiers: {
      ...policy.tiers,
      medium: { ...tier, rotateEverySeconds: 40 * day, maxLifetimeSeconds: 60 * day, accessReviewEverySeconds: 5 * day },
    },
  };

  it('is asked whether the key is still needed, once in the policy’s time, and again only when that was answered', async () => {
    await end(w);
    w = world({ reconciler: false, policy: reviewed });
    await adopted(w, testFacts({ owner: 'ana' }));
    await w.pass(5 * day - 1);
    await fire();
    expect(await listReviews(w.ports, {})).toEqual([]);
    await w.pass(1);
    await fire();
    await fire();
    const [review] = await listReviews(w.ports, {});
    expect(await listReviews(w.ports, {})).toMatchObject([{ kind: 'access', assignee: 'ana', subject: { id: 'payments/stripe' } }]);
    await w.pass(9 * day);
    await fire();
    expect(await listReviews(w.ports, {})).toHaveLength(1);
    await answerReview(w.ports, { reviewId: review?.id ?? '', answer: 'needed', note: 'it charges cards' }, 'ana');
    expect(await key()).toMatchObject({ reviewOpen: false, reviewedAt: '2026-01-19T08:00:00.000Z', state: 'active' });
    await w.pass(5 * day);
    await fire();
    expect(await listReviews(w.ports, {})).toHaveLength(1);
  });
});

describe('POL-F1: a key whose tier was raised', () => {
  it('says so when it comes due by the shorter schedule', async () => {
    await end(w);
    const longer = { ...tier, rotateEverySeconds: 30 * day, maxLifetimeSeconds: 45 * day };
    w = world({ reconciler: false, policy: { ...policy, tiers: { high: tier, medium: longer, low: longer } } });
    const facts = testFacts();
    await adopted(w, facts);
    await w.pass(20 * day);
    services(w, facts);
    await registerKey(w.ports, { ...facts, exposure: 'public' }, 'owner');
    await sweep(w.ports, { tier: 'high' });
    expect((await key()).rotation?.reason).toBe('lifetime');
    await untilIdle(w, 'payments/stripe');
    await passInflight(w);
    await registerKey(w.ports, facts, 'owner');
    // As if eleven days had passed since.
    const { lastEndedAt, currentMadeAt } = await key();
    const before = { lastEndedAt: later(lastEndedAt ?? '', -11 * day), currentMadeAt: later(currentMadeAt ?? '', -11 * day) };
    await w.ports.inventory.update(metaKey('payments/stripe'), { set: before });
    await registerKey(w.ports, { ...facts, exposure: 'public' }, 'owner');
    await sweep(w.ports, { tier: 'high' });
    expect((await key()).rotation?.reason).toBe('tier-raised');
  });
});

describe('POL-P4: a production key', () => {
  it('always has a date in the index of the schedule, from its first version on', async () => {
    const facts = testFacts({ environment: 'production', destinations: [{ id: 'a', kind: 'memory', at: 'a', environment: 'production' }] });
    await end(w);
    w = world({ reconciler: false, policy: { ...defaultPolicy } });
    await adopted(w, facts);
    const stored = (await key()) as Key;
    expect(stored.nextDueAt).not.toBeNull();
    expect(await rowAt()).toBe(later(stored.nextDueAt ?? '', -3 * day));
  });
});
