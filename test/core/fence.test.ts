import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Attempt, acquire, record } from '../../core/attempt.ts';
import { firstBreak } from '../../core/audit.ts';
import { commit } from '../../core/commit.ts';
import { InventoryUnavailable } from '../../core/errors.ts';
import { getKey } from '../../core/items.ts';
import type { ExecutionPayload, Ports } from '../../core/ports.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { history } from '../../core/show.ts';
import { steps } from '../../workflows/steps.ts';
import { beginsRotation, end, revokes } from '../support/operations.ts';
import { adopted, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
let payload: ExecutionPayload;
/** Executions are on record and never run: steps are run by hand. */
const byHand = (ports: Ports): Ports => ({ ...ports, executions: { ...ports.executions, start: async () => undefined } });

beforeEach(async () => {
  w = world({ wrap: byHand, reconciler: false });
  keyId = await adopted(w);
  const { operationId } = await beginsRotation(w, keyId);
  payload = { keyId, operationId, startSeq: 1 };
});
afterEach(() => end(w));

const take = async (attemptId: string): Promise<Attempt> => {
  const attempt = await acquire(w.ports, payload, attemptId, 'issue');
  if (attempt === 'done') throw new Error('the step is not done');
  return attempt;
};
const run = (state: string, more: Partial<ExecutionPayload> = {}) =>
  steps.find((step) => step.state === state)?.run(w.ports, { ...payload, ...more }, 'attempt');
const says = (event: string) => () => ({ events: [{ event }] });
const events = async () => (await history(w.ports, keyId)).map(({ event }) => event);
const chainHolds = async () => firstBreak(await history(w.ports, keyId), (await getKey(w.ports, keyId)).audit) === null;
const untouched = async (work: () => Promise<unknown> | undefined, error: string) => {
  const before = JSON.stringify(w.inventory.items());
  await expect(work()).rejects.toMatchObject({ name: error });
  expect(JSON.stringify(w.inventory.items())).toBe(before);
};

/** Right before the next transaction that `picks`, something else happens. */
function rightBefore(picks: (text: string) => boolean, act: () => Promise<unknown>): void {
  const write = w.inventory.write.bind(w.inventory);
  let once = true;
  w.inventory.write = async (writes) => {
    if (once && picks(JSON.stringify(writes))) {
      once = false;
      await act();
    }
    return write(writes);
  };
}

describe('an attempt', () => {
  it('that another attempt of the same step overtook can record nothing', async () => {
    const first = await take('first');
    const second = await take('second');
    expect(second.fence).toBe(first.fence + 1);
    await untouched(() => record(first, says('late')), 'Fenced');
    await record(second, says('in time'));
    expect(await events()).toContain('in time');
    expect(await events()).not.toContain('late');
  });

  it('that was overtaken between its reading and its write can record nothing either', async () => {
    const first = await take('first');
    rightBefore(
      (text) => text.includes('late'),
      () => take('second'),
    );
    await expect(record(first, says('late'))).rejects.toMatchObject({ name: 'Fenced' });
    expect(await events()).not.toContain('late');
  });

  it('that a revocation overtook is superseded, and can record nothing', async () => {
    const attempt = await take('first');
    await revokes(w, keyId);
    await untouched(() => record(attempt, says('late')), 'Superseded');
  });

  it('that an abort overtook is shut out, and can record nothing', async () => {
    const attempt = await take('first');
    await requestRollback(w.ports, { keyId, reason: 'wrong day' }, 'owner');
    await untouched(() => record(attempt, says('late')), 'Superseded');
    await untouched(() => run('Issue', { startSeq: 2 }), 'RollingBack');
  });

  it('disables nothing when delivery, proof and verification are not all on record, whatever step the record claims', async () => {
    await w.inventory.update({ pk: `KEY#${keyId}`, sk: 'META' }, { set: { 'rotation.step': 'retire' } });
    await expect(run('Retire')).rejects.toThrow();
    expect(w.provider.accepts('cred-0001')).toBe(true);
    expect((await getKey(w.ports, keyId)).rotation?.ponr).toBe(false);
  });

  it('of another operation, or of another execution of this one, does not get the key', async () => {
    await untouched(() => run('Issue', { operationId: 'rotate-aaaaaaaaaaaaaaaaaaaaaaaaaa' }), 'Superseded');
    await untouched(() => run('Issue', { startSeq: 0 }), 'Superseded');
    await untouched(() => run('Issue', { startSeq: 2 }), 'Superseded');
  });

  it('of a rotation does not get a key that was asked to be revoked, though the rotation is still on record', async () => {
    await revokes(w, keyId);
    expect((await getKey(w.ports, keyId)).rotation).toMatchObject({ id: payload.operationId, step: 'issue' });
    await untouched(() => run('Issue'), 'Superseded');
    expect(await w.provider.list({ keyId, account: '', params: {} })).toHaveLength(1);
  });

  it('of a step that is not next does not get the key', async () => {
    await untouched(() => run('Retire'), 'IllegalMove');
  });

  it('whose acquire was made, but not answered, knows itself and goes on', async () => {
    const update = w.inventory.update.bind(w.inventory);
    let once = true;
    w.inventory.update = async (...args) => {
      const item = await update(...args);
      if (once) {
        once = false;
        throw new InventoryUnavailable('injected');
      }
      return item;
    };
    await expect(run('Issue')).rejects.toMatchObject({ name: 'ProbeAgain' });
    expect(await events()).toContain('version.created');
  });

  it('that was overtaken while it minted takes back what it alone knows of', async () => {
    const { create } = w.provider;
    w.provider.create = async (...args) => {
      const created = await create(...args);
      await take('second');
      return created;
    };
    await expect(run('Issue')).rejects.toMatchObject({ name: 'Fenced' });
    expect((await w.provider.list({ keyId, account: '', params: {} })).map((one) => one.credentialId)).toEqual(['cred-0001']);
  });
});

describe('a transaction', () => {
  it('that only looks does not undo the history that another one wrote meanwhile', async () => {
    rightBefore(
      (text) => text.includes('2030-01-01'),
      () => commit(w.ports, keyId, () => ({ actor: 'test', events: [{ event: 'meanwhile' }] })),
    );
    await commit(w.ports, keyId, () => ({ actor: 'test', set: { checkedAt: '2030-01-01' }, events: [] }));
    expect(await events()).toContain('meanwhile');
    expect(await chainHolds()).toBe(true);
  });

  it('does not lose the line that a single update left meanwhile', async () => {
    rightBefore(
      (text) => text.includes('a note'),
      () => take('meanwhile'),
    );
    await commit(w.ports, keyId, () => ({ actor: 'test', events: [{ event: 'a note' }] }));
    await commit(w.ports, keyId, () => ({ actor: 'test', events: [{ event: 'another' }] }));
    expect(await history(w.ports, keyId)).toContainEqual(
      expect.objectContaining({ event: 'attempt.acquired', detail: expect.objectContaining({ attempt: 'meanwhile' }) }),
    );
    expect(await chainHolds()).toBe(true);
  });

  it('is possible after any number of attempts that only took the key, and files a line for each of them', async () => {
    for (let i = 0; i < 250; i++) await take(`attempt ${i}`);
    await commit(w.ports, keyId, () => ({ actor: 'test', events: [{ event: 'at last' }] }));
    expect((await events()).filter((event) => event === 'attempt.acquired')).toHaveLength(250);
    expect((await events()).at(-1)).toBe('at last');
    expect(await chainHolds()).toBe(true);
  });

  it('of many that meet at once are all kept, each once, in one chain', async () => {
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => commit(w.ports, keyId, () => ({ actor: 'test', events: [{ event: `note ${i}` }] }))),
    );
    expect((await events()).filter((event) => event.startsWith('note')).sort()).toEqual(Array.from({ length: 8 }, (_, i) => `note ${i}`));
    expect(await chainHolds()).toBe(true);
  });
});

describe('a key', () => {
  it('that begins a rotation shuts out what the reconciler still had in hand', async () => {
    await end(w);
    w = world({ wrap: byHand, reconciler: false });
    await adopted(w);
    const key = await getKey(w.ports, keyId);
    const operation = { kind: 'rotate', id: 'reconcile-1', startSeq: 0, step: 'done', oldVersion: 0, newVersion: 0, mint: 0 } as const;
    const subject = { keyId, account: 'default', params: {} };
    const repair: Attempt = { ports: w.ports, keyId, step: 'reconcile', actor: 'reconciler', fence: key.fence, key, operation, subject };
    await record(repair, says('in time'));
    await beginsRotation(w, keyId);
    await untouched(() => record(repair, says('late')), 'Superseded');
  });

  it('that is observed only has nothing at its provider touched by registering and adopting it', async () => {
    await end(w);
    w = world({ wrap: byHand, reconciler: false });
    await adopted(w, testFacts({ mode: 'observe' }));
    expect(await w.provider.list({ keyId, account: '', params: {} })).toMatchObject([{ credentialId: 'cred-0001', enabled: true }]);
  });
});
