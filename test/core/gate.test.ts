import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { overrideConfirm, receive } from '../../core/adoption.ts';
import type { Consumer } from '../../core/consumer.ts';
import { getKey } from '../../core/items.ts';
import { showKey } from '../../core/show.ts';
import { instant, milliseconds } from '../../core/time.ts';
import { beginsRotation, end, noticeTo, untilIdle, untilStep } from '../support/operations.ts';
import { eventsOf, nothingDied, oldWorks, proves, rotationOf, tier, waitsForConsumers, withTier } from '../support/overlap.ts';
import { adopted, consumerNamed, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(() => {
  w = world();
});
afterEach(() => end(w));

describe('what the nearest peer takes for a confirmation, and ours does not', () => {
  it('POL-M1: no consumers is not "all of them": the old version is held until the owner decides, whatever the policy does at the cap', async () => {
    for (const atOverlapMax of ['hold', 'retire', 'roll-back'] as const) {
      await end(w);
      w = world({ policy: withTier({ atOverlapMax }) });
      keyId = await waitsForConsumers(w, testFacts({ consumers: [] }));
      await nothingDied(w, keyId);
      expect(await getKey(w.ports, keyId)).toMatchObject({ attention: { reason: 'ConsumersNotConfirmed' } });
    }
    await overrideConfirm(w.ports, { keyId, consumer: '*', reason: 'asked everybody' }, 'anna');
    await untilIdle(w, keyId);
    expect(oldWorks(w)).toBe(false);
  });

  it('an unhealthy consumer stays in the set: what it proved before it failed no longer counts', async () => {
    keyId = await waitsForConsumers(w);
    await proves(w, 'api');
    await proves(w, 'batch');
    const { operationId, id: noticeId } = noticeTo(w, 'batch', 'key.issued');
    await receive(w.ports, { keyId, operationId, version: 2, outcome: 'failed', noticeId, message: 'the vendor answers 403' }, 'batch');
    await nothingDied(w, keyId);
    const { adoption } = await showKey(w.ports, keyId);
    expect(adoption).toEqual({ api: 'on version 2 (possession)', batch: 'no proof for version 2 yet' });
    await proves(w, 'batch', 'key.receipt.missing');
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
  });

  it('a consumer that cannot be checked is not counted as verified: the vendor does not tell, or does not answer', async () => {
    await end(w);
    w = world();
    let answer: () => Promise<{ at: string; accuracySeconds: number } | undefined> = async () => undefined;
    w.provider.lastUsed = () => answer();
    keyId = await waitsForConsumers(w, testFacts({ consumers: [{ ...consumerNamed('legacy'), proof: 'quiet' }] }));
    await w.pass(tier.overlapMaxSeconds);
    answer = async () => {
      throw new TypeError('no answer');
    };
    await nothingDied(w, keyId);
  });
});

describe('what ended others’ only working key', () => {
  it('D3: a person’s word about a version that nobody received does not retire the old one: no destination holds it yet', async () => {
    keyId = await adopted(w);
    w.ports.destination('memory').write = async () => {
      throw Object.assign(new Error('no answer'), { name: 'DestinationUnavailable' });
    };
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'distribute');
    await expect(overrideConfirm(w.ports, { keyId, consumer: 'api', reason: 'sure' }, 'anna')).rejects.toMatchObject({
      code: 'E_NOTHING_TO_DO',
    });
    expect(oldWorks(w)).toBe(true);
  });

  it('D4: an id is not proof: neither the version’s number nor the notice’s id nor the challenge alone', async () => {
    keyId = await waitsForConsumers(w);
    const { operationId, id: noticeId, data } = noticeTo(w, 'api', 'key.issued');
    const bare = { keyId, operationId, version: 2, outcome: 'moved', noticeId } as const;
    await expect(receive(w.ports, bare, 'api')).rejects.toMatchObject({ code: 'E_PROOF_REQUIRED' });
    await expect(receive(w.ports, { ...bare, nonce: data.nonce ?? '', proof: noticeId.padStart(64, '0') }, 'api')).rejects.toMatchObject({
      code: 'E_PROOF_INVALID',
    });
    await nothingDied(w, keyId);
  });

  it('D6, D7: a long job and a slow cache have as long as they say after their first use, not from the delivery', async () => {
    const slow: Consumer = { ...consumerNamed('batch'), class: 'batch', refreshSeconds: 100, deploySeconds: 50 };
    keyId = await waitsForConsumers(w, testFacts({ consumers: [consumerNamed('api'), slow] }));
    await proves(w, 'api');
    // Its least overlap is long over when the first of it moves: the rest of it still has its own time.
    await w.pass(300);
    await proves(w, 'batch');
    const from = w.ports.clock.now();
    await w.until(async () => (await rotationOf(w, keyId))?.step !== 'confirm');
    expect(w.ports.clock.now() - from).toBeGreaterThanOrEqual(150_000);
    await untilIdle(w, keyId);
  });

  it('the tier’s cap bounds a consumer’s own overlap', async () => {
    const slow: Consumer = { ...consumerNamed('batch'), refreshSeconds: 250 };
    keyId = await waitsForConsumers(w, testFacts({ consumers: [slow], destinations: testFacts().destinations }));
    await w.pass(580);
    await proves(w, 'batch');
    const cap = milliseconds((await rotationOf(w, keyId))?.overlapCapAt ?? '');
    await w.until(async () => (await rotationOf(w, keyId))?.step !== 'confirm');
    expect(w.ports.clock.now()).toBeGreaterThanOrEqual(cap);
    expect(w.ports.clock.now()).toBeLessThan(cap + 20_000);
    await untilIdle(w, keyId);
  });
});

