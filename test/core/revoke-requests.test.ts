import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findVersion, getKey, listVersions } from '../../core/items.ts';
import { registerKey } from '../../core/register.ts';
import { findLeaked } from '../../core/revoke/find.ts';
import { history } from '../../core/show.ts';
import { Value } from '../../core/value.ts';
import { beginsRotation, end, passInflight, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
});
afterEach(() => end(w));

const lines = async (event: string) => (await history(w.ports, keyId)).filter((entry) => entry.event === event);
const current = async () => (await getKey(w.ports, keyId)).current;

describe('a request to revoke', () => {
  it('of a key that nobody registered, or of a version that it does not have, is refused: E_NOT_FOUND', async () => {
    await expect(revokes(w, 'payments/nobody')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    await expect(revokes(w, keyId, { scope: [1, 7] })).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', revocation: null });
  });

  it('row 14: while a rotation runs is accepted at once, and ends that rotation', async () => {
    services(w, testFacts());
    const { operationId } = await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const answer = await revokes(w, keyId);
    expect(answer.versions).toEqual([
      { number: 1, firstDisable: 'disabled' },
      { number: 2, firstDisable: 'disabled' },
    ]);
    await w.until(async () => (await lines('revocation.disabled')).length === 1);
    expect((await getKey(w.ports, keyId)).rotation).toBeNull();
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 3 });
    expect(await lines('rotation.superseded')).toMatchObject([{ detail: { operation: operationId, by: answer.operationId } }]);
    await expect(w.inventory.get({ pk: `KEY#${keyId}`, sk: `OP#${operationId}` })).resolves.toMatchObject({ outcome: 'superseded' });
  });

  it('row 15: sent twice is the same operation with the same answer, and is one request on record', async () => {
    const { fence: _fence, ...first } = await revokes(w, keyId);
    expect(await revokes(w, keyId)).toMatchObject(first);
    expect((await getKey(w.ports, keyId)).revocation?.requests).toHaveLength(1);
    expect(await lines('revocation.requested')).toHaveLength(1);
  });

  it('row 15: that met an open revocation, sent again after that ended, is answered with that operation', async () => {
    const first = await revokes(w, keyId, { scope: [1], requestId: 'first' });
    const second = await revokes(w, keyId, { scope: [1], requestId: 'second' });
    expect(second.operationId).toBe(first.operationId);
    await untilIdle(w, keyId);
    expect((await revokes(w, keyId, { scope: [1], requestId: 'second' })).operationId).toBe(first.operationId);
  });

  it('row 15: sent again after its revocation ended is the same operation, and disables nothing new', async () => {
    const first = await revokes(w, keyId);
    await untilIdle(w, keyId);
    const number = await current();
    expect(await revokes(w, keyId)).toMatchObject({ operationId: first.operationId, alreadyDead: true, workflow: 'not needed' });
    await passInflight(w);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: number, revocation: null });
    expect(await findVersion(w.ports, keyId, number ?? 0)).toMatchObject({ state: 'live', compromised: false });
  });

  it('row 31: under the id of another request is refused, while that is open and after it ended, and nothing of it is done: E_REQUEST_REUSED', async () => {
    services(w, testFacts());
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await revokes(w, keyId, { scope: [1] });
    const other = () => revokes(w, keyId, { scope: [2] });
    await expect(other()).rejects.toMatchObject({ code: 'E_REQUEST_REUSED', message: expect.stringContaining('id of its own') });
    await untilIdle(w, keyId);
    await expect(other()).rejects.toMatchObject({ code: 'E_REQUEST_REUSED' });
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ state: 'live', compromised: false });
  });

  it('by somebody else, with another version, meets the first in one revocation that covers both', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const first = await revokes(w, keyId, { scope: [1] });
    const second = await revokes(w, keyId, { scope: [2], requestId: 'r2' });
    expect(second.operationId).toBe(first.operationId);
    expect(second.fence).toBeGreaterThan(first.fence);
    await untilIdle(w, keyId);
    for (const number of [1, 2]) expect(await findVersion(w.ports, keyId, number)).toMatchObject({ compromised: true });
    expect(await current()).toBe(3);
  });

  it('of a version again, by another request after the first ended, is sent back as the later one too', async () => {
    await revokes(w, keyId, { scope: [1] });
    await revokes(w, keyId, { scope: [1], requestId: 'r2' });
    await untilIdle(w, keyId);
    const number = await current();
    expect(await revokes(w, keyId, { scope: [1], requestId: 'r2' })).toMatchObject({ alreadyDead: true });
    expect(await findVersion(w.ports, keyId, number ?? 0)).toMatchObject({ state: 'live', compromised: false });
  });

  it('ends what a rotation was still minting, which did not leak', async () => {
    await beginsRotation(w, keyId);
    await w.until(async () => Boolean((await findVersion(w.ports, keyId, 2))?.credentialId));
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ state: 'minting' });
    await revokes(w, keyId, { scope: [1] });
    await untilIdle(w, keyId);
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ compromised: false });
    const { credentialId, state } = (await findVersion(w.ports, keyId, 2)) ?? {};
    expect(state === 'live' || !w.provider.accepts(credentialId ?? '')).toBe(true);
    expect((await w.provider.list({ keyId, account: '', params: {} })).filter(({ enabled }) => enabled)).toHaveLength(1);
  });

  it('covers what there was when it was made: a version issued since is not in its scope, whoever asks again', async () => {
    await revokes(w, keyId);
    await untilStep(w, keyId, 'verify');
    await revokes(w, keyId, { scope: [1], requestId: 'r2' });
    await untilIdle(w, keyId);
    expect(await current()).toBe(2);
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ compromised: false, state: 'live' });
  });

  it('row 16, row 61: about a version that is proven dead changes nothing but its mark, and is on record', async () => {
    services(w, testFacts());
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    const answer = await revokes(w, keyId, { scope: [1], requestId: 'late' });
    expect(answer).toMatchObject({ alreadyDead: true, versions: [], workflow: 'not needed' });
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', revocation: null, current: 2 });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ compromised: true });
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ compromised: false, state: 'live' });
    expect(await lines('revocation.not-needed')).toMatchObject([{ actor: 'responder', detail: { versions: '1', reason: 'leaked' } }]);
  });

  describe('about a version that is proven dead', () => {
    beforeEach(async () => {
      services(w, testFacts());
      await beginsRotation(w, keyId);
      await untilIdle(w, keyId);
    });
    /** From now on the first version is accepted, though it is listed as disabled; returns how the vendor comes to its senses. */
    const revived = () => {
      const { probe } = w.provider;
      const first = findVersion(w.ports, keyId, 1).then((version) => w.ports.secrets.read(keyId, version?.token ?? ''));
      w.provider.probe = async (subject, value) =>
        value.reveal() === (await first)?.reveal() ? { verdict: 'alive', detail: 'accepted after all' } : probe(subject, value);
      return () => void Object.assign(w.provider, { probe });
    };

    it('and works all the same, though it is not listed, is ended again', async () => {
      const honest = revived();
      const answer = await revokes(w, keyId, { scope: [1], requestId: 'late' });
      expect(answer).toMatchObject({ alreadyDead: false, versions: [{ number: 1 }] });
      await w.until(async () => (await getKey(w.ports, keyId)).revocation?.step === 'validate');
      expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ aliveAt: expect.any(String) });
      honest();
      await untilIdle(w, keyId);
      expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
    });

    it.each([
      [
        'no answer that can be judged',
        () => Object.assign(w.provider, { probe: async () => ({ verdict: 'inconclusive', detail: 'busy' }) }),
      ],
      ['no value that can be read', () => Object.assign(w.secrets, { read: () => Promise.reject(new TypeError('no answer')) })],
    ])('with %s is not called settled: it is tried until there is one, and ended where it works', async (_, breaks) => {
      const { read } = w.secrets;
      const { probe } = w.provider;
      breaks();
      const answer = await revokes(w, keyId, { scope: [1], requestId: 'late' });
      expect(answer).toMatchObject({ versions: [], workflow: 'not started, the reconciler takes it up' });
      expect(answer.message).toMatch(/tried again shortly/);
      await w.pass(30);
      expect(await lines('version.alive-again')).toEqual([]);
      Object.assign(w.secrets, { read });
      w.provider.probe = probe;
      const honest = revived();
      await w.until(async () => (await lines('version.alive-again')).length === 1, 60);
      honest();
      await untilIdle(w, keyId);
      expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled', compromised: true });
    });
  });

  it('row 18: without a reason is accepted: the disable comes first', async () => {
    expect(await revokes(w, keyId, { reason: '' })).toMatchObject({ versions: [{ number: 1, firstDisable: 'disabled' }] });
  });

  it('row 19: of a key whose owner and contacts are gone is accepted', async () => {
    await end(w);
    w = world();
    const facts = testFacts({ owner: '', incident: { contacts: [], reissue: 'automatic' } });
    await adopted(w, facts);
    expect(await revokes(w, facts.id)).toMatchObject({ versions: [{ number: 1, firstDisable: 'disabled' }] });
    await untilIdle(w, facts.id);
    expect((await listVersions(w.ports, facts.id))[0]).toMatchObject({ state: 'disabled', compromised: true });
  });

  it('of a key that was never issued is accepted, and the key comes back with its first version', async () => {
    await end(w);
    w = world();
    await registerKey(w.ports, testFacts(), 'test');
    expect(await revokes(w, keyId)).toMatchObject({ versions: [] });
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active' });
  });

  it('that comes once more while its reissue is under way, or was held up on its way, does not end the new version', async () => {
    await revokes(w, keyId);
    await untilStep(w, keyId, 'verify');
    expect(await revokes(w, keyId)).toMatchObject({ versions: [{ number: 1 }] });
    await untilIdle(w, keyId);
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ state: 'live', compromised: false });
    expect(w.provider.accepts((await findVersion(w.ports, keyId, 2))?.credentialId ?? '')).toBe(true);
  });

  it('keeps each version marked for ever: compromised never goes back', async () => {
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    services(w, testFacts());
    await passInflight(w);
    await beginsRotation(w, keyId, 'later');
    await untilIdle(w, keyId);
    await w.pass(1000);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ compromised: true, state: 'destroyed' });
  });
});

describe('a leaked string', () => {
  it('names its key and version, also after the version died; any other string names nothing', async () => {
    const token = (await findVersion(w.ports, keyId, 1))?.token ?? '';
    const leaked = (await w.ports.secrets.read(keyId, token)) as Value;
    expect(await findLeaked(w.ports, leaked)).toEqual({ keyId, version: 1, state: 'live', role: 'current', by: 'fingerprint' });
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    expect(await findLeaked(w.ports, leaked)).toMatchObject({ keyId, version: 1, state: 'disabled' });
    expect(await findLeaked(w.ports, new Value('nobody’s'))).toBeUndefined();
  });
});
