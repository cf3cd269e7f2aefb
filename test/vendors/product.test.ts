import { afterEach, describe, expect, it } from 'vitest';
import { getKey } from '../../core/items.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { beside, native } from './described.ts';
import { alive, type Scene, stage, stands } from './product.ts';

let scene: Scene | undefined;
afterEach(async () => {
  if (!scene) return;
  const { vendor, strangers, w } = scene;
  scene = undefined;
  await end(w);
  // Whatever a test did: only what the vendor documents was asked, and no stranger was touched or changed.
  expect(vendor.undocumented).toEqual([]);
  expect(strangers.filter((one) => vendor.touched.has(one.id) || one.deleted || !one.enabled)).toEqual([]);
});

/** Where the list is of the key's own principal, other people's keys in it call for a person; in a list of a whole account they belong. */
const called = ({ strangers, provider }: Scene) => (strangers.length && !provider.traits.shared ? 'UnattributedCredential' : null);

describe.each([...beside, ...native].map((one) => [one.provider, one] as const))('%s in the whole product', (_name, description) => {
  it('is rotated with no consumer ever refused, and the old version dead at the end', async () => {
    scene = await stage(description);
    await beginsRotation(scene.w, scene.keyId);
    await untilIdle(scene.w, scene.keyId);
    expect(await stands(scene)).toEqual({ state: 'active', current: 2, attention: called(scene) });
    expect(scene.refused).toEqual([]);
    expect(alive(scene)).toHaveLength(1);
    expect((await scene.versions()).map(({ number, accepted }) => [number, accepted])).toEqual([
      [1, false],
      [2, true],
    ]);
    await scene.w.pass(500);
    expect(await stands(scene)).toEqual({ state: 'active', current: 2, attention: called(scene) });
    expect((await scene.versions())[0]?.state).toBe('destroyed');
  });

  it('is rolled back with the old version in use throughout, and the new one dead', async () => {
    scene = await stage(description);
    await beginsRotation(scene.w, scene.keyId);
    await untilStep(scene.w, scene.keyId, 'confirm');
    await requestRollback(scene.w.ports, { keyId: scene.keyId, reason: 'test' }, 'owner');
    await untilIdle(scene.w, scene.keyId);
    expect(await stands(scene)).toMatchObject({ state: 'active', current: 1 });
    expect(scene.refused).toEqual([]);
    expect((await scene.versions()).map(({ number, accepted }) => [number, accepted])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(alive(scene)).toHaveLength(1);
  });

  it('POL-Q5: is revoked: never accepted after it was called contained, and a new version serves', async () => {
    scene = await stage(description);
    scene.vendor.propagation.revokeMs = 4000;
    const [leaked] = alive(scene);
    await revokes(scene.w, scene.keyId);
    await scene.w.until(async () => (await getKey(scene!.w.ports, scene!.keyId)).revocation?.containedAt !== undefined);
    const containedAt = scene.w.clock.now;
    await untilIdle(scene.w, scene.keyId);
    await scene.w.pass(500);
    expect(await stands(scene)).toEqual({ state: 'active', current: 2, attention: called(scene) });
    expect(scene.vendor.uses.filter(({ id, at, accepted }) => id === leaked && accepted && at > containedAt)).toEqual([]);
    expect(alive(scene)).toHaveLength(1);
  });

  it('recovers a create whose answer was lost: nothing of it outlives the rotation', async () => {
    scene = await stage(description);
    scene.vendor.strike('lost-answer', 1, description.creates ?? 'POST ');
    await beginsRotation(scene.w, scene.keyId);
    await untilIdle(scene.w, scene.keyId);
    await scene.w.pass(500);
    expect(await stands(scene)).toEqual({ state: 'active', current: 2, attention: called(scene) });
    expect(alive(scene)).toHaveLength(1);
    expect(scene.refused).toEqual([]);
  });

  it('is rotated through throttling, 5xx and propagation', async () => {
    scene = await stage(description);
    Object.assign(scene.vendor.propagation, { activateMs: 5000, revokeMs: 5000 });
    scene.vendor.strike('slow-down', 2);
    scene.vendor.strike('server-error', 2);
    await beginsRotation(scene.w, scene.keyId);
    await untilIdle(scene.w, scene.keyId);
    expect(await stands(scene)).toEqual({ state: 'active', current: 2, attention: called(scene) });
    expect(scene.refused).toEqual([]);
    expect(alive(scene)).toHaveLength(1);
  });

  it('ends a rotation although somebody deleted the old version at the vendor', async () => {
    scene = await stage(description);
    const [old = ''] = alive(scene);
    await beginsRotation(scene.w, scene.keyId);
    await untilStep(scene.w, scene.keyId, 'confirm');
    await scene.w.until(async () => (await getKey(scene!.w.ports, scene!.keyId)).rotation?.step !== 'confirm');
    scene.vendor.deleteByHand(old);
    await untilIdle(scene.w, scene.keyId);
    expect(await stands(scene)).toMatchObject({ state: 'active', current: 2 });
    expect(alive(scene)).toHaveLength(1);
  });

  if (description.limit !== null && !description.alone)
    it('has no place left: the rotation ends where it began, and says why', async () => {
      scene = await stage(description);
      while (!scene.vendor.isFull()) scene.vendor.byHand();
      const before = scene.vendor.present().length;
      await beginsRotation(scene.w, scene.keyId);
      await untilIdle(scene.w, scene.keyId);
      expect(await getKey(scene.w.ports, scene.keyId)).toMatchObject({
        current: 1,
        attention: { message: expect.stringMatching(/NoFreeSlot|UnattributedCredential/) },
      });
      expect(scene.vendor.present()).toHaveLength(before);
    });
});
