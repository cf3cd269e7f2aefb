import { afterEach, describe, expect, it } from 'vitest';
import { InventoryUnavailable } from '../../core/errors.ts';
import { setHold } from '../../core/hold.ts';
import { getKey } from '../../core/items.ts';
import { uncontainedSince } from '../../core/measure.ts';
import { type MeasuredOf, type Measures, type Metric, metrics } from '../../core/metric.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { sweep } from '../../core/sweep.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, testPolicy, testSettings, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
let keyId: string;
afterEach(() => end(w));

async function start(options: WorldOptions = {}): Promise<void> {
  w = world(options);
  keyId = await adopted(w);
  services(w, testFacts());
}

/** The lines that measured a metric. */
const lines = (metric: Metric): readonly (Measures & MeasuredOf)[] => w.measured.filter((line) => line[metric] !== undefined);
const total = (metric: Metric): number => lines(metric).reduce((sum, line) => sum + (line[metric] ?? 0), 0);
const about = { tier: 'medium', provider: 'memory' };
const { rotateEverySeconds, toleranceSeconds } = testPolicy.tiers.medium;

describe('a rotation is measured', () => {
  it('when it succeeds: once, with the seconds it took', async () => {
    await start();
    await beginsRotation(w, keyId);
    const { rotation } = await getKey(w.ports, keyId);
    await untilIdle(w, keyId);
    const seconds = (Date.parse((await getKey(w.ports, keyId)).lastEndedAt ?? '') - Date.parse(rotation?.startedAt ?? '')) / 1000;
    expect(lines('rotationsSucceeded')).toEqual([{ ...about, rotationsSucceeded: 1, rotationSeconds: seconds }]);
    expect(total('rotationsRolledBack') + total('attentionsOpened') + total('operationsStuck')).toBe(0);
  });

  it('when it is rolled back: once, and as a call for a person', async () => {
    await start();
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await requestRollback(w.ports, { keyId, reason: 'test' }, 'test');
    await untilIdle(w, keyId);
    expect(lines('rotationsRolledBack')).toEqual([{ ...about, attentionsOpened: 1, rotationsRolledBack: 1 }]);
    expect(total('rotationsSucceeded')).toBe(0);
  });
});

describe('a revocation is measured', () => {
  it('when it starts, when the provider was told, and when it is contained, by the seconds since its request', async () => {
    await start();
    await revokes(w, keyId, { source: 'destination' });
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'contained');
    const { openedAt, disabledAt, containedAt } = (await getKey(w.ports, keyId)).revocation ?? { openedAt: '' };
    const seconds = (at = '') => (Date.parse(at) - Date.parse(openedAt)) / 1000;
    expect(lines('revocationsStarted')).toEqual([{ ...about, revocationsStarted: 1 }]);
    expect(lines('revocationDisableSeconds')).toEqual([{ ...about, revocationDisableSeconds: seconds(disabledAt) }]);
    expect(lines('revocationsContained')).toEqual([{ ...about, revocationsContained: 1, revocationDeadSeconds: seconds(containedAt) }]);
  });

  it('while it is open, by its age, at every look of the reconciler', async () => {
    await start();
    w.provider.mood = 'ignores disable';
    await revokes(w, keyId);
    await w.pass(61);
    const ages = lines('revocationOpenSeconds').map(({ revocationOpenSeconds = 0 }) => revocationOpenSeconds);
    expect(ages.length).toBeGreaterThanOrEqual(60 / testSettings.reconcileSeconds - 1);
    expect(ages).toEqual(ages.toSorted((a, b) => a - b));
    expect(ages.at(-1)).toBeGreaterThan(50);
    expect(total('revocationsContained')).toBe(0);
  });

  it('from the first request that no containment answers yet', () => {
    const request = (at: string) => ({ requestId: at, actor: 'a', reason: 'r', at, scope: 'all', source: 'none' }) as const;
    const revocation = {
      id: 'revoke-1',
      step: 'validate',
      startSeq: 2,
      openedAt: '01',
      requests: ['01', '05', '09'].map(request),
    } as const;
    expect(uncontainedSince(revocation)).toBe('01');
    expect(uncontainedSince({ ...revocation, containedAt: '03' })).toBe('05');
  });

  it('once, when the same request is sent again', async () => {
    await start();
    await revokes(w, keyId);
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    expect(total('revocationsStarted')).toBe(1);
  });
});

describe('a sweep is measured', () => {
  it('by what was due and started, also when that is nothing', async () => {
    await start({ reconciler: false });
    await sweep(w.ports, { tier: 'medium' });
    await w.pass(rotateEverySeconds);
    await sweep(w.ports, { tier: 'low' });
    await sweep(w.ports, { tier: 'medium' });
    expect(lines('keysDue')).toEqual([
      { tier: 'medium', keysDue: 0, keysStarted: 0, keysOverdue: 0 },
      { tier: 'low', keysDue: 0, keysStarted: 0, keysOverdue: 0 },
      { tier: 'medium', keysDue: 1, keysStarted: 1, keysOverdue: 0 },
    ]);
  });

  it('and a key that a person holds is due, but nobody is woken for it', async () => {
    await start({ reconciler: false });
    await w.pass(rotateEverySeconds + toleranceSeconds);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await setHold(w.ports, { keyId, reason: 'test', until }, 'test');
    await sweep(w.ports, { tier: 'medium' });
    expect(lines('keysDue')).toEqual([{ tier: 'medium', keysDue: 1, keysStarted: 0, keysOverdue: 0 }]);
  });

  it('and an overdue key that another firing begins at the same moment wakes nobody', async () => {
    await start({ reconciler: false });
    await w.pass(rotateEverySeconds + toleranceSeconds);
    await Promise.all([sweep(w.ports, { tier: 'medium' }), sweep(w.ports, { tier: 'medium' })]);
    expect(total('keysStarted')).toBe(1);
    expect(total('keysOverdue')).toBe(0);
  });

  it('and an overdue key that cannot begin is counted', async () => {
    await start({ reconciler: false });
    await w.pass(rotateEverySeconds + toleranceSeconds);
    const broken = { ...w.ports, inventory: { ...w.ports.inventory, write: () => Promise.reject(new InventoryUnavailable('down')) } };
    await sweep(broken, { tier: 'medium' });
    expect(lines('keysDue')).toEqual([{ tier: 'medium', keysDue: 1, keysStarted: 0, keysOverdue: 1 }]);
  });
});

it('a run of the reconciler is measured once, when it has come to its end', async () => {
  await start({ reconciler: false });
  await reconcile(w.ports);
  expect(lines('reconcileRuns')).toEqual([{ reconcileRuns: 1, keysNotReconciled: 0 }]);
});

it('a destination that was changed by somebody else is measured when it is restored', async () => {
  await start();
  await w.pass(60);
  const [spec] = testFacts().destinations;
  await w.ports.destination('memory').write(spec as NonNullable<typeof spec>, w.provider.stranger('theirs').value, 'x');
  await w.until(() => total('destinationsRestored') > 0, 120);
  await w.pass(60);
  expect(lines('destinationsRestored')).toEqual([{ ...about, destinationsRestored: 1 }]);
});

it('a metric that is a time says so at the end of its name, and no other does', () => {
  for (const [name, unit] of Object.entries(metrics)) expect(name.endsWith('Seconds'), name).toBe(unit === 'Seconds');
});
