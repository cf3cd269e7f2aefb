import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getKey } from '../../core/items.ts';
import type { Ports } from '../../core/ports.ts';
import { resumeAll } from '../../core/reconcile/reconcile.ts';
import { history } from '../../core/show.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, testSettings, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
/** While `lost`, an execution that is asked for never runs. */
let lost: boolean;
/** And is then seen as one that ended; otherwise nobody can tell. */
let ended: boolean;
const losing = (ports: Ports): Ports => ({
  ...ports,
  executions: {
    ...ports.executions,
    start: async (...args) => {
      if (!lost) await ports.executions.start(...args);
    },
    state: async (...args) => (lost && ended ? 'ended' : ports.executions.state(...args)),
  },
});

beforeEach(async () => {
  lost = false;
  ended = false;
  w = world({ wrap: losing });
  keyId = await adopted(w);
  services(w, testFacts());
});
afterEach(() => end(w));

const { maxRestarts, stuckSeconds, reconcileSeconds } = testSettings;
const resumed = async () => (await history(w.ports, keyId)).filter(({ event }) => event === 'operation.resumed');

describe('a rotation that was confirmed', () => {
  it('goes on within a minute, though the answer to its waiting execution got lost', async () => {
    const { succeed } = w.ports.executions;
    let losses = 1;
    Object.assign(w.ports.executions, {
      succeed: async (token: string) => {
        if (losses-- <= 0) await succeed(token);
      },
    });
    await beginsRotation(w, keyId);
    await w.until(async () => Boolean((await getKey(w.ports, keyId)).rotation?.confirmedAt));
    await w.pass(60);
    expect(losses).toBeLessThan(0);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });
});

describe('an operation whose execution runs', () => {
  it('is left alone, however long it waits', async () => {
    await end(w);
    w = world({ wrap: losing });
    const facts = testFacts({ overlapSeconds: 500 });
    await adopted(w, facts);
    services(w, facts);
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect(await resumed()).toEqual([]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 2 });
  });
});

describe('an operation without an execution', () => {
  it('is started again after the stuck time, not before, and ends', async () => {
    lost = true;
    await beginsRotation(w, keyId);
    await w.pass(stuckSeconds - 1);
    expect(await resumed()).toEqual([]);
    lost = false;
    await w.pass(2 * reconcileSeconds);
    expect(await resumed()).toMatchObject([{ actor: 'reconciler', detail: { step: 'issue', start: 2 } }]);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
  });

  it('that is a revocation is started again as well, for ever, and a person is called', async () => {
    lost = true;
    ended = true;
    await revokes(w, keyId);
    await w.pass((maxRestarts + 10) * stuckSeconds);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'revoking', attention: { reason: 'OperationStuck' } });
    expect(w.notices.filter(({ type, severity }) => type === 'key.attention' && severity === 'critical')).toHaveLength(1);
    lost = false;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
  });

  it('that is a rotation whose executions ended at one step too often is rolled back, and says so', async () => {
    lost = true;
    ended = true;
    await beginsRotation(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'rolling-back');
    expect((await resumed()).length).toBe(maxRestarts);
    lost = false;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'active',
      current: 1,
      attention: { reason: 'RolledBack', message: expect.stringContaining(`started ${maxRestarts} times`) },
    });
  });

  it('that nobody can see, because the orchestrator does not answer, is never rolled back for that', async () => {
    lost = true;
    await beginsRotation(w, keyId);
    await w.pass((maxRestarts + 10) * stuckSeconds);
    expect((await resumed()).length).toBeGreaterThan(maxRestarts);
    lost = false;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
  });

  it('past the point of no return only ever goes forward, however often it was started', async () => {
    await beginsRotation(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).rotation?.ponr === true);
    lost = true;
    ended = true;
    w.crash();
    w.restart();
    await w.pass((maxRestarts + 10) * stuckSeconds);
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'rotating',
      rotation: { ponr: true },
      attention: { reason: 'OperationStuck' },
    });
    lost = false;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });

  it('is started again at once by a process that has just started', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    w.crash();
    w.restart();
    const { rotation } = await getKey(w.ports, keyId);
    expect(await resumeAll(w.ports)).toEqual([`${rotation?.id} resumed`]);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
    expect(await w.inventory.get({ pk: `KEY#${keyId}`, sk: `OP#${rotation?.id}` })).toMatchObject({ startSeq: 2, outcome: 'done' });
  });

  it('that waits for a responder is not stuck', async () => {
    await revokes(w, keyId, { source: 'destination' });
    await w.pass(10 * stuckSeconds);
    expect(await resumed()).toEqual([]);
    expect(await resumeAll(w.ports)).toEqual([]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'contained', revocation: { held: true } });
  });
});
