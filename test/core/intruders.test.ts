import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findVersion, getKey, listVersions } from '../../core/items.ts';
import { instant } from '../../core/time.ts';
import { steps } from '../../workflows/steps.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
});
afterEach(() => end(w));

const _now = () => instant(w.ports.clock.now());
describe('row 72: an execution run again after a revocation took the key', () => {
  const rotateSteps = steps.filter(({ workflows }) => workflows.includes('rotate'));

  it.each(rotateSteps.map(({ state }) => state))('at %s is superseded and changes nothing', async (state) => {
    const { operationId } = await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await revokes(w, keyId, { source: 'unknown' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    await w.pass(100);
    const before = JSON.stringify(w.inventory.items());
    const step = steps.find((one) => one.state === state);
    const payload = { keyId, operationId, startSeq: 1, taskToken: 'x', error: 'x' };
    await expect(step?.run(w.ports, payload, 'redriven')).rejects.toMatchObject({ name: 'Superseded' });
    expect(JSON.stringify(w.inventory.items())).toBe(before);
    for (const version of await listVersions(w.ports, keyId)) expect(w.provider.accepts(version.credentialId ?? '')).toBe(false);
  });
});

describe('row 71: a credential that somebody else made at the provider', () => {
  it('during a rotation is reported, and never touched', async () => {
    await end(w);
    w = world({ provider: { traits: { maxLive: 5 } } });
    const facts = testFacts({ exclusive: false });
    services(w, facts);
    await adopted(w, facts);
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const { credentialId } = w.provider.stranger('made by hand');
    await untilIdle(w, keyId);
    await w.pass(2000);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: { reason: 'UnattributedCredential' } });
    expect(await w.provider.list({ keyId, account: '', params: {} })).toContainEqual(
      expect.objectContaining({ credentialId, enabled: true }),
    );
    expect(w.provider.accepts(credentialId)).toBe(true);
    expect((await findVersion(w.ports, keyId, 1))?.state).toBe('destroyed');
  });

  it('that takes the last slot blocks the rotation, which rolls back and says so', async () => {
    await end(w);
    w = world();
    const facts = testFacts({ exclusive: false });
    services(w, facts);
    await adopted(w, facts);
    const { credentialId } = w.provider.stranger('made by hand');
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'active',
      current: 1,
      attention: { message: expect.stringContaining('UnattributedCredential') },
    });
    expect(w.provider.accepts(credentialId)).toBe(true);
  });
});
