import { afterEach, describe, expect, it } from 'vitest';
import { setHold } from '../../core/hold.ts';
import { findVersion, getKey, listVersions } from '../../core/items.ts';
import type { LeakSource } from '../../core/leak-sources.ts';
import type { Ports } from '../../core/ports.ts';
import { releaseReissue } from '../../core/revoke/release.ts';
import { history } from '../../core/show.ts';
import { faults } from '../support/faults.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
let keyId: string;
afterEach(() => end(w));

const accepted = () => w.provider.accepts('cred-0001');
const events = async () => (await history(w.ports, keyId)).map(({ event }) => event);

async function activeKey(options: WorldOptions = {}, facts = testFacts()): Promise<void> {
  w = world(options);
  keyId = await adopted(w, facts);
  services(w, facts);
}

/** Ports of which the named ones answer nothing but errors while `broken.yes`. */
const without =
  (broken: { yes: boolean }, ...names: readonly ('notifier' | 'secrets' | 'executions')[]) =>
  (ports: Ports): Ports => {
    const dead = <T extends object>(port: T): T =>
      new Proxy(port, {
        get: (target, name) => {
          const member = Reflect.get(target, name);
          return typeof member !== 'function' || !broken.yes
            ? member
            : async () => {
                throw new TypeError('no answer');
              };
        },
      });
    return { ...ports, ...Object.fromEntries(names.map((name) => [name, dead(ports[name])])) };
  };

describe('POL-F5: a revocation', () => {
  it('runs disable, notify, validate, and only then reissue, in this order', async () => {
    const order: string[] = [];
    await activeKey({ onStep: (state, error) => !error && order.push(state) });
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    await w.pass(1);
    expect(order).toEqual(['Disable', 'Notify', 'Validate', 'Attribute', 'Issue', 'Distribute', 'Verify', 'Close']);
  });

  it.each([[['notifier']], [['secrets']], [['executions']], [['notifier', 'secrets', 'executions']]] as const)(
    'has disabled the version before its request returns, though %j are broken, and ends by itself when they are back',
    async (names) => {
      const broken = { yes: false };
      await activeKey({ wrap: without(broken, ...names) });
      broken.yes = true;
      expect(await revokes(w, keyId)).toMatchObject({ versions: [{ number: 1, firstDisable: 'disabled' }] });
      expect(accepted()).toBe(false);
      await w.pass(60);
      broken.yes = false;
      await untilIdle(w, keyId);
      expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
    },
  );

  it('goes on disabling when the provider does not answer, says so at once, and shows it until it is done', async () => {
    await activeKey();
    const { disable } = w.provider;
    w.provider.disable = async () => {
      throw new TypeError('no answer');
    };
    expect(await revokes(w, keyId)).toMatchObject({
      versions: [{ number: 1, firstDisable: 'failed', detail: 'TypeError' }],
      message: expect.stringContaining('asked again until it does'),
    });
    await w.pass(400);
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'revoking',
      attention: { message: expect.stringContaining('CONTAINMENT INCOMPLETE') },
    });
    expect(w.notices.filter(({ type }) => type === 'key.revocation.incomplete')).toHaveLength(1);
    w.provider.disable = disable;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
  });
});

describe('POL-R0: stopping access comes first', () => {
  it('no credential is minted and nobody is told before the provider was told to refuse the leaked one', async () => {
    const calls = faults(null, 0);
    await activeKey({ wrap: calls.wrap });
    calls.arm();
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    expect(calls.calls.slice(0, 3)).toEqual(['inventory.update', 'provider.disable', 'executions.start']);
    const first = (name: string) => calls.calls.indexOf(name);
    for (const later of ['notifier.publish', 'provider.create', 'secrets.put', 'destination.write'])
      expect(first(later)).toBeGreaterThan(2);
    expect(first('provider.create')).toBeGreaterThan(first('notifier.publish'));
  });
});

describe('POL-R1 POL-P5: one caller is enough', () => {
  it('to revoke a key that is on hold', async () => {
    await activeKey();
    await setHold(w.ports, { keyId, reason: 'release week', until: '2026-01-10T00:00:00.000Z' }, 'owner');
    await revokes(w, keyId);
    expect(accepted()).toBe(false);
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, hold: { reason: 'release week' } });
  });

  it.each(['issue', 'confirm', 'verify', 'retire', 'rollback'])('to revoke a key whose rotation is at %s', async (step) => {
    await activeKey();
    await beginsRotation(w, keyId);
    const look = setInterval(async () => {
      if (step === 'rollback' && (await getKey(w.ports, keyId)).rotation?.step === 'verify') w.provider.mood = 'accepts everything';
    }, 100);
    await w.until(async () => (await getKey(w.ports, keyId)).rotation?.step === step);
    clearInterval(look);
    w.provider.mood = 'honest';
    await revokes(w, keyId);
    for (const { credentialId, state } of await listVersions(w.ports, keyId)) {
      if (credentialId && state !== 'minting') expect(w.provider.accepts(credentialId)).toBe(false);
    }
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', rotation: null });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ compromised: true });
  });

  it('and no step on the way to containment waits for anybody', async () => {
    await activeKey();
    const from = w.ports.clock.now();
    await revokes(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).state !== 'revoking');
    // Three refusals in a row, a second apart, with the workflow's growing pauses between.
    expect(w.ports.clock.now() - from).toBeLessThan(15_000);
  });
});

