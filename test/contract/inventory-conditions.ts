import { describe, expect, it } from 'vitest';
import { ConditionFailed } from '../../core/errors.ts';
import type { Attribute, Condition, Inventory, ItemKey } from '../../core/inventory.ts';

/** Every kind of condition, on an item and on none. Part of the contract in inventory.ts. */
export function describeInventoryConditions(
  subject: () => Inventory,
  fresh: () => ItemKey,
  stored: (attributes: Record<string, Attribute>) => Promise<ItemKey>,
): void {
  describe('conditions', () => {
    const item = { n: 5, text: 'b', flag: true, nothing: null, op: { id: 'x', step: { name: 'issue' } }, list: ['a'] };
    const rows: readonly (readonly [Condition, boolean])[] = [
      [{ item: 'exists' }, true],
      [{ item: 'absent' }, false],
      [{ path: 'n', is: '=', value: 5 }, true],
      [{ path: 'n', is: '=', value: 6 }, false],
      [{ path: 'n', is: '=', value: '5' }, false],
      [{ path: 'n', is: '<>', value: 6 }, true],
      [{ path: 'n', is: '<>', value: 5 }, false],
      [{ path: 'n', is: '<>', value: '5' }, true],
      [{ path: 'n', is: '<', value: 6 }, true],
      [{ path: 'n', is: '<', value: 5 }, false],
      [{ path: 'n', is: '<=', value: 5 }, true],
      [{ path: 'n', is: '<=', value: 4 }, false],
      [{ path: 'n', is: '>', value: 4 }, true],
      [{ path: 'n', is: '>', value: 5 }, false],
      [{ path: 'n', is: '>=', value: 5 }, true],
      [{ path: 'n', is: '>=', value: 6 }, false],
      [{ path: 'n', is: '>', value: '4' }, false],
      [{ path: 'n', is: '<', value: '6' }, false],
      [{ path: 'text', is: '=', value: 'b' }, true],
      [{ path: 'text', is: '<', value: 'ba' }, true],
      [{ path: 'text', is: '>', value: 'B' }, true],
      [{ path: 'flag', is: '=', value: true }, true],
      [{ path: 'flag', is: '=', value: false }, false],
      [{ path: 'flag', is: '<>', value: false }, true],
      [{ path: 'nothing', is: 'present' }, true],
      [{ path: 'nothing', is: 'missing' }, false],
      [{ path: 'nothing', is: '=', value: '' }, false],
      [{ path: 'absent', is: 'missing' }, true],
      [{ path: 'absent', is: 'present' }, false],
      [{ path: 'absent', is: '=', value: 0 }, false],
      [{ path: 'absent', is: '<', value: 1 }, false],
      [{ path: 'absent', is: '>=', value: 0 }, false],
      [{ path: 'absent', is: '<>', value: 0 }, true],
      [{ path: 'op.id', is: '=', value: 'x' }, true],
      [{ path: 'op.step.name', is: '=', value: 'issue' }, true],
      [{ path: 'op.step', is: 'present' }, true],
      [{ path: 'op.other.name', is: 'missing' }, true],
      [{ path: 'op.other.name', is: '=', value: 'issue' }, false],
      [{ path: 'n.deeper', is: 'missing' }, true],
      [{ path: 'list.0', is: 'missing' }, true],
      [{ path: 'sk', is: '=', value: 'META' }, true],
    ];
    it.each(rows)('%j holds for the item: %s', async (condition, expected) => {
      const key = await stored(item);
      const done = subject().write([{ do: 'check', key, when: [condition] }]);
      if (expected) await done;
      else await expect(done).rejects.toThrow(ConditionFailed);
    });

    const onNothing: readonly (readonly [Condition, boolean])[] = [
      [{ item: 'absent' }, true],
      [{ item: 'exists' }, false],
      [{ path: 'n', is: 'missing' }, true],
      [{ path: 'n', is: 'present' }, false],
      [{ path: 'n', is: '=', value: 5 }, false],
      [{ path: 'n', is: '<>', value: 5 }, true],
    ];
    it.each(onNothing)('%j holds where there is no item: %s', async (condition, expected) => {
      const done = subject().write([{ do: 'check', key: fresh(), when: [condition] }]);
      if (expected) await done;
      else await expect(done).rejects.toThrow(ConditionFailed);
    });

    it('all have to hold', async () => {
      const key = await stored({ a: 1, b: 2 });
      const both = (b: number): Condition[] => [
        { path: 'a', is: '=', value: 1 },
        { path: 'b', is: '=', value: b },
      ];
      await subject().update(key, { set: { c: 1 } }, both(2));
      await expect(subject().update(key, { set: { c: 2 } }, both(3))).rejects.toThrow(ConditionFailed);
      expect(await subject().get(key)).toMatchObject({ c: 1 });
    });
  });
}
