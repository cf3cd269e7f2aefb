import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProviderUnavailable } from '../../core/errors.ts';
import { findVersion, fingerprintKey, getKey } from '../../core/items.ts';
import { Value } from '../../core/value.ts';
import { beginsRotation, end, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
  services(w, testFacts());
});
afterEach(() => end(w));

const rolledBackFor = async (cause: string) => {
  await untilIdle(w, keyId);
  expect(await getKey(w.ports, keyId)).toMatchObject({
    state: 'active',
    current: 1,
    attention: { message: expect.stringContaining(cause) },
  });
  expect(w.provider.accepts('cred-0001')).toBe(true);
};

describe('POL-U4: a rotation', () => {
  it('is taken back when a destination does not hold what was written to it', async () => {
    const destination = w.ports.destination('memory');
    const { write } = destination;
    const one = await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, 1))?.token ?? '');
    destination.write = async (spec, value, marker) => {
      if (spec.id === 'api' || one?.equals(value)) await write(spec, value, marker);
    };
    await beginsRotation(w, keyId);
    await rolledBackFor('DestinationRefused');
  });

  it('goes on with what is missing when a part of the delivery failed: what was written is not written again, and nothing stays split', async () => {
    const written: string[] = [];
    let failures = 0;
    const destination = w.ports.destination('memory');
    const { write } = destination;
    destination.write = async (spec, value, marker) => {
      if (spec.id === 'batch' && failures++ < 2) throw Object.assign(new Error('no answer'), { name: 'DestinationUnavailable' });
      written.push(spec.id);
      await write(spec, value, marker);
    };
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect([written, failures]).toEqual([['api', 'batch'], 3]);
    const held = await Promise.all(testFacts().destinations.map((spec) => destination.read(spec)));
    const two = await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, 2))?.token ?? '');
    expect(held.map((one) => two && one?.equals(two))).toEqual([true, true]);
  });

  it('never writes to a destination of another environment, whoever changed the record', async () => {
    const destinations = testFacts().destinations.map((spec) => ({ ...spec, environment: spec.id === 'batch' ? 'production' : 'staging' }));
    await w.inventory.update({ pk: `KEY#${keyId}`, sk: 'META' }, { set: { 'facts.destinations': destinations } });
    const written: string[] = [];
    const destination = w.ports.destination('memory');
    const { write } = destination;
    destination.write = async (spec, value, marker) => {
      written.push(spec.environment);
      await write(spec, value, marker);
    };
    await beginsRotation(w, keyId);
    await w.pass(120);
    expect(written.length).toBeGreaterThan(0);
    expect(written).not.toContain('production');
  });

  it('does not move a label of the secret store that somebody else moved', async () => {
    const foreign = '11111111-1111-8111-a111-111111111111';
    await w.ports.secrets.put(keyId, foreign, new Value('somebody else’s'));
    await w.ports.secrets.promote(keyId, foreign, (await findVersion(w.ports, keyId, 1))?.token ?? '');
    await beginsRotation(w, keyId);
    await w.pass(600);
    expect((await w.ports.secrets.labels(keyId))['AWSCURRENT']).toBe(foreign);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 1 });
    expect(w.provider.accepts('cred-0001')).toBe(true);
  });

  it('does not take a value that is on record as another key’s', async () => {
    const { create } = w.provider;
    w.provider.create = async (...args) => {
      const created = await create(...args);
      const mac = await w.ports.fingerprint(created.value);
      await w.inventory.write([{ do: 'put', item: { ...fingerprintKey(mac), keyId: 'payments/other', version: 7 } }]);
      return created;
    };
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 1 });
    const taken = w.inventory.items().filter((item) => item.pk.startsWith('FP#') && item['keyId'] === 'payments/other');
    expect(taken.length).toBeGreaterThan(0);
  });

  it('never asks for a credential under a name that it asked for before', async () => {
    const { create } = w.provider;
    const names: string[] = [];
    w.provider.create = async (subject, label) => {
      names.push(label);
      const created = await create(subject, label);
      if (names.length < 3) throw new ProviderUnavailable('the answer was lost');
      return created;
    };
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(3);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
    expect((await w.provider.list({ keyId, account: '', params: {} })).filter(({ enabled }) => enabled)).toHaveLength(1);
  });

  it('holds its new version pending until it is delivered everywhere, and its old one previous until it is dead', async () => {
    await beginsRotation(w, keyId);
    await w.until(async () => (await findVersion(w.ports, keyId, 2)) !== undefined);
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ role: 'pending' });
    await untilStep(w, keyId, 'confirm');
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ role: 'previous', state: 'live' });
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ role: 'current', state: 'live' });
    await untilIdle(w, keyId);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ role: 'none', state: 'disabled' });
  });
});
