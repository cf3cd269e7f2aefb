import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { approveException, declineException, requestException } from '../../core/exceptions/request.ts';
import { getKey } from '../../core/items.ts';
import { history, showKey } from '../../core/show.ts';
import { sweep } from '../../core/sweep.ts';
import { after, milliseconds } from '../../core/time.ts';
import { answer } from '../../requests/answer.ts';
import { end } from '../support/operations.ts';
import { adopted, testFacts, testPolicy, type World, world } from '../support/world.ts';

const day = 86_400;
let w: World;
beforeEach(() => {
  const tier = { ...testPolicy.tiers.medium, rotateEverySeconds: 10 * day, maxLifetimeSeconds: 60 * day };
  const policy = { ...testPolicy, tiers: { high: tier, medium: tier, low: tier }, exceptions: { maxSeconds: 30 * day, perOwner: 2 } };
  w = world({ reconciler: false, policy, provider: { traits: { maxLive: 100 } } });
});
afterEach(() => end(w));

const now = () => new Date(w.ports.clock.now()).toISOString();
const ask = (keyId: string, more: { rule?: string; until?: string } = {}, actor = 'ana') =>
  requestException(
    w.ports,
    { keyId, rule: 'rotation', reason: 'the vendor is moving', compensating: 'an allow-list', until: after(now(), 20 * day), ...more },
    actor,
  );
const fire = () => sweep(w.ports, { tier: 'medium' });

describe('POL-Q6 POL-P8: an exception', () => {
  it('counts from its approval by somebody else on, and not before', async () => {
    const keyId = await adopted(w);
    const { id: exceptionId } = await ask(keyId);
    await expect(approveException(w.ports, { keyId, exceptionId }, 'ana')).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
    await w.pass(10 * day);
    const { due } = await showKey(w.ports, keyId);
    expect(due).toBe('never-rotated');
    await approveException(w.ports, { keyId, exceptionId }, 'bob');
    expect((await showKey(w.ports, keyId)).due).toBeNull();
    expect((await fire()).started).toEqual([]);
    await expect(approveException(w.ports, { keyId, exceptionId }, 'bob')).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
  });

  it('ends by itself, into a rotation that is due for that reason, with everybody’s name on record', async () => {
    const keyId = await adopted(w);
    const { id: exceptionId, until } = await ask(keyId);
    await approveException(w.ports, { keyId, exceptionId }, 'bob');
    await w.pass((milliseconds(until) - w.ports.clock.now()) / 1000 - 1);
    expect((await fire()).started).toEqual([]);
    await w.pass(1);
    expect((await fire()).started).toEqual([keyId]);
    expect((await getKey(w.ports, keyId)).rotation?.reason).toBe('exception-ended');
    const told = (await history(w.ports, keyId)).filter(({ event }) => event.startsWith('exception.'));
    expect(told.map(({ event, actor }) => [event, actor])).toEqual([
      ['exception.asked', 'ana'],
      ['exception.approved', 'bob'],
      ['exception.ended', 'schedule'],
    ]);
    expect(told[0]?.detail).toMatchObject({ reason: 'the vendor is moving', compensating: 'an allow-list', until });
  });

  it.each([
    ['reason', { reason: undefined }],
    ['compensating', { compensating: undefined }],
    ['until', { until: undefined }],
    ['until', { until: '2026-01-01T00:00:00Z' }],
    ['until', { until: '2026-03-05T08:00:00Z' }],
    ['rule', { rule: 'revocation' }],
  ])('without a usable %s is refused by name', async (path, more) => {
    const keyId = await adopted(w);
    const whole = { keyId, rule: 'rotation', reason: 'r', compensating: 'c', until: '2026-01-20T00:00:00Z', ...more };
    await expect(answer(w.ports, 'exception.request', whole, { actor: 'ana', via: 'operate' })).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      problems: [{ path }],
    });
    expect((await getKey(w.ports, keyId)).exceptions).toEqual([]);
  });

  it('is one however often it is asked for, and none when it is declined', async () => {
    const keyId = await adopted(w);
    const { id } = await ask(keyId);
    expect((await ask(keyId)).id).toBe(id);
    expect((await getKey(w.ports, keyId)).exceptions).toHaveLength(1);
    await declineException(w.ports, { keyId, exceptionId: id, reason: 'the vendor has two slots' }, 'bob');
    expect((await getKey(w.ports, keyId)).exceptions).toEqual([]);
    await expect(declineException(w.ports, { keyId, exceptionId: id, reason: 'x' }, 'bob')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });

  it('is counted for its owner, over all keys; one that has ended does not count', async () => {
    const [a = '', b = '', c = ''] = await Promise.all(
      ['a', 'b', 'c'].map((name) => adopted(w, testFacts({ id: `team/${name}`, exclusive: false }))),
    );
    await Promise.all([ask(a, { until: after(now(), 5 * day) }), ask(b)]);
    await expect(ask(c)).rejects.toMatchObject({ code: 'E_INPUT_INVALID', problems: [{ path: 'keyId', message: /2 of 2/ }] });
    await w.pass(5 * day);
    await ask(c);
    expect((await getKey(w.ports, c)).exceptions).toHaveLength(1);
  });
});
