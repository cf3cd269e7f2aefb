import { afterEach, describe, expect, it } from 'vitest';
import { beginDrill, nextCanary } from '../../core/drills/begin.ts';
import type { DrillResult } from '../../core/drills/drill.ts';
import { drillFaults, faultOf } from '../../core/drills/faults.ts';
import { type CanaryView, canariesOf, listDrills } from '../../core/drills/last.ts';
import { runbookOf } from '../../core/drills/runbook.ts';
import { setHold } from '../../core/hold.ts';
import { getKey } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import { planRevocation } from '../../core/plan.ts';
import type { Policy } from '../../core/policy.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { registerKey } from '../../core/register.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { history, showKey } from '../../core/show.ts';
import { sweep } from '../../core/sweep.ts';
import { type Door, doors } from '../../infra/doors.ts';
import type { Right } from '../../workflows/steps.ts';
import { fleet } from '../support/fleet.ts';
import { limited } from '../support/limited.ts';
import { end, revokes, untilIdle } from '../support/operations.ts';
import { adopted, testFacts, testPolicy, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
afterEach(() => end(w));

const hour = 3600;
const day = 24 * hour;
const { medium } = testPolicy.tiers;
const tier = {
  ...medium,
  rotateEverySeconds: 100 * day,
  maxLifetimeSeconds: 120 * day,
  drillEverySeconds: 6 * hour,
  targets: { ...medium.targets, restoreSeconds: hour },
};
const policy: Policy = { ...testPolicy, tiers: { high: tier, medium: tier, low: tier } };

const canary: KeyFacts = testFacts({
  id: 'canary/memory',
  canary: true,
  consumers: [],
  destinations: [{ id: 'drill', kind: 'memory', at: 'drill', environment: 'staging' }],
});
const keyId = canary.id;

async function withCanary(options: WorldOptions = {}): Promise<void> {
  w = world({ policy, ...options });
  await adopted(w, canary);
}

const drills = async (requestId: string, fault?: string) => {
  await w.pass(30);
  await beginDrill(w.ports, { keyId, requestId, fault }, 'responder');
  return ended();
};
const view = async () => (await listDrills(w.ports)).find((one) => one.keyId === keyId) as CanaryView;
const ended = async () => {
  await w.until(async () => (await getKey(w.ports, keyId)).drill === null, 3 * day);
  return (await getKey(w.ports, keyId)).drilled as DrillResult;
};
const fire = () => sweep(w.ports, { tier: 'medium' });
const found = async () => (await showKey(w.ports, keyId)).findings.map(({ rule }) => rule);
const lastDrill = async () => (await planRevocation(w.ports, { keyId, scope: 'all' })).lastDrill;

describe('POL-R7 POL-M5: a drill', () => {
  it.each(Object.keys(drillFaults))(
    'POL-K3 POL-R8: rotates, revokes and restores a canary through the fault %s, and records every time',
    async (fault) => {
      await withCanary();
      const result = await drills('d1', fault);
      expect(result).toMatchObject({ passed: true, failures: [], fault, number: 1, provider: 'memory', by: 'responder' });
      const { rotateSeconds, disableSeconds, deadSeconds, restoreSeconds } = result;
      for (const seconds of [rotateSeconds, disableSeconds, deadSeconds, restoreSeconds]) expect(seconds).toBeGreaterThanOrEqual(0);
      expect(restoreSeconds).toBeGreaterThan(disableSeconds ?? Number.NaN);
      // Two versions came and went, and the provider takes the third alone.
      expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 3, rotation: null, revocation: null });
      expect(w.provider.credentials().filter(({ enabled }) => enabled)).toHaveLength(1);
      const events = (await history(w.ports, keyId)).map(({ event }) => event);
      const order = ['drill.started', 'drill.revoked', 'drill.ended'].map((event) => events.indexOf(event));
      expect(order.every((at, i) => at > (order[i - 1] ?? -1))).toBe(true);
      expect(events.filter((event) => event === 'drill.fault')).toHaveLength(1);
    },
  );

  it('is nobody’s emergency: it opens no review, pages nobody, and leaves no finding', async () => {
    await withCanary();
    expect((await drills('d1')).passed).toBe(true);
    expect(w.pages).toEqual([]);
    expect(await listReviews(w.ports, {})).toEqual([]);
    expect(await found()).not.toContain('drill-failed');
  });

  it('takes the faults in turn, and shows whether the provider and everything else get slower', async () => {
    await withCanary();
    for (const id of ['d1', 'd2', 'd3']) await drills(id);
    const { trend } = await view();
    expect(trend.map(({ number, fault }) => [number, fault])).toEqual([1, 2, 3].map((number) => [number, faultOf(number)]));
    for (const { disableSeconds, restoreSeconds } of trend) {
      expect(disableSeconds).toBeGreaterThanOrEqual(0);
      expect(restoreSeconds).toBeGreaterThan(0);
    }
    const measured = w.measured.filter(({ drillsPassed }) => drillsPassed);
    expect(measured).toHaveLength(3);
    for (const one of measured)
      expect(one).toMatchObject({ provider: 'memory', drillDisableSeconds: expect.any(Number), drillRestoreSeconds: expect.any(Number) });
  });

  it('goes on from the records when the machine dies in it', async () => {
    await withCanary();
    await w.pass(30);
    await beginDrill(w.ports, { keyId, requestId: 'd1' }, 'responder');
    for (const seconds of [3, 40, 20]) {
      await w.pass(seconds);
      w.crash();
      w.restart();
    }
    expect((await ended()).passed).toBe(true);
  });

  it('is one drill when it is asked for twice, and refused while another runs', async () => {
    await withCanary();
    await w.pass(30);
    const first = await beginDrill(w.ports, { keyId, requestId: 'd1' }, 'responder');
    expect(await beginDrill(w.ports, { keyId, requestId: 'd1' }, 'responder')).toEqual(first);
    await expect(beginDrill(w.ports, { keyId, requestId: 'd2' }, 'responder')).rejects.toMatchObject({ code: 'E_BUSY' });
    await expect(beginDrill(w.ports, { keyId, requestId: 'd3', fault: 'unheard-of' }, 'responder')).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
    });
  });
});

