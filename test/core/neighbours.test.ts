import { afterEach, describe, expect, it } from 'vitest';
import { attributionOf, labelOf, orphansOf, versionOfLabel } from '../../core/attribution.ts';
import { getKey, operationIdOf } from '../../core/items.ts';
import type { Key } from '../../core/key.ts';
import type { Credential, ProviderTraits } from '../../core/ports.ts';
import { registerKey } from '../../core/register.ts';
import { beginsRotation, end, revokes, untilIdle } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
afterEach(() => end(w));

describe('a provider whose list shows everybody’s credentials', () => {
  const account = (more: Partial<ProviderTraits> = {}) => world({ provider: { traits: { maxLive: 5, shared: true, ...more } } });

  it('is rotated and revoked among neighbours, who are neither touched nor reported', async () => {
    w = account();
    const facts = testFacts({ exclusive: false });
    const before = [w.provider.stranger('made by hand'), w.provider.stranger()];
    services(w, facts);
    const keyId = await adopted(w, facts);
    const after = w.provider.stranger('rekey-another.key-rotate-abcdefghijklm-1-1');
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    await w.pass(100);
    await revokes(w, keyId, { source: 'repository' });
    await untilIdle(w, keyId);
    await w.pass(1000);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 3, attention: null });
    for (const { credentialId } of [...before, after]) expect(w.provider.accepts(credentialId)).toBe(true);
  });

  it('finds its orphan by its label, among neighbours', async () => {
    w = account();
    const facts = testFacts({ exclusive: false });
    services(w, facts);
    const keyId = await adopted(w, facts);
    const neighbour = w.provider.stranger('made by hand');
    const lost = w.provider.stranger(labelOf(keyId, operationIdOf('rotate', keyId, 'lost'), 2, 1));
    await w.pass(1000);
    expect([lost, neighbour].map(({ credentialId }) => w.provider.accepts(credentialId))).toEqual([false, true]);
  });

  it('says that no place is free, and blames nobody, when its neighbours have them all', async () => {
    w = account({ maxLive: 3 });
    const facts = testFacts({ exclusive: false });
    services(w, facts);
    const keyId = await adopted(w, facts);
    const others = [w.provider.stranger(), w.provider.stranger()];
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 1, attention: { message: expect.stringContaining('NoFreeSlot') } });
    for (const { credentialId } of others) expect(w.provider.accepts(credentialId)).toBe(true);
  });

  it('cannot be an exclusive principal: it would take everybody’s credentials for its own', async () => {
    w = account();
    await expect(registerKey(w.ports, testFacts({ exclusive: true }), 'owner')).rejects.toMatchObject({
      problems: [{ path: 'exclusive' }],
    });
    const key = { facts: testFacts({ exclusive: true }) } as unknown as Key;
    expect(attributionOf(w.provider, key, [], { credentialId: 'x', enabled: true })).toBe('neighbour');
  });
});

describe('a provider that keeps the last credential alive', () => {
  const stands = (credentialId: string, enabled = true): Credential => ({ credentialId, enabled });

  it('lets go of our stand-in only when there is another', () => {
    w = world({ provider: { traits: { keepsOne: true, labelled: false } } });
    const key = { facts: testFacts() } as unknown as Key;
    const ended = (listed: Credential[]) => orphansOf(w.provider, key, [], listed).map(({ credentialId }) => credentialId);
    expect(ended([stands('stand-in')])).toEqual([]);
    expect(ended([stands('stand-in'), stands('dead', false)])).toEqual(['dead']);
    expect(ended([stands('stand-in'), stands('lost')])).toEqual(['stand-in', 'lost']);
  });

  it('needs a principal of its own', async () => {
    w = world({ provider: { traits: { keepsOne: true } } });
    await expect(registerKey(w.ports, testFacts({ exclusive: false }), 'owner')).rejects.toMatchObject({
      problems: [{ path: 'exclusive' }],
    });
  });
});

it('a tier that rotates more slowly than the vendor lets a version live is refused', async () => {
  w = world({ provider: { traits: { lifetimeSeconds: 86_400 } } });
  await expect(registerKey(w.ports, testFacts(), 'owner')).rejects.toMatchObject({ problems: [{ path: 'provider' }] });
});

it('a label has at most 64 characters, names its version, and is of one key alone', () => {
  w = world();
  const long = `team/${'service-'.repeat(11)}a`;
  const ids = ['a', 'payments/stripe', long, long.replace(/a$/, 'b')];
  const labels = ids.map((id) => labelOf(id, operationIdOf('rotate', id, 'x'), 12_345, 10));
  for (const label of labels) expect(label.length).toBeLessThanOrEqual(64);
  for (const [i, id] of ids.entries())
    expect(labels.map((label) => versionOfLabel(id, label))).toEqual(ids.map((_, j) => (i === j ? 12_345 : undefined)));
});
