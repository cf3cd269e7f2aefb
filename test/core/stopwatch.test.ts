import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { showCertificates } from '../../core/certificate.ts';
import { getKey } from '../../core/items.ts';
import { revoke } from '../../core/revoke/begin.ts';
import { history } from '../../core/show.ts';
import { end, revokes, untilIdle } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
});
afterEach(() => end(w));

const marks = async () =>
  Object.fromEntries((await showCertificates(w.ports, keyId)).stopwatch.map(({ mark, seconds }) => [mark, seconds]));

describe('POL-K3 POL-R8: the stopwatch of a revocation', () => {
  it('has every interval from the report on, in order, on record after the incident is closed', async () => {
    services(w, testFacts());
    const reportedAt = new Date(w.ports.clock.now() - 30_000).toISOString();
    await revoke(w.ports, { keyId, scope: 'all', reason: 'leaked', source: 'repository', requestId: 'r1', reportedAt }, 'responder');
    await untilIdle(w, keyId);
    await w.pass(30);
    const seen = await marks();
    expect(Object.keys(seen)).toEqual(['fenced', 'disabled', 'dead', 'told', 'reissued', 'healthy']);
    expect(seen['fenced']).toBe(30);
    const order = ['fenced', 'disabled', 'told', 'dead', 'reissued', 'healthy'].map((mark) => seen[mark] ?? Number.NaN);
    expect(order.every((seconds, i) => seconds >= (order[i - 1] ?? 30))).toBe(true);
    expect((await history(w.ports, keyId)).map(({ event }) => event)).toEqual(
      expect.arrayContaining(['revocation.first-disabled', 'revocation.told', 'revocation.recovered']),
    );
  });

  it('does not say that consumers are well before each of them has proved it', async () => {
    services(w, testFacts(), { silent: ['batch'] });
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    await w.pass(60);
    expect((await marks())['healthy']).toBeNull();
  });

  it('does not say that everybody was told before the last notice was sent', async () => {
    const { publish } = w.ports.notifier;
    Object.assign(w.ports.notifier, {
      publish: async () => {
        throw new TypeError('no answer');
      },
    });
    await revokes(w, keyId);
    await w.pass(60);
    expect((await marks())['told'] ?? null).toBeNull();
    Object.assign(w.ports.notifier, { publish });
    await w.until(async () => ((await marks())['told'] ?? null) !== null, 60);
  });

  it('begins at the earliest report of those that met, and takes no report from the future or from long ago', async () => {
    const order = { keyId, scope: 'all', reason: 'leaked', source: 'unknown' } as const;
    const now = w.ports.clock.now();
    await revoke(w.ports, { ...order, requestId: 'r1', reportedAt: new Date(now + 60_000).toISOString() }, 'responder');
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'contained');
    expect((await marks())['fenced']).toBe(0);
    await revoke(w.ports, { ...order, requestId: 'r2', reportedAt: '2020-01-01T00:00:00.000Z' }, 'responder');
    expect((await marks())['fenced']).toBe(0);
  });

  it('times no first disable that the provider did not answer', async () => {
    const { disable } = w.provider;
    w.provider.disable = async () => {
      throw new TypeError('no answer');
    };
    await revokes(w, keyId);
    expect((await getKey(w.ports, keyId)).revocation?.firstDisabledAt).toBeUndefined();
    await w.pass(5);
    w.provider.disable = disable;
    await untilIdle(w, keyId);
    expect((await marks())['disabled']).toBeGreaterThan(0);
  });
});
