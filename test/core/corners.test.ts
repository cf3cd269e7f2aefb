import { afterEach, expect, it } from 'vitest';
import { InventoryUnavailable, ProviderRefused } from '../../core/errors.ts';
import { findVersion, getKey } from '../../core/items.ts';
import type { Ports } from '../../core/ports.ts';
import { registerKey } from '../../core/register.ts';
import { revoke } from '../../core/revoke/begin.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { beginRotation } from '../../core/rotate/begin.ts';
import { history } from '../../core/show.ts';
import { end } from '../support/operations.ts';
import { adopted, consumerNamed, services, testFacts, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
afterEach(async () => await end(w));
const id = 'payments/stripe';
const key = () => getKey(w.ports, id);
const version = async (n: number) => (await findVersion(w.ports, id, n))!;
const start = async (o: WorldOptions = {}, facts = testFacts()) => {
  w = world(o);
  await adopted(w, facts);
  services(w, facts);
};
const rotate = (trigger = 't') => beginRotation(w.ports, { keyId: id, reason: 'x', trigger }, 'x');
const leak = (scope: 'all' | number[], requestId = 'r', source: 'repository' | 'unknown' = 'repository') =>
  revoke(w.ports, { keyId: id, scope, reason: 'x', source, requestId }, 'x');
const idle = async () => {
  const k = await key();
  return k.state === 'active' && !k.rotation && !k.revocation;
};
const at = (step: string) => async () => {
  const k = await key();
  return (k.revocation ?? k.rotation)?.step === step;
};
const held = async (i = 0) => (await w.ports.destination('memory').read(testFacts().destinations[i]!))!;

it('a Confirm that waits 110 h leaves a key that can still change', async () => {
  w = world({ reconciler: false });
  await adopted(w);
  await rotate();
  await w.until(at('confirm'));
  await w.pass(110 * 3600);
  await requestRollback(w.ports, { keyId: id, reason: 'x' }, 'x');
});
it('an hour without list() in Validate does not stop the containment after it', async () => {
  let down = false;
  await start({
    wrap: (p) => ({
      ...p,
      provider: (n) => ({
        ...p.provider(n),
        list: async (s) => {
          if (down) throw new ProviderRefused('x');
          return p.provider(n).list(s);
        },
      }),
    }),
  });
  void leak('all');
  await w.until(at('validate'));
  down = true;
  await w.pass(3600);
  expect((await key()).attention).not.toBeNull();
  down = false;
  await w.pass(600);
  expect((await key()).state).not.toBe('revoking');
});
it('100 reports at once do not stop the revocation', async () => {
  await start();
  await Promise.all(Array.from({ length: 100 }, (_, i) => leak([1], `r${i}`)));
  await w.pass(900);
  expect((await key()).state).not.toBe('revoking');
});
it('the key beside, whose name begins like this one, keeps its credential', async () => {
  w = world({ provider: { traits: { maxLive: 10 } } });
  const eu = testFacts({
    id: `${id}-eu`,
    exclusive: false,
    destinations: [{ id: 'eu', kind: 'memory', at: 'eu', environment: 'staging' }],
    consumers: [consumerNamed('eu')],
  });
  await registerKey(w.ports, eu, 'x');
  await beginRotation(w.ports, { keyId: eu.id, reason: 'x', trigger: 't' }, 'x');
  await w.until(async () => (await getKey(w.ports, eu.id)).state === 'active');
  await adopted(w, testFacts({ exclusive: false }));
  await w.pass(120);
  expect(w.provider.accepts((await findVersion(w.ports, eu.id, 1))!.credentialId!)).toBe(true);
});
it('a revocation whose execution could not start goes on within minutes', async () => {
  let down = false;
  await start({
    settings: { idleCheckSeconds: 3600 },
    wrap: (p) => ({
      ...p,
      executions: {
        ...p.executions,
        start: async (...a) => {
          if (down) throw new Error();
          return p.executions.start(...a);
        },
      },
    }),
  });
  await w.pass(60);
  down = true;
  await leak('all');
  down = false;
  await w.pass(300);
  expect((await key()).state).not.toBe('revoking');
});
it('contained means refused, also what was enabled again in the console', async () => {
  await start({ settings: { idleCheckSeconds: 3600 } });
  await rotate();
  await w.until(idle);
  await w.pass(60);
  const { credentialId } = await version(1);
  w.provider.enableInConsole(credentialId!);
  await leak('all', 'r', 'unknown');
  await w.until(async () => (await key()).state === 'contained');
  expect(w.provider.accepts(credentialId!)).toBe(false);
});
it('an acquire without answer does not adopt the fence of a revocation', async () => {
  let armed = true;
  await start({
    provider: { traits: { probe: { alive: 1, denied: 3, everySeconds: 1 } } },
    wrap: (p): Ports => ({
      ...p,
      executions: {
        ...p.executions,
        start: async (name, pl) => {
          if (name === 'revoke') await new Promise((r) => setTimeout(r, 3000));
          await p.executions.start(name, pl);
        },
      },
      inventory: {
        ...p.inventory,
        update: async (k, c, when) => {
          const done = await p.inventory.update(k, c, when);
          if (armed && c.set?.['rotation.attemptId']) {
            armed = false;
            void leak('all');
            await new Promise((r) => setTimeout(r, 100));
            throw new InventoryUnavailable('x');
          }
          return done;
        },
      },
    }),
  });
  void rotate();
  await w.pass(1200);
  const events = (await history(w.ports, id)).map((e) => `${e.actor} ${e.event}`);
  expect(events.slice(events.indexOf('x revocation.requested')).find((e) => e.startsWith('step:'))).toBe('step:disable attempt.acquired');
  expect(await idle()).toBe(true);
});
it.each([
  [2, 'secrets.promote'],
  [2, 'destination.write'],
])(
  'F6 version %i revoked right before %s: closed with every place on the current version',
  async (n, call) => {
    let armed = false;
    const strike = async (name: string) => {
      if (armed && name === call) {
        armed = false;
        await leak([n]);
      }
    };
    await start({
      wrap: (p) => ({
        ...p,
        secrets: {
          ...p.secrets,
          promote: async (...a) => {
            await strike('secrets.promote');
            return p.secrets.promote(...a);
          },
        },
        destination: (k) => {
          const d = p.destination(k);
          return {
            kind: k,
            read: d.read.bind(d),
            write: async (...a) => {
              await strike('destination.write');
              return d.write(...a);
            },
          };
        },
      }),
    });
    armed = true;
    await rotate();
    await w.until(idle);
    expect(w.provider.use(await held())).toBe(true);
    expect((await w.ports.secrets.labels(id))['AWSCURRENT']).toBe((await version((await key()).current!)).token);
  },
  60_000,
);
it('a rotation that Close began rolls back without a refusal', async () => {
  w = world();
  await adopted(w);
  const seen = services(w, testFacts(), { delaySeconds: 60 });
  await rotate();
  await w.until(at('confirm'));
  await leak([2]);
  await w.until(async () => !(await key()).revocation && (await at('confirm')()));
  await w.pass(3);
  await requestRollback(w.ports, { keyId: id, reason: 'x' }, 'x');
  await w.until(idle);
  await w.pass(30);
  expect(seen.refused).toEqual([]);
  expect((await version((await key()).current!)).state).toBe('live');
});
it.each(['rotation', 'revocation'])(
  'a late repair of the reconciler does not undo a %s',
  async (what) => {
    let slow = false;
    await start({
      wrap: (p) => ({
        ...p,
        destination: (k) => {
          const d = p.destination(k);
          return {
            kind: k,
            read: d.read.bind(d),
            write: async (s, v, m) => {
              if (slow && s.id === 'api') {
                slow = false;
                await new Promise((r) => setTimeout(r, 9000));
              }
              return d.write(s, v, m);
            },
          };
        },
      }),
    });
    await w.pass(30);
    await w.ports.destination('memory').write(testFacts().destinations[0]!, w.provider.neverIssued('x'), 'm');
    slow = true;
    await w.until(() => !slow);
    await (what === 'rotation'
      ? w.until(() =>
          rotate().then(
            () => true,
            () => false,
          ),
        )
      : leak('all'));
    await w.until(idle);
    await w.pass(9);
    expect(w.provider.use(await held())).toBe(true);
  },
  60_000,
);
it('compromised is never lost', async () => {
  let hit = false;
  await start({
    wrap: (p) => ({
      ...p,
      provider: (n) => ({
        ...p.provider(n),
        delete: async (s, c) => {
          if (!hit) {
            hit = true;
            await leak([1]);
          }
          return p.provider(n).delete(s, c);
        },
      }),
    }),
  });
  await rotate();
  await w.until(idle);
  await w.until(async () => (await version(1)).state === 'destroyed');
  expect((await version(1)).compromised).toBe(true);
});
it('a first issue that was rolled back can be begun again', async () => {
  w = world();
  await registerKey(w.ports, testFacts(), 'x');
  services(w, testFacts());
  await rotate();
  setInterval(async () => {
    w.provider.mood = (await at('issue')()) ? 'refuses everything' : 'honest';
  }, 100);
  await w.until(async () => (await key()).state === 'rolling-back');
  await w.until(async () => (await key()).state === 'registered');
  await w.pass(60);
  await rotate('t2');
});
