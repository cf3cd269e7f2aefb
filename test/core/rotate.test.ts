import { afterEach, describe, expect, it } from 'vitest';
import { getKey, listVersions } from '../../core/items.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { history } from '../../core/show.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
afterEach(() => w.stop());

const idle = (keyId: string) => async () => {
  const key = await getKey(w.ports, keyId);
  return key.rotation === null && key.revocation === null;
};

describe('a rotation', () => {
  it('ends with the new version everywhere and the old one refused, and no service was ever refused', async () => {
    w = world();
    const facts = testFacts();
    const keyId = await adopted(w, facts);
    const seen = services(w, facts);
    await beginRotation(w.ports, { keyId, reason: 'test', trigger: 't1' }, 'test');
    await w.until(idle(keyId));
    const [v1, v2] = await listVersions(w.ports, keyId);
    expect(v1).toMatchObject({ state: 'disabled', role: 'none' });
    expect(v2).toMatchObject({ state: 'live', role: 'current' });
    expect(w.provider.accepts(v1?.credentialId ?? '')).toBe(false);
    expect(w.provider.accepts(v2?.credentialId ?? '')).toBe(true);
    expect(seen.refused).toEqual([]);
    const events = (await history(w.ports, keyId)).map(({ event }) => event);
    expect(events).toContain('rotation.done');
  });
});
