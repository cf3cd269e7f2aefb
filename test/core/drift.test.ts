import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProviderRefused } from '../../core/errors.ts';
import { findVersion, getKey } from '../../core/items.ts';
import type { Ports } from '../../core/ports.ts';
import { history } from '../../core/show.ts';
import { Value } from '../../core/value.ts';
import { beginsRotation, end, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
/** What is wrong outside, as long as it is. */
let wrong: { readonly lost?: string; readonly forbids?: 'create' | 'list' };
beforeEach(async () => {
  wrong = {};
  w = world({ wrap });
  keyId = await adopted(w);
  services(w, testFacts());
});
afterEach(() => end(w));

const wrap = (ports: Ports): Ports => ({
  ...ports,
  secrets: { ...ports.secrets, read: async (key, token) => (token === wrong.lost ? undefined : ports.secrets.read(key, token)) },
  provider: (name) => ({
    ...ports.provider(name),
    create: (...args) => (wrong.forbids === 'create' ? forbidden('CreateAccessKey') : ports.provider(name).create(...args)),
    list: (...args) => (wrong.forbids === 'list' ? forbidden('ListAccessKeys') : ports.provider(name).list(...args)),
  }),
});

const forbidden = (action: string) => Promise.reject(new ProviderRefused(`status 403, the admin credential may not ${action}`));

const events = async () => (await history(w.ports, keyId)).map(({ event }) => event);

describe('row 69: at the secret store,', () => {
  it('a value that somebody deleted during a rotation rolls it back with the cause, and the rollback ends when the value is back', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'verify');
    wrong = { lost: (await findVersion(w.ports, keyId, 2))?.token ?? '' };
    await w.pass(300);
    // Nobody can try what nobody has: its death cannot be proven, and the rollback does not claim it.
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'rolling-back',
      rotation: { firstCause: expect.stringContaining('StoreConflict') },
    });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'live' });
    wrong = {};
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 1, attention: { reason: 'RolledBack' } });
  });

  it('a value that somebody else left under AWSPENDING is not taken for ours, and its label goes', async () => {
    await w.ports.secrets.put(keyId, '33333333-3333-8333-a333-333333333333', new Value('somebody else’s'));
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    await w.pass(100);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
    const labels = await w.ports.secrets.labels(keyId);
    expect(Object.values(labels)).not.toContain('33333333-3333-8333-a333-333333333333');
  });

  it('a rotation of the store’s own that moves AWSCURRENT to a value of its own stops ours, which says so and changes nothing', async () => {
    const token = '33333333-3333-8333-a333-333333333333';
    const { AWSCURRENT: from = null } = await w.ports.secrets.labels(keyId);
    await w.ports.secrets.put(keyId, token, new Value('rotated natively'));
    await w.ports.secrets.promote(keyId, token, from);
    await beginsRotation(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'rolling-back');
    expect((await getKey(w.ports, keyId)).rotation?.firstCause).toContain('StoreConflict');
    // The exact fix of the runbook: AWSCURRENT back on a version of the key. The rollback ends by itself then.
    await w.pass(60);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'live' });
    await w.ports.secrets.promote(keyId, from as string, token);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 1 });
  });
});

describe('row 70: a provider account without a permission', () => {
  it.each(['create', 'list'] as const)(
    'to %s stops a rotation before anything was made, and the record says which action',
    async (action) => {
      wrong = { forbids: action };
      await beginsRotation(w, keyId);
      await w.until(async () => (await getKey(w.ports, keyId)).rotation?.firstCause != null);
      const before = w.provider.credentials();
      wrong = {};
      await untilIdle(w, keyId);
      expect(before).toHaveLength(1);
      expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 1, attention: { reason: 'RolledBack' } });
      expect(await events()).not.toContain('version.created');
    },
  );
});
