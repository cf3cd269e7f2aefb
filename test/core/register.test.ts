import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adoptVersion } from '../../core/adopt.ts';
import { InventoryUnavailable } from '../../core/errors.ts';
import { getKey } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import { goLive, registerKey } from '../../core/register.ts';
import { history } from '../../core/show.ts';
import { Value } from '../../core/value.ts';
import { beginsRotation, end } from '../support/operations.ts';
import { adopted, consumerNamed, testFacts, type World, world } from '../support/world.ts';

let w: World;
beforeEach(() => {
  w = world({ reconciler: false });
});
afterEach(() => end(w));

const asks = (more: Partial<KeyFacts>) => registerKey(w.ports, testFacts(more), 'owner');
const token = '22222222-2222-8222-a222-222222222222';

describe('a registration is refused', () => {
  const destination = { id: 'api', kind: 'memory', at: 'api', environment: 'staging' };

  it.each<[name: string, facts: Partial<KeyFacts>, path: string]>([
    ['POL-W3 POL-U6: with a store that is not approved', { store: 'spreadsheet' }, 'store'],
    [
      'with a destination of another environment',
      { destinations: [destination, { ...destination, id: 'b', environment: 'production' }] },
      'destinations[1].environment',
    ],
    ['row 39: with an overlap below what a consumer needs, who is named', { overlapSeconds: 9 }, 'overlap'],
    ['with a consumer too slow for its tier', { consumers: [{ ...consumerNamed('api'), refreshSeconds: 301 }] }, 'consumers.0.refresh'],
  ])('%s', async (_name, facts, path) => {
    await expect(asks(facts)).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      problems: expect.arrayContaining([expect.objectContaining({ path })]),
    });
    expect(w.inventory.items()).toEqual([]);
  });

  it('at a provider without names for credentials, unless the principal is Rekey’s alone or the tier is the lowest', async () => {
    await end(w);
    w = world({ reconciler: false, provider: { traits: { labelled: false } } });
    await expect(asks({ exclusive: false })).rejects.toMatchObject({ code: 'E_INPUT_INVALID', problems: [{ path: 'exclusive' }] });
    expect(await asks({ id: 'payments/low', exclusive: false, exposure: 'isolated', params: { user: 'low' } })).toMatchObject({
      outcome: 'created',
      tier: 'low',
    });
    expect(await asks({ exclusive: true })).toMatchObject({ outcome: 'created' });
  });

  it('with a principal that is another key’s alone, as long as it is', async () => {
    await asks({ id: 'payments/first' });
    await expect(asks({ id: 'payments/second' })).rejects.toMatchObject({ code: 'E_EXISTS', problems: [{ path: 'params' }] });
    expect(await asks({ id: 'payments/third', params: { user: 'third' } })).toMatchObject({ outcome: 'created' });
    await asks({ id: 'payments/first', exclusive: false });
    expect(await asks({ id: 'payments/second', exclusive: false })).toMatchObject({ outcome: 'created' });
  });

  it('when it moves a key that has versions to another provider', async () => {
    await adopted(w);
    await expect(asks({ provider: 'other' })).rejects.toMatchObject({ code: 'E_INPUT_INVALID', problems: [{ path: 'provider' }] });
  });
});

describe('row 57: a registration of many keys that was interrupted half-way', () => {
  it('is run again from the start: each key is there once, and nothing is registered twice', async () => {
    const all = ['one', 'two', 'three'].map((name) => testFacts({ id: `payments/${name}`, params: { user: name } }));
    const outcomes = async (ports = w.ports) => {
      const said: string[] = [];
      for (const facts of all) said.push((await registerKey(ports, facts, 'owner')).outcome);
      return said;
    };
    let writes = 0;
    const write: typeof w.ports.inventory.write = (...args) =>
      writes++ ? Promise.reject(new InventoryUnavailable('gone')) : w.ports.inventory.write(...args);
    await expect(outcomes({ ...w.ports, inventory: { ...w.ports.inventory, write } })).rejects.toMatchObject({
      name: 'InventoryUnavailable',
    });
    expect(await outcomes()).toEqual(['unchanged', 'created', 'created']);
    expect(await outcomes()).toEqual(['unchanged', 'unchanged', 'unchanged']);
    for (const { id } of all) expect((await history(w.ports, id)).map(({ event }) => event)).toEqual(['key.registered']);
  });
});