describe('POL-R7: a drill that does not go well', () => {
  it('by a vendor that answers and keeps the value alive is failed, reviewed, a finding, and what anybody sees who revokes there', async () => {
    await withCanary({ provider: { traits: { revokeSeconds: 60 } } });
    await w.pass(30);
    await beginDrill(w.ports, { keyId, requestId: 'd1' }, 'responder');
    await w.until(async () => (await getKey(w.ports, keyId)).revocation !== null, day);
    w.provider.mood = 'ignores disable';
    const result = await ended();
    expect(result).toMatchObject({ passed: false, deadSeconds: null, restoreSeconds: null });
    expect(await found()).toContain('drill-failed');
    expect(await listReviews(w.ports, {})).toMatchObject([{ kind: 'drill', cause: expect.stringMatching(/did not come/) }]);
    expect(await lastDrill()).toMatch(/^FAILED at .*did not come/);
  });

  it('because the vendor takes longer than the tier’s targets is failed by them, and one that passes after it closes the finding', async () => {
    await withCanary({ provider: { revokeSeconds: 20 * 60, traits: { revokeSeconds: 20 * 60 } } });
    const late = await drills('d1', 'write-refused');
    expect(late.failures).toEqual([expect.stringMatching(/^dead after \d+ s, due at 900 s$/)]);
    expect(await found()).toContain('drill-failed');
    await end(w);
    await withCanary();
    expect((await drills('d1')).passed).toBe(true);
    expect(await lastDrill()).toMatch(/^passed at .*disabled after .* s, restored after .* s$/);
    expect(await found()).not.toContain('drill-failed');
  });

  it('because somebody revokes the canary in earnest ends there, as failed, and the revocation goes on', async () => {
    await withCanary();
    await w.pass(30);
    await beginDrill(w.ports, { keyId, requestId: 'd1' }, 'responder');
    const { operationId } = await revokes(w, keyId);
    expect((await ended()).failures).toContainEqual(expect.stringMatching(`${operationId} took the canary`));
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', drill: null });
  });
});

