import { afterEach, describe, expect, it } from 'vitest';
import { getKey, listVersions, operationKey } from '../../core/items.ts';
import type { Ports } from '../../core/ports.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
afterEach(() => end(w));

type Side = 'before' | 'after';

/** What a rotation does to the outside and to the record, by port. */
const effects: Readonly<Record<string, readonly string[]>> = {
  inventory: ['write'],
  secrets: ['put', 'promote', 'strip'],
  notifier: ['publish'],
  provider: ['create', 'disable', 'delete'],
  destination: ['write'],
};

/** The ports, with something that happens before and after each effect. */
function tapped(ports: Ports, tap: (side: Side, effect: string) => Promise<void>): Ports {
  const around = <T extends object>(port: string, target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const member: unknown = Reflect.get(object, name);
        if (typeof member !== 'function' || !effects[port]?.includes(String(name))) return member;
        return async (...given: readonly unknown[]) => {
          await tap('before', `${port}.${String(name)}`);
          const result: unknown = await Reflect.apply(member, object, given);
          await tap('after', `${port}.${String(name)}`);
          return result;
        };
      },
    });
  return {
    ...ports,
    inventory: around('inventory', ports.inventory),
    secrets: around('secrets', ports.secrets),
    notifier: around('notifier', ports.notifier),
    provider: (name) => around('provider', ports.provider(name)),
    destination: (kind) => around('destination', ports.destination(kind)),
  };
}

/** Contained, nothing in scope accepted from then on, the rotation filed as superseded, and service restored by a clean version. */
async function expectContained(keyId: string, rotation: string | undefined): Promise<void> {
  await w.until(async () => (await getKey(w.ports, keyId)).revocation?.containedAt !== undefined);
  const containedAt = Date.now();
  const scope = (await getKey(w.ports, keyId)).revocation?.scope ?? [];
  expect(scope.length).toBeGreaterThan(0);
  await untilIdle(w, keyId);
  await w.pass(60);
  const ended = (await listVersions(w.ports, keyId)).filter(({ number }) => scope.includes(number));
  const ids = ended.flatMap(({ credentialId }) => credentialId ?? []);
  expect(ids.filter((id) => w.provider.accepts(id))).toEqual([]);
  expect(w.provider.log.filter(({ at, accepted, credentialId }) => accepted && at > containedAt && ids.includes(credentialId))).toEqual([]);
  expect(w.provider.credentials().filter(({ enabled }) => enabled)).toHaveLength(1);
  expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', rotation: null, revocation: null });
  if (rotation) expect(await w.ports.inventory.get(operationKey(keyId, rotation))).toMatchObject({ outcome: 'superseded' });
}

/** A rotation with a revocation of everything at its n-th effect. Returns the effect, or undefined when it had fewer. */
async function revokedAt(n: number, side: Side): Promise<string | undefined> {
  let left = Number.POSITIVE_INFINITY;
  let met: string | undefined;
  let rotation: string | undefined;
  let bare: Ports | undefined;
  w = world({
    wrap: (ports) => {
      bare = ports;
      return tapped(ports, async (at, effect) => {
        if (at !== side || left-- !== 0) return;
        met = effect;
        rotation = (await getKey(ports, testFacts().id)).rotation?.id;
        await revokes({ ...w, ports }, testFacts().id);
      });
    },
  });
  const keyId = await adopted({ ...w, ports: bare as Ports });
  services({ ...w, ports: bare as Ports }, testFacts());
  left = n;
  // Revoked while it begins, it is refused like any other.
  await beginsRotation(w, keyId).catch(() => undefined);
  await w.until(async () => met !== undefined || (await getKey(w.ports, keyId)).rotation === null);
  if (met !== undefined) await expectContained(keyId, rotation);
  await end(w);
  return met;
}

describe('a revocation of everything ends contained, with no version in scope accepted afterwards and the rotation superseded,', () => {
  it.each(['before', 'after'] as const)('%s any effect of a rotation', async (side) => {
    const met: string[] = [];
    for (let n = 0; ; n++) {
      const effect = await revokedAt(n, side).catch((error: Error) => {
        throw new Error(`${side} effect ${n}, behind ${met.at(-1)}: ${error.message}`, { cause: error });
      });
      if (effect === undefined) break;
      met.push(effect);
    }
    expect(new Set(met)).toEqual(
      new Set([
        ...['inventory.write', 'secrets.put', 'secrets.promote', 'notifier.publish'],
        ...['provider.create', 'provider.disable', 'destination.write'],
      ]),
    );
  });

  it('while Confirm waits for the consumers, whose execution ends at once', async () => {
    w = world();
    const keyId = await adopted(w);
    services(w, testFacts(), { silent: ['api', 'batch'] });
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const rotation = (await getKey(w.ports, keyId)).rotation?.id;
    await w.pass(30);
    await revokes(w, keyId);
    await w.until(
      async () => (await w.ports.executions.state('rotate', { keyId, operationId: rotation ?? '', startSeq: 1 })) !== 'running',
      60,
    );
    await expectContained(keyId, rotation);
  });
});
