import { afterEach, describe, expect, it } from 'vitest';
import { overrideConfirm, receive } from '../../core/adoption.ts';
import { findVersion, getKey } from '../../core/items.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { history, showKey } from '../../core/show.ts';
import { milliseconds } from '../../core/time.ts';
import { beginsRotation, end, noticeTo, receiptFor, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, consumerNamed, services, testFacts, testPolicy, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
let keyId: string;
afterEach(() => end(w));

const { overlapMinSeconds, overlapMaxSeconds } = testPolicy.tiers.medium;
const longAgo = 6 * overlapMaxSeconds;
const oldAccepted = () => w.provider.accepts('cred-0001');
const newAccepted = () => w.provider.accepts('cred-0002');
const rotation = async () => (await getKey(w.ports, keyId)).rotation;

async function rotating(facts = testFacts(), options: Parameters<typeof services>[2] = {}, more: WorldOptions = {}): Promise<void> {
  w = world(more);
  keyId = await adopted(w, facts);
  services(w, facts, options);
  await beginsRotation(w, keyId);
}

describe('POL-U2: the transition window', () => {
  it('has both versions accepted at every instant from the delivery to its end, and only the new one afterwards', async () => {
    await rotating();
    await untilStep(w, keyId, 'confirm');
    const { distributedAt, overlapUntil } = (await rotation()) ?? {};
    const end = milliseconds(overlapUntil ?? '');
    expect(end - milliseconds(distributedAt ?? '')).toBe(overlapMinSeconds * 1000);
    const wrong: number[] = [];
    let looks = 0;
    while (w.ports.clock.now() < end) {
      looks += 1;
      if (!oldAccepted() || !newAccepted()) wrong.push(w.ports.clock.now());
      await w.pass(0.5);
    }
    expect(looks).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
    await untilIdle(w, keyId);
    expect([oldAccepted(), newAccepted()]).toEqual([false, true]);
  });

  it('is not cut short, though every consumer proved its move at once', async () => {
    await rotating(testFacts(), { delaySeconds: 0 });
    await untilStep(w, keyId, 'confirm');
    const { overlapUntil } = (await rotation()) ?? {};
    await w.until(async () => (await rotation())?.confirmedAt !== null);
    expect(((await rotation())?.confirmedAt ?? '') >= (overlapUntil ?? '')).toBe(true);
  });

  it('is as long as the slowest consumer needs', async () => {
    await rotating(testFacts({ consumers: [consumerNamed('api'), { ...consumerNamed('batch'), refreshSeconds: 100 }] }), {
      delaySeconds: 100,
    });
    await untilStep(w, keyId, 'confirm');
    await w.pass(190);
    expect([oldAccepted(), newAccepted()]).toEqual([true, true]);
    await untilIdle(w, keyId);
    expect([oldAccepted(), newAccepted()]).toEqual([false, true]);
  });
});

describe('POL-U3 POL-U1: a consumer that has not proved its move', () => {
  it('blocks for ever: nothing is disabled, a person is called once, and its late proof completes the rotation by itself', async () => {
    await rotating(testFacts(), { silent: ['batch'] });
    await w.pass(longAgo);
    expect([oldAccepted(), newAccepted()]).toEqual([true, true]);
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'rotating',
      rotation: { step: 'confirm', confirmedAt: null, ponr: false },
    });
    expect(w.notices.filter(({ type, audience }) => type === 'key.receipt.missing' && audience === '*')).toMatchObject([
      { audience: '*', data: { action: 'look', reason: expect.stringMatching(/these have not proved that they moved: batch;/) } },
    ]);
    await receive(w.ports, await receiptFor(w, noticeTo(w, 'batch', 'key.issued')), 'batch');
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
    expect([oldAccepted(), newAccepted()]).toEqual([false, true]);
  });

  it('POL-M2: is visible from the cap on: attention, finding and notice name it', async () => {
    await rotating(testFacts(), { silent: ['batch'] });
    await untilStep(w, keyId, 'confirm');
    await w.pass(overlapMaxSeconds - 10);
    expect((await getKey(w.ports, keyId)).attention).toBeNull();
    await w.pass(30);
    const report = await showKey(w.ports, keyId);
    expect(report.attention).toMatchObject({ reason: 'ConsumersNotConfirmed', message: expect.stringContaining('batch') });
    expect(report.findings).toMatchObject([{ rule: 'attention', owner: 'team-payments' }]);
    expect(report.adoption).toEqual({ api: 'on version 2 (possession)', batch: 'no proof for version 2 yet' });
  });

  it('POL-M2: makes the rotation roll back at the cap, where the policy says so, and nobody is refused', async () => {
    const tier = { ...testPolicy.tiers.medium, atOverlapMax: 'roll-back' } as const;
    const policy = { ...testPolicy, tiers: { high: tier, medium: tier, low: tier } };
    w = world({ policy });
    keyId = await adopted(w);
    const facts = testFacts();
    // It hears of version 2 and does not move; of the way back it hears as well, and proves that it is back.
    const silent = ['batch'];
    const seen = services(w, facts, { silent });
    await beginsRotation(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'rolling-back');
    silent.length = 0;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'active',
      current: 1,
      attention: { reason: 'RolledBack', message: expect.stringContaining('AdoptionTimedOut') },
    });
    expect([oldAccepted(), newAccepted()]).toEqual([true, false]);
    expect(seen.refused).toEqual([]);
  });

  it('counts as moved by quiet, where it cannot sign: only when the old version was unused for the quiet time, never by silence of the vendor', async () => {
    const facts = testFacts({ consumers: [{ ...consumerNamed('api'), proof: 'quiet' }] });
    w = world();
    keyId = await adopted(w, facts);
    const lastUsed = w.provider.lastUsed;
    w.provider.lastUsed = async () => undefined;
    await beginsRotation(w, keyId);
    await w.pass(5 * testPolicy.tiers.medium.quietSeconds);
    expect((await rotation())?.confirmedAt).toBeNull();
    const value = await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, 1))?.token ?? '');
    if (lastUsed) w.provider.lastUsed = lastUsed;
    if (value) w.provider.use(value);
    await w.pass(testPolicy.tiers.medium.quietSeconds - 10);
    expect((await rotation())?.confirmedAt).toBeNull();
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });
});