describe('POL-R7: the schedule of drills', () => {
  it('drills a canary as soon as it can, and then as often as its tier says', async () => {
    await withCanary();
    await w.pass(30);
    expect((await fire()).started).toEqual([keyId]);
    expect((await ended()).by).toBe('schedule');
    await w.pass(30);
    expect((await fire()).started).toEqual([]);
    const { dueAt } = await view();
    await w.pass((Date.parse(dueAt ?? '') - w.ports.clock.now()) / 1000);
    expect((await fire()).started).toEqual([keyId]);
    expect(await ended()).toMatchObject({ number: 2, passed: true });
  });

  it('needs no right that the functions of the schedules do not have', async () => {
    await withCanary({ reconciler: false });
    const as = (door: Door['name']) => limited(w.ports, (doors.find(({ name }) => name === door)?.may ?? []) as readonly Right[]);
    await w.pass(30);
    expect((await sweep(as('Sweep'), { tier: 'medium' })).started).toEqual([keyId]);
    const failed: string[] = [];
    setInterval(async () => failed.push(...(await reconcile(as('Reconcile'))).failed), 5000);
    expect(await ended()).toMatchObject({ passed: true, by: 'schedule' });
    expect(failed).toEqual([]);
  });

  it('leaves a drill that nobody began as a breach with its date and a finding, until one begins', async () => {
    await withCanary();
    await w.pass(30);
    await setHold(w.ports, { keyId, reason: 'test', until: new Date(w.ports.clock.now() + 2 * hour * 1000).toISOString() }, 'owner');
    await w.pass(hour);
    await fire();
    const { breaches } = await getKey(w.ports, keyId);
    expect(breaches.map(({ rule }) => rule)).toContain('drill-overdue');
    expect(await found()).toContain('drill-overdue');
    expect((await view()).overdue).toBe(true);
    expect(await lastDrill()).toMatch(/none at memory yet; the next one is OVERDUE/);
    await w.pass(2 * hour);
    await fire();
    await ended();
    await w.pass(30);
    await fire();
    expect((await getKey(w.ports, keyId)).breaches.map(({ rule }) => rule)).not.toContain('drill-overdue');
    expect(await found()).not.toContain('drill-overdue');
  });

  it('chooses the canary that was drilled longest ago, and says so when there is none', async () => {
    const { ids, w: two } = await fleet(2, { policy, facts: () => ({ canary: true }) });
    w = two;
    const [first = '', second = ''] = ids;
    expect(await canariesOf(w.ports, 'elsewhere')).toEqual([]);
    expect(() => nextCanary(w.ports, [])).toThrow(/canary: true/);
    await w.pass(30);
    expect(nextCanary(w.ports, await canariesOf(w.ports))).toBe(first);
    await beginDrill(w.ports, { keyId: first, requestId: 'd1' }, 'responder');
    expect(nextCanary(w.ports, await canariesOf(w.ports))).toBe(second);
    await w.until(async () => (await getKey(w.ports, first)).drill === null, day);
    await w.pass(30);
    expect(nextCanary(w.ports, await canariesOf(w.ports))).toBe(second);
  });
});

describe('a canary', () => {
  it('is used by its drills alone: nothing else may be drilled, and no service may use it', async () => {
    w = world({ policy });
    await adopted(w);
    await w.pass(30);
    await expect(beginDrill(w.ports, { keyId: 'payments/stripe', requestId: 'd1' }, 'responder')).rejects.toMatchObject({
      code: 'E_NOT_A_CANARY',
    });
    const { consumers } = testFacts();
    const wrong = { ...canary, consumers, mode: 'observe' as const, incident: { contacts: [], reissue: 'held' as const } };
    await expect(registerKey(w.ports, wrong, 'owner')).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      problems: expect.arrayContaining([
        expect.objectContaining({ path: 'consumers' }),
        expect.objectContaining({ path: 'incident.reissue' }),
        expect.objectContaining({ path: 'mode' }),
      ]),
    });
  });
});

describe('POL-F12 POL-W5: the runbook of a key', () => {
  it('names who may act, who is called and what stops, from the record as it is now, and what the record lacks', async () => {
    w = world({ policy });
    await adopted(w);
    const { people, breaks, steps, gaps, lastDrill: drilled } = await runbookOf(w.ports, 'payments/stripe');
    expect(people).toEqual(
      expect.arrayContaining([
        { who: 'may revoke it, alone and at once', name: 'responder' },
        { who: 'is called', name: 'oncall@example.test' },
        { who: 'owns it', name: 'team-payments' },
        { who: 'answers for api', name: 'team-api, api@example.test' },
      ]),
    );
    expect(breaks.join()).toMatch(/api[\s\S]*batch/);
    expect(drilled).toBe('none at memory: no canary is registered there');
    expect(steps.flatMap(({ commands }) => commands).every((command) => command.startsWith('rekey '))).toBe(true);
    expect(gaps).toEqual([]);
    await registerKey(w.ports, testFacts({ incident: { contacts: [], reissue: 'automatic' } }), 'owner');
    expect((await runbookOf(w.ports, 'payments/stripe')).gaps.join()).toMatch(/contacts/);
    await expect(runbookOf(w.ports, 'no/such')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });
});