describe('POL-R5: a provider that says it disabled a version and still accepts it', () => {
  it('is caught: never contained, a person is called, the version is disabled again and again; contained once it behaves', async () => {
    await activeKey();
    w.provider.mood = 'ignores disable';
    expect(await revokes(w, keyId)).toMatchObject({ versions: [{ firstDisable: 'disabled' }] });
    await w.pass(600);
    const key = await getKey(w.ports, keyId);
    expect(key).toMatchObject({ state: 'revoking', attention: { reason: 'ContainmentIncomplete' } });
    expect(key.attention?.message).toContain('CONTAINMENT INCOMPLETE');
    expect(w.notices.filter(({ type }) => type === 'key.revocation.incomplete')).toMatchObject([{ severity: 'critical', audience: '*' }]);
    expect(w.notices.filter(({ type }) => type === 'key.contained')).toEqual([]);
    expect((await events()).filter((event) => event === 'version.disabling').length).toBeGreaterThan(3);
    w.provider.mood = 'honest';
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
    expect(w.notices.filter(({ type }) => type === 'key.contained')).toHaveLength(1);
  });

  it('does not end a rotation either: the old version stays disabling, and is shown as alive', async () => {
    await activeKey();
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    w.provider.mood = 'ignores disable';
    await w.pass(600);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'rotating', rotation: { step: 'retire', ponr: true } });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabling' });
    w.provider.mood = 'honest';
    await untilIdle(w, keyId);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled' });
  });

  it('and one that refuses only later is contained only then', async () => {
    await activeKey({ provider: { revokeSeconds: 20 } });
    const from = w.ports.clock.now();
    await revokes(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).state !== 'revoking');
    expect(w.ports.clock.now() - from).toBeGreaterThan(20_000);
    expect(accepted()).toBe(false);
  });
});

describe('POL-R6: issuing again', () => {
  it.each<LeakSource>(['destination', 'unknown'])(
    'waits for a responder when the leak’s source is %s, and runs when released',
    async (source) => {
      await activeKey();
      await revokes(w, keyId, { source });
      await w.pass(600);
      expect(await getKey(w.ports, keyId)).toMatchObject({
        state: 'contained',
        attention: { reason: 'ReissueHeld' },
        revocation: { held: true },
      });
      expect(await listVersions(w.ports, keyId)).toHaveLength(1);
      await releaseReissue(w.ports, { keyId, mistake: false, reason: 'host rebuilt' }, 'responder');
      await untilIdle(w, keyId);
      expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
      expect(accepted()).toBe(false);
    },
  );

  it.each<LeakSource>(['repository', 'log', 'ticket', 'chat', 'vendor', 'none'])(
    'runs by itself when the leak’s source is %s',
    async (source) => {
      await activeKey();
      await revokes(w, keyId, { source });
      await untilIdle(w, keyId);
      expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
    },
  );

  it('waits when the key’s own record says so, whatever the source', async () => {
    await activeKey({}, testFacts({ incident: { contacts: ['oncall@example.test'], reissue: 'held' } }));
    await revokes(w, keyId);
    await w.pass(600);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'contained', revocation: { held: true } });
  });

  it('waits when one of several requests that met says so', async () => {
    await activeKey();
    await revokes(w, keyId, { source: 'destination' });
    await revokes(w, keyId, { source: 'repository', requestId: 'r2' });
    await w.pass(600);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'contained', revocation: { held: true } });
  });

  it('after a mistake closes the incident as a false alarm; the version stays dead', async () => {
    await activeKey();
    await revokes(w, keyId, { source: 'unknown' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    await releaseReissue(w.ports, { keyId, mistake: true, reason: 'a test fixture' }, 'responder');
    await untilIdle(w, keyId);
    const closed = (await history(w.ports, keyId)).find(({ event }) => event === 'revocation.closed');
    expect(closed?.detail).toMatchObject({ falseAlarm: true, current: 2 });
    expect(accepted()).toBe(false);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ compromised: true });
  });
});