describe('an adoption', () => {
  const request = { keyId: 'payments/stripe', token, credentialId: 'cred-0001' };

  it('of a value that the provider refuses is refused, and leaves the key as it was: E_NOT_ACCEPTED', async () => {
    await asks({});
    w.provider.stranger();
    await w.ports.secrets.put('payments/stripe', token, new Value('not the right one'));
    await expect(adoptVersion(w.ports, request, 'owner')).rejects.toMatchObject({ code: 'E_NOT_ACCEPTED' });
    expect(await getKey(w.ports, 'payments/stripe')).toMatchObject({ state: 'registered', current: null });
  });

  it('of a value that the secret store does not hold is refused: E_INPUT_EMPTY', async () => {
    await asks({});
    w.provider.stranger();
    await expect(adoptVersion(w.ports, request, 'owner')).rejects.toMatchObject({ code: 'E_INPUT_EMPTY' });
  });

  it('of a credential that the provider does not list is refused: E_NOT_FOUND', async () => {
    await asks({ exclusive: false });
    const { value } = w.provider.stranger();
    await w.ports.secrets.put('payments/stripe', token, value);
    await expect(adoptVersion(w.ports, { ...request, credentialId: 'cred-9999' }, 'owner')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });

  it('of a second version is refused: E_EXISTS', async () => {
    const keyId = await adopted(w);
    await expect(adoptVersion(w.ports, { keyId, token }, 'owner')).rejects.toMatchObject({ code: 'E_EXISTS' });
  });

  it('POL-C7: of a value that another key has, in whatever environment, is refused: E_EXISTS', async () => {
    const first = testFacts({ id: 'payments/one', exclusive: false });
    await registerKey(w.ports, first, 'owner');
    await asks({ exclusive: false });
    const { value } = w.provider.stranger();
    for (const keyId of [first.id, 'payments/stripe']) await w.ports.secrets.put(keyId, token, value);
    await adoptVersion(w.ports, { ...request, keyId: first.id }, 'owner');
    await expect(adoptVersion(w.ports, request, 'owner')).rejects.toMatchObject({ code: 'E_EXISTS' });
    expect(await getKey(w.ports, 'payments/stripe')).toMatchObject({ state: 'registered', current: null });
  });

  it('row 59: of a credential that belongs to another key is refused, whatever the value is: E_EXISTS', async () => {
    const first = testFacts({ id: 'payments/one', exclusive: false });
    await registerKey(w.ports, first, 'owner');
    await asks({ exclusive: false });
    const [one, two] = [w.provider.stranger(), w.provider.stranger()];
    await w.ports.secrets.put(first.id, token, one.value);
    await w.ports.secrets.put('payments/stripe', token, two.value);
    await adoptVersion(w.ports, { keyId: first.id, token, credentialId: one.credentialId }, 'owner');
    await expect(adoptVersion(w.ports, { ...request, credentialId: one.credentialId }, 'owner')).rejects.toMatchObject({
      code: 'E_EXISTS',
    });
    expect(await getKey(w.ports, 'payments/stripe')).toMatchObject({ state: 'registered', current: null });
    await adoptVersion(w.ports, { ...request, credentialId: two.credentialId }, 'owner');
  });

  it('row 59: under an id that is not the one that the value carries is refused', async () => {
    await end(w);
    w = world({
      reconciler: false,
      wrap: (ports) => ({ ...ports, provider: () => ({ ...w.provider, credentialIdOf: () => 'cred-0001' }) }),
    });
    await asks({ exclusive: false });
    const [one] = [w.provider.stranger(), w.provider.stranger()];
    await w.ports.secrets.put('payments/stripe', token, one.value);
    await expect(adoptVersion(w.ports, { ...request, credentialId: 'cred-0002' }, 'owner')).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      problems: [{ path: 'credentialId' }],
    });
  });

  it('touches neither the credential nor the destinations', async () => {
    const keyId = await adopted(w);
    expect(await w.provider.list({ keyId, account: '', params: {} })).toMatchObject([{ credentialId: 'cred-0001', enabled: true }]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 1, lastVersion: 1 });
  });
});

describe('a key in observe mode', () => {
  it('POL-Q1: goes live by the approval alone, and not by being registered again: E_OBSERVE_ONLY', async () => {
    await asks({ mode: 'observe' });
    await expect(asks({ mode: 'live' })).rejects.toMatchObject({ code: 'E_OBSERVE_ONLY' });
    expect(await asks({ mode: 'observe', purpose: 'another one' })).toMatchObject({ outcome: 'changed' });
    await goLive(w.ports, { keyId: testFacts().id }, 'owner');
    expect(await asks({ mode: 'live', purpose: 'a third one' })).toMatchObject({ outcome: 'changed' });
  });

  it('goes live once, and rotates from then on; twice is refused: E_NOTHING_TO_DO', async () => {
    const keyId = await adopted(w, testFacts({ mode: 'observe' }));
    await expect(beginsRotation(w, keyId)).rejects.toMatchObject({ code: 'E_OBSERVE_ONLY' });
    await goLive(w.ports, { keyId }, 'owner');
    await expect(goLive(w.ports, { keyId }, 'owner')).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    expect(await beginsRotation(w, keyId)).toMatchObject({ started: true });
  });
});
