import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearHold, setHold } from '../../core/hold.ts';
import { getKey } from '../../core/items.ts';
import { instant, after as secondsAfter } from '../../core/time.ts';
import { beginsRotation, end } from '../support/operations.ts';
import { adopted, testPolicy, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
});
afterEach(() => end(w));

const now = () => instant(w.ports.clock.now());
const day = 86_400;

describe('a hold', () => {
  const ask = (until: string, reason = 'release week') => setHold(w.ports, { keyId, reason, until }, 'owner');

  it.each([
    ['without an end', ''],
    ['with an end that is no instant', 'tomorrow-ish'],
    ['with an end in the past', '2026-01-05T07:59:59.000Z'],
    ['longer than 14 days', '2026-01-19T08:00:01.000Z'],
  ])('row 22: %s is refused: E_INPUT_INVALID at `until`', async (_name, until) => {
    await expect(ask(until)).rejects.toMatchObject({ code: 'E_INPUT_INVALID', problems: [{ path: 'until' }] });
    expect((await getKey(w.ports, keyId)).hold).toBeNull();
  });

  it('row 22: of 14 days is accepted', async () => {
    expect(testPolicy.maxHoldSeconds).toBe(14 * day);
    await ask(secondsAfter(now(), 14 * day));
    expect((await getKey(w.ports, keyId)).hold).toMatchObject({ by: 'owner', reason: 'release week' });
  });

  it('POL-P8: without a reason is refused', async () => {
    await expect(ask(secondsAfter(now(), day), ' ')).rejects.toMatchObject({ code: 'E_INPUT_INVALID', problems: [{ path: 'reason' }] });
  });

  it('blocks the next rotation until its end, and no longer', async () => {
    await ask(secondsAfter(now(), 60));
    await expect(beginsRotation(w, keyId)).rejects.toMatchObject({ code: 'E_HELD', message: expect.stringContaining('release week') });
    await w.pass(61);
    expect(await beginsRotation(w, keyId)).toMatchObject({ started: true });
  });

  it('ended early lets the next rotation begin; ended twice is refused: E_NOTHING_TO_DO', async () => {
    await ask(secondsAfter(now(), day));
    await clearHold(w.ports, { keyId, reason: 'done' }, 'owner');
    await expect(clearHold(w.ports, { keyId, reason: 'done' }, 'owner')).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    expect(await beginsRotation(w, keyId)).toMatchObject({ started: true });
  });

  it('is refused while an operation runs: E_BUSY', async () => {
    await beginsRotation(w, keyId);
    await expect(ask(secondsAfter(now(), day))).rejects.toMatchObject({ code: 'E_BUSY' });
  });

  it('set while a rotation is being begun is not overlooked: the rotation is refused', async () => {
    const write = w.inventory.write.bind(w.inventory);
    let once = true;
    w.inventory.write = async (writes) => {
      const begins = writes.some((write) => write.do === 'put' && write.item['event'] === 'rotation.started');
      if (begins && once) {
        once = false;
        await ask(secondsAfter(now(), day));
      }
      return write(writes);
    };
    await expect(beginsRotation(w, keyId)).rejects.toMatchObject({ code: 'E_HELD' });
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', rotation: null });
  });
});
