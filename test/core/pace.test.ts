import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitInstallation } from '../../core/installation.ts';
import { slotOf } from '../../core/inventory.ts';
import { getKey } from '../../core/items.ts';
import { planRotation } from '../../core/plan.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import type { PlannedHold, Policy, Window } from '../../core/policy.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { revoke } from '../../core/revoke/begin.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { sweep } from '../../core/sweep.ts';
import { instant, after as later } from '../../core/time.ts';
import { end, revokes, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, testPolicy, type World, world } from '../support/world.ts';

let w: World;
const day = 86_400;
const fire = () => sweep(w.ports, { tier: 'medium' });
const now = () => instant(w.ports.clock.now());
const start = (more: Partial<Policy>) => {
  // One principal is enough for all of its keys.
  w = world({ reconciler: false, policy: { ...testPolicy, ...more }, provider: { traits: { maxLive: 100 } } });
};
/** Keys of one vendor, all due. */
const dueKeys = async (count: number) => {
  for (let i = 0; i < count; i++) await adopted(w, testFacts({ id: `team/key-${i}`, exclusive: false }));
  await w.pass(day);
};
const pace = (more: Partial<Policy['pace']>): Pick<Policy, 'pace'> => ({ pace: { ...defaultPolicy.pace, ...more } });
const reasons = (skipped: readonly { readonly reason: string }[]) => skipped.map(({ reason }) => reason);

afterEach(() => end(w));

describe('the pace of a provider', () => {
  it('lets no more rotations be at work at once than the policy says; one that waits for its consumers makes room', async () => {
    start(pace({ atOnce: 2 }));
    await dueKeys(4);
    const first = await fire();
    expect([first.started.length, reasons(first.skipped)]).toEqual([2, ['pace:at-once', 'pace:at-once']]);
    for (const keyId of first.started) await untilStep(w, keyId, 'confirm');
    const second = await fire();
    expect([second.started.length, second.skipped]).toEqual([2, []]);
  });

  it('lets no more start in an hour than is left beside the share of revocations', async () => {
    start(pace({ perHour: 10, revokeShare: 0.7 }));
    await dueKeys(5);
    const first = await fire();
    expect([first.started.length, reasons(first.skipped)]).toEqual([3, ['pace:per-hour', 'pace:per-hour']]);
    await w.pass(600);
    expect((await fire()).started).toEqual([]);
    await w.pass(3600 - ((w.ports.clock.now() / 1000) % 3600));
    expect((await fire()).started).toHaveLength(2);
  });

  it('may be another for one provider, and what somebody asked for goes first', async () => {
    start(pace({ providers: { memory: { atOnce: 1, perHour: 100 } } }));
    await dueKeys(3);
    await w.ports.inventory.update(
      { pk: 'KEY#team/key-2', sk: 'META' },
      { set: { dueNow: { cause: 'departure', message: 'ana left', at: now() } } },
    );
    const { started, skipped } = await fire();
    expect([started, skipped.length]).toEqual([['team/key-2'], 2]);
    expect((await getKey(w.ports, 'team/key-2')).rotation?.reason).toBe('departure');
  });

  it('is nothing to a revocation, which has the provider to itself while it is at work', async () => {
    start(pace({ atOnce: 1 }));
    await dueKeys(3);
    expect((await fire()).started).toHaveLength(1);
    const answers = await Promise.all(['team/key-0', 'team/key-1', 'team/key-2'].map((keyId) => revokes(w, keyId)));
    expect(new Set(answers.flatMap(({ versions }) => versions.map(({ firstDisable }) => firstDisable)))).toEqual(new Set(['disabled']));
    await adopted(w, testFacts({ id: 'team/other', exclusive: false }));
    await reconcile(w.ports);
    await w.ports.inventory.update(
      { pk: 'KEY#team/other', sk: 'META' },
      { set: { nextDueAt: now(), [slotOf('due').partitionKey]: 'due#0', [slotOf('due').sortKey]: `${now()}#team/other` } },
    );
    expect(await fire()).toMatchObject({ started: [], skipped: [{ keyId: 'team/other', reason: 'pace:revocation' }] });
    await w.pass(60);
    expect((await fire()).started).toEqual(['team/other']);
  });

  it('is kept by two firings at the same moment together', async () => {
    start(pace({ atOnce: 3 }));
    await dueKeys(6);
    const fired = await Promise.all([fire(), fire()]);
    expect(new Set(fired.flatMap(({ started }) => started)).size).toBe(3);
  });
});

