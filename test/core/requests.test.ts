import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setHold } from '../../core/hold.ts';
import { getKey } from '../../core/items.ts';
import { registerKey } from '../../core/register.ts';
import { releaseReissue } from '../../core/revoke/release.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { history } from '../../core/show.ts';
import { sweep } from '../../core/sweep.ts';
import { instant, after as secondsAfter } from '../../core/time.ts';
import { beginsRotation, end, passInflight, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
});
afterEach(() => end(w));

const now = () => instant(w.ports.clock.now());
const events = async () => (await history(w.ports, keyId)).map(({ event }) => event);
const day = 86_400;

describe('a request to rotate', () => {
  it('row 10: of a key that nobody registered is refused: E_NOT_FOUND', async () => {
    await expect(beginsRotation(w, 'payments/nobody')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });

  it('row 11: while a rotation runs is refused, and says which, by whom and where it is: E_BUSY', async () => {
    const { operationId } = await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await expect(beginsRotation(w, keyId, 't2')).rejects.toMatchObject({
      code: 'E_BUSY',
      message: expect.stringMatching(new RegExp(`${operationId}, begun by owner at 2026-.*, at step confirm`)),
    });
  });

  it('row 11: with the same request id again is the same operation, while it runs and after it ended', async () => {
    services(w, testFacts());
    const begun = await beginsRotation(w, keyId);
    expect(begun).toMatchObject({ started: true, oldVersion: 1, newVersion: 2 });
    expect(await beginsRotation(w, keyId)).toEqual({ ...begun, started: false });
    await untilIdle(w, keyId);
    expect(await beginsRotation(w, keyId)).toEqual({ ...begun, started: false });
    expect((await getKey(w.ports, keyId)).rotation).toBeNull();
    expect((await events()).filter((event) => event === 'rotation.started')).toHaveLength(1);
  });

  it('row 12: of a key that is being revoked, or is contained, is refused at every moment: E_REVOKED', async () => {
    await revokes(w, keyId, { source: 'unknown' });
    const refused = async () => expect(beginsRotation(w, keyId)).rejects.toMatchObject({ code: 'E_REVOKED' });
    await w.until(async () => {
      await refused();
      return (await getKey(w.ports, keyId)).revocation?.held === true;
    });
    await w.pass(600);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'contained' });
    await expect(beginsRotation(w, keyId)).rejects.toMatchObject({ code: 'E_REVOKED' });
  });

  it('row 13: right after an operation is refused with the time when it is not: E_TOO_SOON', async () => {
    services(w, testFacts());
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    const { lastEndedAt } = await getKey(w.ports, keyId);
    const { functionSeconds, settleSeconds, skewSeconds } = w.ports.settings;
    const from = secondsAfter(lastEndedAt ?? '', functionSeconds + settleSeconds + skewSeconds);
    await expect(beginsRotation(w, keyId, 't2')).rejects.toMatchObject({ code: 'E_TOO_SOON', message: expect.stringContaining(from) });
    await passInflight(w);
    expect(await beginsRotation(w, keyId, 't2')).toMatchObject({ started: true, newVersion: 3 });
  });

  it('row 13: right after a revocation is refused as well: E_TOO_SOON', async () => {
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    await expect(beginsRotation(w, keyId, 't2')).rejects.toMatchObject({ code: 'E_TOO_SOON' });
  });

  it('of a key that is observed only is refused: E_OBSERVE_ONLY', async () => {
    const id = await adopted(w, testFacts({ id: 'payments/watched', params: { user: 'watched' }, mode: 'observe', exclusive: false }));
    await expect(beginsRotation(w, id)).rejects.toMatchObject({ code: 'E_OBSERVE_ONLY' });
  });

  it('whose execution cannot be started is on record, and goes on by itself', async () => {
    await end(w);
    let broken = true;
    w = world({
      wrap: (ports) => ({
        ...ports,
        executions: {
          ...ports.executions,
          start: async (...args) => {
            if (broken) throw new TypeError('no executions');
            return ports.executions.start(...args);
          },
        },
      }),
    });
    services(w, testFacts());
    await adopted(w);
    expect(await beginsRotation(w, keyId)).toMatchObject({ started: true });
    await w.pass(20);
    broken = false;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });
});

