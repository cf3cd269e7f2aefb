import { describe, expect, it } from 'vitest';
import { memoryInventory } from '../../adapters/memory/inventory.ts';

const key = { pk: 'KEY#a', sk: 'META' };

describe('the memory inventory', () => {
  it('refuses, as DynamoDB does and the embedded engine does not, to remove something under a missing map', async () => {
    const inventory = memoryInventory();
    await inventory.write([{ do: 'put', item: { ...key, text: 'x' } }]);
    await expect(inventory.update(key, { remove: ['absent.a'] })).rejects.toMatchObject({ name: 'Refused' });
    await expect(inventory.update(key, { remove: ['text.a'] })).rejects.toMatchObject({ name: 'Refused' });
  });

  it('lets others run before and after each operation, which itself takes effect in one instant', async () => {
    const waiting: (() => void)[] = [];
    const inventory = memoryInventory({ turn: () => new Promise((resolve) => waiting.push(resolve)) });
    const step = async (i: number) => {
      waiting[i]!();
      await new Promise((resolve) => setImmediate(resolve));
    };
    const slow = inventory.update(key, { set: { by: 'slow' } }, [{ item: 'absent' }]);
    const fast = inventory.update(key, { set: { by: 'fast' } }, [{ item: 'absent' }]);
    const lost = expect(slow).rejects.toMatchObject({ name: 'ConditionFailed', index: 0 });
    expect(inventory.items()).toEqual([]);
    await step(1);
    expect(inventory.items()).toContainEqual({ ...key, by: 'fast' });
    await step(0);
    await lost;
    await step(2);
    expect(await fast).toEqual({ ...key, by: 'fast' });
  });

  it('shows copies of all its items in order', async () => {
    const inventory = memoryInventory();
    const put = async (pk: string, sk: string) => await inventory.write([{ do: 'put', item: { pk, sk, list: [1] } }]);
    await put('b', 'x');
    await put('a', 'z');
    await put('a', 'y');
    (inventory.items()[1]!.list as number[]).push(2);
    expect(inventory.items().map((item) => [item.pk, item.sk, item.list])).toEqual([
      ['SCHEMA', 'SCHEMA', undefined],
      ['a', 'y', [1]],
      ['a', 'z', [1]],
      ['b', 'x', [1]],
    ]);
  });
});
