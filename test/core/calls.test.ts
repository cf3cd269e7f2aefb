import { afterEach, expect, test } from 'vitest';
import type { Ports } from '../../core/ports.ts';
import { callsPerAttempt } from '../../core/settings.ts';
import { limited } from '../support/limited.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
afterEach(() => end(w));

/** Steps that go through versions or destinations one by one: an attempt that is ended in between has recorded what it did. */
const oneByOne = ['Disable', 'Validate', 'RollBack'];

/** Calls of the outside, in the order in which they end: one that begins while another is under way costs no time of its own. */
function counting(ports: Ports, count: () => void): Ports {
  let under = 0;
  const seen = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const member = Reflect.get(object, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          const answer = member.apply(object, args);
          if (!(answer instanceof Promise)) return answer;
          if (under++ === 0) count();
          return answer.finally(() => under--);
        };
      },
    });
  return {
    ...ports,
    secrets: seen(ports.secrets),
    provider: (name) => seen(ports.provider(name)),
    destination: (kind) => seen(ports.destination(kind)),
    executions: seen(ports.executions),
  };
}

test('no attempt makes more calls one after the other than the time of its function is reckoned for', async () => {
  const most = new Map<string, number>();
  const attempt: WorldOptions['attempt'] = async (ports, step, payload, attemptId) => {
    let calls = 0;
    try {
      return await step.run(
        counting(limited(ports, step.may), () => calls++),
        payload,
        attemptId,
      );
    } finally {
      most.set(step.state, Math.max(calls, most.get(step.state) ?? 0));
    }
  };
  const histories: readonly ((keyId: string) => Promise<unknown>)[] = [
    (keyId) => untilIdle(w, keyId),
    async (keyId) => {
      await untilStep(w, keyId, 'verify');
      w.provider.mood = 'accepts everything';
      await w.pass(20);
      w.provider.mood = 'honest';
      await untilIdle(w, keyId);
    },
    async (keyId) => {
      await w.pass(12);
      await revokes(w, keyId);
      await untilIdle(w, keyId);
    },
  ];
  for (const history of histories) {
    w = world({ attempt });
    const keyId = await adopted(w, testFacts());
    services(w, testFacts());
    await beginsRotation(w, keyId);
    await history(keyId);
    if (history !== histories.at(-1)) await end(w);
  }
  const limit = callsPerAttempt(w.ports.settings);
  expect([...most].filter(([state, calls]) => calls > limit && !oneByOne.includes(state))).toEqual([]);
  expect(most.get('Distribute')).toBe(limit);
  expect([...most.keys()].filter((state) => oneByOne.includes(state)).sort()).toEqual([...oneByOne].sort());
});
