import { expect, test } from 'vitest';
import { indexNames, slotOf, slots } from '../../core/inventory.ts';

test('every index has a slot of the table, and no two have rows in the same one', () => {
  const names = indexNames.map((index) => slotOf(index).name);
  expect(names.filter((name) => !slots.some((slot) => slot.name === name))).toEqual([]);
  expect(new Set(names).size).toBe(indexNames.length);
});