describe('a planned hold', () => {
  const hold: PlannedHold = {
    name: 'year-end',
    reason: 'the shop is full',
    when: {},
    from: '2026-01-06T00:00:00.000Z',
    until: '2026-01-10T00:00:00.000Z',
  };
  beforeEach(async () => {
    start({ holds: [hold] });
    await dueKeys(1);
  });

  it('lets neither the schedule nor a person start a rotation, and says until when', async () => {
    expect(await fire()).toMatchObject({ started: [], skipped: [{ keyId: 'team/key-0', reason: 'planned-hold' }] });
    const asked = beginRotation(w.ports, { keyId: 'team/key-0', reason: 'now', trigger: 't' }, 'ana');
    await expect(asked).rejects.toMatchObject({
      code: 'E_HELD',
      message: expect.stringContaining('2026-01-10T00:00:00.000Z: year-end, the shop is full'),
    });
    expect((await planRotation(w.ports, 'team/key-0')).blockedBy).toEqual([expect.stringContaining('year-end')]);
  });

  it('never stops a revocation, nor the reissue after it', async () => {
    const facts = testFacts({ id: 'team/key-0', exclusive: false });
    services(w, facts);
    const { versions } = await revoke(
      w.ports,
      { keyId: 'team/key-0', scope: 'all', reason: 'leak', source: 'ticket', requestId: 'request-1' },
      'responder',
    );
    expect(versions).toMatchObject([{ firstDisable: 'disabled' }]);
    await w.until(async () => (await getKey(w.ports, 'team/key-0')).state === 'active');
    expect((await getKey(w.ports, 'team/key-0')).current).toBe(2);
  });

  it('is over by itself', async () => {
    await w.pass(5 * day);
    expect((await fire()).started).toEqual(['team/key-0']);
  });
});

describe('a window', () => {
  const nights: Window = {
    name: 'nights',
    when: {},
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    from: '22:00',
    to: '23:00',
    zone: 'UTC',
  };

  it('keeps the schedule’s rotations for the time in which it is open, and no person’s', async () => {
    start({ windows: [nights] });
    await dueKeys(2);
    expect(reasons((await fire()).skipped)).toEqual(['window', 'window']);
    await beginRotation(w.ports, { keyId: 'team/key-1', reason: 'now', trigger: 't' }, 'ana');
    await w.pass(14 * 3600);
    expect((await fire()).started).toEqual(['team/key-0']);
  });

  it('does not keep what has a cause, or a version that is past its life', async () => {
    start({ windows: [nights] });
    await dueKeys(2);
    await w.ports.inventory.update(
      { pk: 'KEY#team/key-0', sk: 'META' },
      { set: { dueNow: { cause: 'departure', message: 'ana left', at: now() } } },
    );
    await w.ports.inventory.update({ pk: 'KEY#team/key-1', sk: 'META' }, { set: { currentMadeAt: later(now(), -30 * day) } });
    expect((await fire()).started.toSorted()).toEqual(['team/key-0', 'team/key-1']);
  });
});

describe('a pause', () => {
  it('stops everything that the schedule would start until it ends, and no revocation', async () => {
    start({});
    await dueKeys(1);
    const pause = { reason: 'the vendor is down', by: 'ana', since: now(), until: later(now(), 3600) };
    await commitInstallation(w.ports, () => ({ actor: 'ana', set: { pause }, events: [{ event: 'schedule.paused' }] }));
    expect(await fire()).toMatchObject({ started: [], skipped: [{ reason: 'paused' }] });
    await w.pass(3600);
    expect((await fire()).started).toEqual(['team/key-0']);
  });
});
