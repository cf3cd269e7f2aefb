import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelOf } from '../../core/attribution.ts';
import { findVersion, getKey, operationIdOf } from '../../core/items.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
const facts = testFacts({ exclusive: false });
beforeEach(async () => {
  // Without the reconciler, so that what is seen is what the operation itself does.
  w = world({ reconciler: false, provider: { traits: { maxLive: 5 } } });
  keyId = await adopted(w, facts);
  services(w, facts);
});
afterEach(() => end(w));

const ours = labelOf('payments/stripe', operationIdOf('rotate', 'payments/stripe', 'lost'), 2, 1);
const enabled = async () =>
  (await w.provider.list({ keyId, account: '', params: {} })).filter((one) => one.enabled).map((one) => one.credentialId);

describe('a credential of ours that no record has', () => {
  it('does not outlive the rotation during which it appears', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    w.provider.stranger(ours);
    await untilIdle(w, keyId);
    expect(await enabled()).toEqual(['cred-0002']);
  });

  it('does not outlive a revocation, though its reissue is held; somebody else’s does', async () => {
    w.provider.stranger(ours);
    const { credentialId } = w.provider.stranger('made by hand');
    await revokes(w, keyId, { source: 'unknown' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    expect(await enabled()).toEqual([credentialId]);
  });
});

describe('a version that is proven dead, and that somebody enabled again', () => {
  beforeEach(async () => {
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    w.provider.enableInConsole('cred-0001');
  });

  it('is not taken for dead by a report about it: it is disabled again within the request', async () => {
    expect(await revokes(w, keyId, { scope: [1] })).toMatchObject({
      alreadyDead: false,
      versions: [{ number: 1, firstDisable: 'disabled' }],
    });
    expect(w.provider.accepts('cred-0001')).toBe(false);
    await untilIdle(w, keyId);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ compromised: true });
    expect(w.provider.accepts('cred-0002')).toBe(true);
  });

  it('is not enabled when a revocation of everything says that it is contained', async () => {
    const { disable } = w.provider;
    let late = 1;
    w.provider.disable = async (...args) => {
      const answer = await disable(...args);
      // Once more right after the workflow has told the provider.
      if (args[1] === 'cred-0001' && late++ === 2) w.provider.enableInConsole('cred-0001');
      return answer;
    };
    await revokes(w, keyId, { source: 'unknown' });
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'contained');
    expect(late).toBeGreaterThan(2);
    expect(await enabled()).toEqual([]);
  });
});
