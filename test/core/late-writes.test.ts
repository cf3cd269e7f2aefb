import { afterEach, describe, expect, it } from 'vitest';
import { findVersion, getKey } from '../../core/items.ts';
import type { Ports } from '../../core/ports.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { Value } from '../../core/value.ts';
import { beginsRotation, end, passInflight, revokes, untilIdle } from '../support/operations.ts';
import { adopted, services, testFacts, testSettings, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
afterEach(() => end(w));

/** One write to a destination sleeps past its function's end, within the in-flight bound, and is then made. */
interface Sleeper {
  /** The nth write sleeps; 0: none. */
  nth: number;
  count: number;
  asleep: boolean;
  woke: boolean;
}
const sleepSeconds = testSettings.functionSeconds + testSettings.settleSeconds - 1;

const sleeping =
  (sleeper: Sleeper) =>
  (ports: Ports): Ports => ({
    ...ports,
    destination: (kind) => {
      const destination = ports.destination(kind);
      return {
        ...destination,
        write: async (...args) => {
          sleeper.count += 1;
          if (sleeper.count === sleeper.nth) {
            sleeper.asleep = true;
            await new Promise((resolve) => setTimeout(resolve, sleepSeconds * 1000));
            sleeper.woke = true;
          }
          await destination.write(...args);
        },
      };
    },
  });

async function asleepAt(nth: number): Promise<Sleeper> {
  const sleeper = { nth: 0, count: 0, asleep: false, woke: false };
  // Without the reconciler, which would repair what the workflow must not leave behind.
  w = world({ wrap: sleeping(sleeper), reconciler: false });
  keyId = await adopted(w);
  services(w, testFacts());
  sleeper.nth = sleeper.count + nth;
  return sleeper;
}

/** Every destination holds the current version, which is clean. */
async function inOrder(): Promise<void> {
  const key = await getKey(w.ports, keyId);
  const current = await findVersion(w.ports, keyId, key.current ?? 0);
  expect(current).toMatchObject({ state: 'live', compromised: false });
  const value = await w.ports.secrets.read(keyId, current?.token ?? '');
  for (const spec of key.facts.destinations)
    expect(value && (await w.ports.destination(spec.kind).read(spec))?.equals(value), spec.id).toBe(true);
}

describe('a write to a destination that comes late, from a worker that was given up,', () => {
  it('does not land after the reissue of a revocation that displaced its rotation', async () => {
    const sleeper = await asleepAt(2);
    await beginsRotation(w, keyId);
    await w.until(() => sleeper.asleep);
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    await w.pass(60);
    expect(sleeper.woke).toBe(true);
    await inOrder();
  });

  it('does not land after the reissue that follows a second revocation, which overtook the first one’s reissue', async () => {
    const sleeper = await asleepAt(2);
    await revokes(w, keyId);
    await w.until(() => sleeper.asleep);
    await revokes(w, keyId, { requestId: 'r2' });
    await untilIdle(w, keyId);
    await w.pass(60);
    expect(sleeper.woke).toBe(true);
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ compromised: true, state: 'disabled' });
    await inOrder();
  });

  it('and was a repair, does not land after the reissue of a revocation, nor during a rotation', async () => {
    const sleeper = await asleepAt(0);
    const [spec] = testFacts().destinations;
    if (!spec) throw new Error('the key has a destination');
    await w.ports.destination('memory').write(spec, new Value('somebody else wrote this'), 'by hand');
    sleeper.nth = sleeper.count + 1;
    await passInflight(w);
    void reconcile(w.ports);
    await w.until(() => sleeper.asleep);
    await expect(beginsRotation(w, keyId)).rejects.toMatchObject({ code: 'E_TOO_SOON' });
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    await w.pass(60);
    expect(sleeper.woke).toBe(true);
    await inOrder();
  });

  it('does not land after a rollback has pointed everything back', async () => {
    const sleeper = await asleepAt(2);
    await beginsRotation(w, keyId);
    await w.until(() => sleeper.asleep);
    await requestRollback(w.ports, { keyId, reason: 'wrong day' }, 'owner');
    await untilIdle(w, keyId);
    await w.pass(60);
    expect(sleeper.woke).toBe(true);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 1 });
    await inOrder();
  });
});
