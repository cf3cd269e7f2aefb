import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { overrideConfirm } from '../../core/adoption.ts';
import { getKey } from '../../core/items.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { instant, milliseconds } from '../../core/time.ts';
import { beginsRotation, end, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, consumerNamed, testFacts, testPolicy, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
const facts = testFacts({ consumers: [{ ...consumerNamed('legacy'), proof: 'quiet' }] });
const { quietSeconds } = testPolicy.tiers.medium;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w, facts);
});
afterEach(() => end(w));

const rotation = async () => (await getKey(w.ports, keyId)).rotation;
const now = () => w.ports.clock.now();

describe('a consumer that cannot sign', () => {
  it('counts as moved no sooner than the quiet time after the delivery, though the old version was never used before', async () => {
    w.provider.lastUsed = async () => ({ at: 'never', accuracySeconds: 0 });
    await w.pass(10 * quietSeconds);
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const from = milliseconds((await rotation())?.distributedAt ?? '');
    await w.until(async () => (await rotation())?.step !== 'confirm');
    expect(now() - from).toBeGreaterThanOrEqual(quietSeconds * 1000);
  });

  it('does not count as moved while the vendor’s account of the last use is coarser than the quiet time', async () => {
    let accuracySeconds = 3600;
    w.provider.lastUsed = async () => ({ at: instant(now() - 2 * quietSeconds * 1000), accuracySeconds });
    await beginsRotation(w, keyId);
    await w.pass(5 * quietSeconds);
    expect((await rotation())?.confirmedAt).toBeNull();
    accuracySeconds = 0;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 2 });
  });

  it('does not count as moved while the vendor does not answer', async () => {
    const { lastUsed } = w.provider;
    w.provider.lastUsed = async () => {
      throw new TypeError('no answer');
    };
    await beginsRotation(w, keyId);
    await w.pass(5 * quietSeconds);
    expect((await rotation())?.confirmedAt).toBeNull();
    if (lastUsed) w.provider.lastUsed = lastUsed;
    await untilIdle(w, keyId);
  });
});

describe('the word that a consumer is back', () => {
  it('does not count when it was given before its destination held the old version again', async () => {
    await end(w);
    w = world();
    keyId = await adopted(w);
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await requestRollback(w.ports, { keyId, reason: 'wrong day' }, 'owner');
    const say = (consumer: string) => overrideConfirm(w.ports, { keyId, consumer, reason: 'sure' }, 'anna');
    await say('api');
    await say('batch');
    await w.until(async () => Boolean((await rotation())?.rollbackAt));
    await w.pass(300);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'rolling-back' });
    expect(w.provider.accepts('cred-0002')).toBe(true);
    await say('api');
    await say('batch');
    await untilIdle(w, keyId);
    expect(w.provider.accepts('cred-0002')).toBe(false);
  });
});
