import { afterEach, describe, expect, it } from 'vitest';
import { getKey, listVersions, versionKey } from '../../core/items.ts';
import type { Ports } from '../../core/ports.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
afterEach(() => end(w));

/** The notifier fails until an instant. */
const deafUntil =
  (seconds: number) =>
  (ports: Ports): Ports => ({
    ...ports,
    notifier: {
      publish: async (notice) => {
        if (ports.clock.now() < Date.UTC(2026, 0, 5, 8) + seconds * 1000) throw new TypeError('no route');
        await ports.notifier.publish(notice);
      },
    },
  });

describe('a revocation that has ended', () => {
  it('INV-22: left no label of the secret store on a compromised version', async () => {
    w = world({ reconciler: false });
    keyId = await adopted(w);
    services(w, testFacts());
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    const compromised = (await listVersions(w.ports, keyId)).filter((version) => version.compromised).map(({ token }) => token);
    expect(compromised).toHaveLength(2);
    for (const token of Object.values(await w.ports.secrets.labels(keyId))) expect(compromised).not.toContain(token);
  });

  it('told everybody by its own steps, though the notifier failed for a moment', async () => {
    w = world({ reconciler: false, wrap: deafUntil(2) });
    keyId = await adopted(w);
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    expect(
      w.notices
        .filter(({ type }) => type === 'key.revoked')
        .map(({ audience }) => audience)
        .sort(),
    ).toEqual(['*', 'api', 'batch']);
  });
});

describe('a revocation whose new version leaked as well', () => {
  it('does not end on it: without a clean version at every destination nothing is closed', async () => {
    w = world({ reconciler: false });
    keyId = await adopted(w);
    await revokes(w, keyId);
    await untilStep(w, keyId, 'verify');
    await w.inventory.update(versionKey(keyId, 2), { set: { compromised: true } });
    // Verify replaces the record it read; what counts is what Close finds.
    await w.until(async () => {
      await w.inventory.update(versionKey(keyId, 2), { set: { compromised: true } });
      return (await getKey(w.ports, keyId)).revocation?.step !== 'verify';
    });
    await w.pass(120);
    expect((await getKey(w.ports, keyId)).state).not.toBe('active');
  });
});