describe('a first use seen at the vendor', () => {
  const alone = (more: Partial<Consumer> = {}) =>
    testFacts({
      consumers: [{ ...consumerNamed('legacy'), proof: 'first-use', ...more }],
      destinations: testFacts().destinations.slice(0, 1),
    });
  let used: { at: string; accuracySeconds: number } | undefined;
  beforeEach(() => {
    used = undefined;
    w.provider.lastUsed = async (_subject, credentialId) => (credentialId === 'cred-0002' ? used : undefined);
  });

  it('proves that the key’s only user moved, and its overlap runs from then on', async () => {
    keyId = await waitsForConsumers(w, alone({ refreshSeconds: 30 }));
    await w.pass(100);
    expect((await rotationOf(w, keyId))?.confirmedAt).toBeNull();
    used = { at: instant(w.ports.clock.now()), accuracySeconds: 0 };
    const from = w.ports.clock.now();
    await w.until(async () => (await rotationOf(w, keyId))?.step !== 'confirm');
    expect(w.ports.clock.now() - from).toBeGreaterThanOrEqual(30_000);
    expect(await eventsOf(w, keyId, 'use.seen')).toMatchObject([{ detail: { consumer: 'legacy', version: 2, proof: 'first-use' } }]);
    await untilIdle(w, keyId);
    expect(oldWorks(w)).toBe(false);
  });

  it('is not our own: what may be the probe before the delivery proves nothing', async () => {
    keyId = await waitsForConsumers(w, alone());
    const delivered = milliseconds((await rotationOf(w, keyId))?.distributedAt ?? '');
    used = { at: instant(delivered + 500_000), accuracySeconds: 900 };
    await nothingDied(w, keyId);
  });

  it('is nobody’s in particular where others may use the key: it proves nothing', async () => {
    keyId = await waitsForConsumers(w, alone());
    await w.inventory.update({ pk: `KEY#${keyId}`, sk: 'META' }, { set: { 'facts.readers': ['anna'] } });
    used = { at: instant(w.ports.clock.now() + 60_000), accuracySeconds: 0 };
    await nothingDied(w, keyId);
  });
});

describe('quiet', () => {
  const quiet = (more: Partial<Consumer> = {}) => testFacts({ consumers: [{ ...consumerNamed('nightly'), proof: 'quiet', ...more }] });

  it('must last longer than the consumer’s own period, whatever the tier’s time', async () => {
    w.provider.lastUsed = async () => ({ at: 'never', accuracySeconds: 0 });
    keyId = await waitsForConsumers(w, quiet({ class: 'batch', refreshSeconds: 100, deploySeconds: 20 }));
    const from = milliseconds((await rotationOf(w, keyId))?.distributedAt ?? '');
    await w.until(async () => (await rotationOf(w, keyId))?.step !== 'confirm');
    expect(w.ports.clock.now() - from).toBeGreaterThanOrEqual(240_000);
    await untilIdle(w, keyId);
  });

  it('shows nothing while a destination holds something else than the new version: then nobody could have moved', async () => {
    w.provider.lastUsed = async () => ({ at: 'never', accuracySeconds: 0 });
    keyId = await waitsForConsumers(w, quiet());
    const destination = w.ports.destination('memory');
    const { read } = destination;
    destination.read = async (spec) => (spec.id === 'batch' ? undefined : read(spec));
    await nothingDied(w, keyId);
  });
});
