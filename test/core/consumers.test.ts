import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { overrideConfirm, receive } from '../../core/adoption.ts';
import { addConsumer, listConsumers, removeConsumer } from '../../core/consumers.ts';
import { getKey } from '../../core/items.ts';
import { showRotation } from '../../core/rotate/show-rotation.ts';
import { status } from '../../core/show.ts';
import { beginsRotation, end, noticeTo, receiptFor, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, consumerNamed, testFacts, testPolicy, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
});
afterEach(() => end(w));

const names = async () => (await listConsumers(w.ports, { keyId })).map(({ name }) => name);
const proves = async (name: string) => receive(w.ports, await receiptFor(w, noticeTo(w, name, 'key.issued')), name);

describe('the map of who uses a key', () => {
  it('takes a consumer, the same again changes nothing, and another of that name stands in its place', async () => {
    const consumer = consumerNamed('reports');
    expect(await addConsumer(w.ports, { keyId, consumer }, 'ada')).toMatchObject({ outcome: 'added' });
    const { audit } = await getKey(w.ports, keyId);
    expect(await addConsumer(w.ports, { keyId, consumer }, 'ada')).toMatchObject({ outcome: 'unchanged' });
    expect((await getKey(w.ports, keyId)).audit).toEqual(audit);
    expect(await addConsumer(w.ports, { keyId, consumer: { ...consumer, refreshSeconds: 9 } }, 'ada')).toMatchObject({
      outcome: 'changed',
    });
    expect(await listConsumers(w.ports, { keyId })).toMatchObject([
      { name: 'api', heardAt: null },
      { name: 'batch' },
      { keyId, name: 'reports', owner: 'team-reports', refreshSeconds: 9 },
    ]);
  });

  it('loses none of two that are added at the same moment', async () => {
    await Promise.all(
      ['one', 'two', 'three'].map((name) => addConsumer(w.ports, { keyId, consumer: consumerNamed(name) }, 'ada').catch(() => 0)),
    );
    for (const name of ['one', 'two', 'three']) await addConsumer(w.ports, { keyId, consumer: consumerNamed(name) }, 'ada');
    expect((await names()).sort()).toEqual(['api', 'batch', 'one', 'three', 'two']);
  });

  it('refuses one that could never prove its move, and names why', async () => {
    const slow = { ...consumerNamed('slow'), refreshSeconds: testPolicy.tiers.medium.overlapMaxSeconds };
    await expect(addConsumer(w.ports, { keyId, consumer: slow }, 'ada')).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      problems: [{ message: expect.stringContaining('slow needs an overlap of') }],
    });
    const blind = { ...consumerNamed('blind'), proof: 'quiet' } as const;
    w.provider.lastUsed = undefined as never;
    await expect(addConsumer(w.ports, { keyId, consumer: blind }, 'ada')).rejects.toMatchObject({ code: 'E_INPUT_INVALID' });
    expect(await names()).toEqual(['api', 'batch']);
  });

  it('does not change in the middle of a rotation: nobody gets rid of a consumer because it is silent', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await expect(removeConsumer(w.ports, { keyId, name: 'batch' }, 'ada')).rejects.toMatchObject({ code: 'E_BUSY' });
    await expect(addConsumer(w.ports, { keyId, consumer: consumerNamed('late') }, 'ada')).rejects.toMatchObject({ code: 'E_BUSY' });
    expect(await names()).toEqual(['api', 'batch']);
  });

  it('without its last consumer leaves the key unmapped: the next rotation waits for its owner', async () => {
    await removeConsumer(w.ports, { keyId, name: 'api' }, 'ada');
    expect(await removeConsumer(w.ports, { keyId, name: 'batch' }, 'ada')).toMatchObject({ left: 0 });
    await expect(removeConsumer(w.ports, { keyId, name: 'batch' }, 'ada')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await w.pass(3 * testPolicy.tiers.medium.overlapMaxSeconds);
    expect(w.provider.accepts('cred-0001')).toBe(true);
    expect((await showRotation(w.ports, keyId)).consumers).toMatchObject([{ consumer: '*', owner: 'team-payments', moved: null }]);
  });
});

describe('an open rotation, looked at,', () => {
  it('shows who has moved and by what, who has not, since when, whose it is and who was called', async () => {
    await expect(showRotation(w.ports, keyId)).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    const { operationId } = await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await proves('api');
    await receive(w.ports, { keyId, operationId, version: 2, outcome: 'failed', message: 'the vendor answers 403' }, 'batch');
    await w.pass(testPolicy.tiers.medium.overlapMaxSeconds);
    const view = await showRotation(w.ports, keyId);
    expect(view).toMatchObject({
      keyId,
      operationId,
      state: 'rotating',
      step: 'confirm',
      awaits: 2,
      atOverlapMax: 'hold',
      acknowledgedBy: null,
    });
    expect(view.consumers).toMatchObject([
      { consumer: 'api', moved: { proof: 'possession' }, notice: { type: 'key.issued', movedAt: expect.stringMatching(/^2026/) } },
      { consumer: 'batch', owner: 'team-batch', contact: 'batch@example.test', moved: null },
    ]);
    expect(view.consumers[1]?.notice?.sentAt).toMatch(/^2026/);
    expect(view.told.map(({ whom }) => whom)).toContain('owner team-batch');
    expect((await status(w.ports)).escalations).toMatchObject([
      { keyId, waitsFor: [expect.stringContaining('batch (batch@example.test)')] },
    ]);
    await proves('batch');
    await untilIdle(w, keyId);
  });

  it('of the highest tier takes nobody’s word for a consumer', async () => {
    await end(w);
    w = world();
    keyId = await adopted(w, testFacts({ privileged: true }));
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await expect(overrideConfirm(w.ports, { keyId, consumer: 'api', reason: 'sure' }, 'anna')).rejects.toMatchObject({
      code: 'E_FORBIDDEN',
    });
    expect((await showRotation(w.ports, keyId)).consumers.map(({ moved }) => moved)).toEqual([null, null]);
  });
});
