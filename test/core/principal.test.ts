import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../core/key.ts';
import { registerKey } from '../../core/register.ts';
import { testFacts, type World, world } from '../support/world.ts';

let w: World;
beforeEach(() => {
  w = world();
});
afterEach(() => w.stop());

const register = (id: string, more: Partial<KeyFacts>) =>
  registerKey(w.ports, testFacts({ id, params: { principal: 'one' }, ...more }), 'test');
const shared = { exclusive: false };
const alone = { exclusive: true };

describe('a principal', () => {
  it('may serve several keys that do not claim it', async () => {
    await register('team/a', shared);
    expect(await register('team/b', shared)).toMatchObject({ outcome: 'created' });
  });

  it.each([
    ['an exclusive key is refused beside another', shared, alone],
    ['another key is refused beside an exclusive one', alone, shared],
    ['an exclusive key is refused beside an exclusive one', alone, alone],
  ])('is not taken twice: %s', async (_name, first, second) => {
    await register('team/a', first);
    await expect(register('team/b', second)).rejects.toMatchObject({
      code: 'E_EXISTS',
      problems: [{ message: expect.stringContaining('team/a') }],
    });
    expect(await w.ports.inventory.list('KEY#team/b')).toEqual([]);
  });

  it('is not taken by a change of facts either', async () => {
    await register('team/a', shared);
    await register('team/b', { ...shared, params: { principal: 'two' } });
    await expect(register('team/b', alone)).rejects.toMatchObject({ code: 'E_EXISTS' });
    await register('team/b', shared);
    await expect(register('team/a', alone)).rejects.toMatchObject({ code: 'E_EXISTS' });
  });

  it('is free again when its key has left it', async () => {
    await register('team/a', alone);
    await register('team/a', { ...alone, params: { principal: 'two' } });
    expect(await register('team/b', alone)).toMatchObject({ outcome: 'created' });
  });

  it('is claimed by one of two that ask at the same moment', async () => {
    const answers = await Promise.allSettled([register('team/a', alone), register('team/b', alone)]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