describe('POL-M1: a key whose consumers nobody knows', () => {
  it('rotates, and its old version is held until its owner decides', async () => {
    const facts = testFacts({ consumers: [] });
    await rotating(facts);
    await w.pass(longAgo);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'rotating', current: 2, attention: { reason: 'ConsumersNotConfirmed' } });
    expect([oldAccepted(), newAccepted()]).toEqual([true, true]);
    expect((await showKey(w.ports, keyId)).findings.map(({ rule }) => rule)).toContain('unmapped');
    expect(await overrideConfirm(w.ports, { keyId, consumer: '*', reason: 'asked everybody' }, 'owner')).toMatchObject({ complete: true });
    await untilIdle(w, keyId);
    expect([oldAccepted(), newAccepted()]).toEqual([false, true]);
    expect((await history(w.ports, keyId)).find(({ event }) => event === 'confirm.overridden')).toMatchObject({
      actor: 'owner',
      detail: { reason: 'asked everybody' },
    });
  });
});

describe('POL-U7: taking a rotation back', () => {
  it('restores the version before everywhere while it is clean, and disables the new one only when everybody is back', async () => {
    const facts = testFacts();
    await rotating(facts, { silent: ['batch'] });
    await untilStep(w, keyId, 'confirm');
    await w.pass(10);
    await requestRollback(w.ports, { keyId, reason: 'wrong day' }, 'owner');
    await w.pass(2000);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'rolling-back', current: 1 });
    expect([oldAccepted(), newAccepted()]).toEqual([true, true]);
    const one = await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, 1))?.token ?? '');
    for (const spec of facts.destinations) expect(one && (await w.ports.destination(spec.kind).read(spec))?.equals(one)).toBe(true);
    await receive(w.ports, await receiptFor(w, noticeTo(w, 'batch', 'key.restored')), 'batch');
    await untilIdle(w, keyId);
    expect([oldAccepted(), newAccepted()]).toEqual([true, false]);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'live', role: 'current' });
    expect(Object.values(await w.ports.secrets.labels(keyId))).not.toContain((await findVersion(w.ports, keyId, 2))?.token);
  });

  it('never goes back to a version that leaked: a new one is issued instead', async () => {
    await rotating();
    await untilStep(w, keyId, 'confirm');
    await requestRollback(w.ports, { keyId, reason: 'wrong day' }, 'owner');
    await revokes(w, keyId, { scope: [1] });
    await untilIdle(w, keyId);
    const key = await getKey(w.ports, keyId);
    expect(key.state).toBe('active');
    expect(key.current).toBeGreaterThan(1);
    expect(oldAccepted()).toBe(false);
    expect(await findVersion(w.ports, keyId, key.current ?? 0)).toMatchObject({ compromised: false, state: 'live' });
    await w.pass(longAgo);
    expect(oldAccepted()).toBe(false);
  });
});