describe('a schedule', () => {
  it('that fires twice, or late, starts one rotation per due key, and none of a key that is not due, of another tier or on hold', async () => {
    await end(w);
    w = world({ reconciler: false });
    await adopted(w, testFacts({ exclusive: false }));
    const held = await adopted(w, testFacts({ id: 'payments/held', exclusive: false }));
    const low = await adopted(w, testFacts({ id: 'payments/low', exposure: 'isolated', exclusive: false }));
    await w.pass(2 * day);
    await setHold(w.ports, { keyId: held, reason: 'release week', until: secondsAfter(now(), day) }, 'owner');
    const fresh = await adopted(w, testFacts({ id: 'payments/fresh', exclusive: false }));
    const first = await sweep(w.ports, { tier: 'medium' });
    expect(first).toMatchObject({ started: [keyId], skipped: [{ keyId: held, reason: 'E_HELD' }] });
    expect(await sweep(w.ports, { tier: 'medium' })).toMatchObject({ started: [] });
    expect((await getKey(w.ports, keyId)).rotation).toMatchObject({ reason: 'never-rotated', actor: 'schedule' });
    expect((await getKey(w.ports, low)).rotation).toBeNull();
    expect((await getKey(w.ports, fresh)).rotation).toBeNull();
    expect(await sweep(w.ports, { tier: 'low' })).toMatchObject({ started: [low] });
  });
});

describe('a request to roll back', () => {
  const ask = () => requestRollback(w.ports, { keyId, reason: 'wrong day' }, 'owner');

  it('row 20: after the point of no return is refused, and offers the way forward: E_PAST_POINT_OF_NO_RETURN', async () => {
    services(w, testFacts());
    await beginsRotation(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).rotation?.ponr === true);
    await expect(ask()).rejects.toMatchObject({
      code: 'E_PAST_POINT_OF_NO_RETURN',
      message: expect.stringContaining(`rekey rotate ${keyId}`),
    });
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });

  it('row 20: of a first issue that a destination was given is refused, as there is nothing to go back to: E_PAST_POINT_OF_NO_RETURN', async () => {
    await end(w);
    w = world();
    await registerKey(w.ports, testFacts(), 'owner');
    await beginsRotation(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).rotation?.ponr === true);
    await expect(ask()).rejects.toMatchObject({ code: 'E_PAST_POINT_OF_NO_RETURN', message: expect.stringContaining('first one') });
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 1 });
  });

  it('when nothing runs is refused: E_NOTHING_TO_DO', async () => {
    await expect(ask()).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
  });

  it('of a key that is being revoked is refused: E_REVOKED', async () => {
    await beginsRotation(w, keyId);
    await revokes(w, keyId);
    await expect(ask()).rejects.toMatchObject({ code: 'E_REVOKED' });
  });

  it('twice is the same operation', async () => {
    const { operationId } = await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    expect(await ask()).toEqual({ keyId, operationId });
    expect(await ask()).toEqual({ keyId, operationId });
  });
});

describe('a request to release a reissue', () => {
  it('twice at the same moment is carried out once', async () => {
    await revokes(w, keyId, { source: 'unknown' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    const ask = (actor: string) => releaseReissue(w.ports, { keyId, mistake: false, reason: 'cleared' }, actor);
    const answers = await Promise.allSettled([ask('anna'), ask('ben')]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await events()).filter((event) => event === 'reissue.released')).toHaveLength(1);
  });

  it('is refused unless one is held: E_NOTHING_TO_DO', async () => {
    const ask = () => releaseReissue(w.ports, { keyId, mistake: false, reason: 'cleared' }, 'responder');
    await expect(ask()).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    await revokes(w, keyId, { source: 'unknown' });
    await expect(ask()).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    expect(await ask()).toMatchObject({ keyId });
    await expect(ask()).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
  });
});
