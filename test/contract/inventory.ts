import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refused } from '../../core/errors.ts';
import { type Attribute, type Change, type Inventory, type ItemKey, slotOf, type Write } from '../../core/inventory.ts';
import { describeInventoryConditions } from './inventory-conditions.ts';
import { describeInventoryHints } from './inventory-hints.ts';
import { describeInventoryValues } from './inventory-values.ts';

interface Subject {
  readonly inventory: Inventory;
  close(): Promise<void>;
}

/** What every inventory does. Each test works in a partition of its own, so that one inventory serves them all. */
export function describeInventory(name: string, make: () => Promise<Subject>): void {
  describe(`inventory: ${name}`, () => {
    let subject: Subject;
    let inventory: Inventory;
    let partition = 0;
    const fresh = (sk = 'META'): ItemKey => ({ pk: `KEY#${++partition}`, sk });

    beforeAll(async () => {
      subject = await make();
      inventory = subject.inventory;
    });
    afterAll(async () => await subject?.close());

    const stored = async (attributes: Record<string, Attribute>): Promise<ItemKey> => {
      const key = fresh();
      await inventory.write([{ do: 'put', item: { ...key, ...attributes } }]);
      return key;
    };

    it('answers undefined for an item that is not there, and nothing for an empty partition', async () => {
      const key = fresh();
      expect(await inventory.get(key)).toBeUndefined();
      expect(await inventory.list(key.pk)).toEqual([]);
    });

    it('replaces the whole item with a put and removes it with a delete', async () => {
      const key = await stored({ a: 1, b: 2 });
      await inventory.write([{ do: 'put', item: { ...key, a: 3 } }]);
      expect(await inventory.get(key)).toEqual({ ...key, a: 3 });
      await inventory.write([{ do: 'delete', key }]);
      expect(await inventory.get(key)).toBeUndefined();
      await inventory.write([{ do: 'delete', key }]);
    });

    describe('transactions', () => {
      it('write everything, across partitions', async () => {
        const [a, b, c, d] = [await stored({ n: 1 }), await stored({ n: 1 }), await stored({ n: 1 }), fresh()];
        await inventory.write([
          { do: 'update', key: a, change: { add: { n: 1 } }, when: [{ path: 'n', is: '=', value: 1 }] },
          { do: 'check', key: b, when: [{ item: 'exists' }] },
          { do: 'delete', key: c, when: [{ path: 'n', is: '=', value: 1 }] },
          { do: 'put', item: { ...d, n: 4 }, when: [{ item: 'absent' }] },
        ]);
        expect(await Promise.all([a, b, c, d].map((key) => inventory.get(key)))).toEqual([
          { ...a, n: 2 },
          { ...b, n: 1 },
          undefined,
          { ...d, n: 4 },
        ]);
      });

      it('write nothing when one condition fails, and name the first write that was refused', async () => {
        const [a, b, c] = [await stored({ n: 1 }), await stored({ n: 1 }), fresh()];
        const refused = inventory.write([
          { do: 'update', key: a, change: { set: { n: 9 } } },
          { do: 'put', item: { ...c, n: 9 } },
          { do: 'check', key: b, when: [{ path: 'n', is: '=', value: 7 }] },
          { do: 'put', item: { ...b, sk: 'OTHER' }, when: [{ item: 'exists' }] },
        ]);
        await expect(refused).rejects.toMatchObject({ name: 'ConditionFailed', index: 2 });
        expect(await inventory.get(a)).toEqual({ ...a, n: 1 });
        expect(await inventory.get(c)).toBeUndefined();
      });

      it('judge every condition by what was there before', async () => {
        const key = await stored({ n: 1 });
        const other = { ...key, sk: 'B' };
        await inventory.write([
          { do: 'delete', key },
          { do: 'put', item: { ...other, n: 1 }, when: [{ item: 'absent' }] },
        ]);
        expect((await inventory.list(key.pk)).map((item) => item.sk)).toEqual(['B']);
      });

      it('write nothing when one of the writes cannot be made', async () => {
        const [a, b] = [fresh(), await stored({ n: 1 })];
        const refused = inventory.write([
          { do: 'put', item: { ...a } },
          { do: 'update', key: b, change: { set: { 'absent.inner': 1 } } },
        ]);
        await expect(refused).rejects.toThrow(Refused);
        expect(await inventory.get(a)).toBeUndefined();
      });

      it('take 100 writes and refuse 101, none, and two on one item', async () => {
        const { pk } = fresh();
        const writes = Array.from({ length: 101 }, (_, i): Write => ({ do: 'put', item: { pk, sk: `I#${String(i).padStart(3, '0')}` } }));
        await expect(inventory.write(writes)).rejects.toThrow(Refused);
        await inventory.write(writes.slice(0, 100));
        expect(await inventory.list(pk)).toHaveLength(100);
        await expect(inventory.write([])).rejects.toThrow(Refused);
        const twice = { pk, sk: 'twice' };
        const refused = inventory.write([
          { do: 'put', item: twice },
          { do: 'check', key: twice, when: [{ item: 'absent' }] },
        ]);
        await expect(refused).rejects.toThrow(Refused);
        expect(await inventory.get(twice)).toBeUndefined();
      });

      it('refuse a check that checks nothing', async () => {
        await expect(inventory.write([{ do: 'check', key: fresh(), when: [] }])).rejects.toThrow(Refused);
      });
    });

    describe('changes', () => {
      const table: readonly (readonly [string, Record<string, Attribute>, Change, Record<string, Attribute>])[] = [
        ['set', { a: 1 }, { set: { a: 'x', b: [1, { c: null }] } }, { a: 'x', b: [1, { c: null }] }],
        ['set in a map', { op: { id: 'x', n: 1 } }, { set: { 'op.id': 'y', 'op.more': {} } }, { op: { id: 'y', n: 1, more: {} } }],
        ['set if missing', { a: 1 }, { setIfMissing: { a: 2, b: 2 } }, { a: 1, b: 2 }],
        ['set if missing, over null', { a: null }, { setIfMissing: { a: 2 } }, { a: null }],
        ['set if missing in a map', { m: { a: 1 } }, { setIfMissing: { 'm.a': 2, 'm.b': 2 } }, { m: { a: 1, b: 2 } }],
        ['add', { n: 5 }, { add: { n: 2, m: -3 } }, { n: 7, m: -3 }],
        ['add in a map', { m: { n: 1 } }, { add: { 'm.n': 1, 'm.o': 1 } }, { m: { n: 2, o: 1 } }],
        ['append', { l: ['a'] }, { append: { l: ['b', ['c']], k: [1] } }, { l: ['a', 'b', ['c']], k: [1] }],
        ['append nothing', {}, { append: { l: [] } }, { l: [] }],
        ['remove', { a: 1, b: 2, m: { c: 1, d: 2 } }, { remove: ['a', 'absent', 'm.c', 'm.absent'] }, { b: 2, m: { d: 2 } }],
        ['undefined left out', { a: 1 }, { set: { a: undefined, b: 2, c: { d: undefined } } as never }, { a: 1, b: 2, c: {} }],
        ['reserved words and syntax as names', {}, { set: { name: 1, 'size-of #1': 2, ':v0': 3 } }, { name: 1, 'size-of #1': 2, ':v0': 3 }],
      ];
      it.each(table)('%s', async (_, before, change, after) => {
        const key = await stored(before);
        expect(await inventory.update(key, change)).toEqual({ ...key, ...after });
        expect(await inventory.get(key)).toEqual({ ...key, ...after });
        const again = await stored(before);
        await inventory.write([{ do: 'update', key: again, change }]);
        expect(await inventory.get(again)).toEqual({ ...again, ...after });
      });

      it('create the item when it is absent and no condition forbids it', async () => {
        const key = fresh();
        await expect(inventory.update(key, { add: { n: 1 } }, [{ item: 'exists' }])).rejects.toMatchObject({ index: 0 });
        expect(await inventory.get(key)).toBeUndefined();
        expect(await inventory.update(key, { add: { n: 1 } })).toEqual({ ...key, n: 1 });
      });

      it('fence, keep what was there first and append in one unconditional update', async () => {
        const key = await stored({ fence: 7, state: 'rotating', revocation: {} });
        const revoke = (id: string) =>
          inventory.update(key, {
            add: { fence: 1 },
            set: { state: 'revoking' },
            setIfMissing: { 'revocation.id': id },
            append: { pending: [{ by: id }] },
          });
        expect(await revoke('first')).toEqual({
          ...key,
          fence: 8,
          state: 'revoking',
          revocation: { id: 'first' },
          pending: [{ by: 'first' }],
        });
        expect(await revoke('second')).toMatchObject({
          fence: 9,
          revocation: { id: 'first' },
          pending: [{ by: 'first' }, { by: 'second' }],
        });
      });

      const impossible: readonly (readonly [string, Change])[] = [
        ['nothing at all', {}],
        ['nothing but undefined', { set: { a: undefined } as never }],
        ['an empty path segment', { set: { 'a..b': 1 } }],
        ['a set under a missing map', { set: { 'absent.a': 1 } }],
        ['a set if missing under a missing map', { setIfMissing: { 'absent.a': 1 } }],
        ['an add under a missing map', { add: { 'absent.a': 1 } }],
        ['a set under a text', { set: { 'text.a': 1 } }],
        ['an add to a text', { add: { text: 1 } }],
        ['an add of a fraction', { add: { n: 0.5 } }],
        ['an append to a number', { append: { n: [1] } }],
        ['a set of the partition key', { set: { pk: 'x' } }],
        ['a removal of the sort key', { remove: ['sk'] }],
        ['one path twice', { set: { a: 1 }, add: { a: 1 } }],
        ['a path and its parent', { set: { m: {}, 'm.a': 1 } }],
        ['an index key that is no text', { set: { [slotOf('due').partitionKey]: 1 } }],
        ['an index key that is empty', { set: { [slotOf('due').sortKey]: '' } }],
      ];
      it.each(impossible)('%s is refused and changes nothing', async (_, change) => {
        const key = await stored({ text: 'x', n: 1, m: { a: 0 } });
        await expect(inventory.update(key, change)).rejects.toThrow(Refused);
        await expect(inventory.write([{ do: 'update', key, change }])).rejects.toThrow(Refused);
        expect(await inventory.get(key)).toEqual({ ...key, text: 'x', n: 1, m: { a: 0 } });
      });

      it('of nothing that has an order refuse to compare: a boolean has none', async () => {
        const key = await stored({ flag: true });
        const refused = inventory.update(key, { set: { a: 1 } }, [{ path: 'flag', is: '<', value: true }]);
        await expect(refused).rejects.toThrow(Refused);
      });
    });

    describe('at the same time', () => {
      it('of 25 updates on one condition exactly one wins, and the rest are told that the condition failed', async () => {
        const key = await stored({ fence: 0 });
        const results = await Promise.allSettled(
          Array.from({ length: 25 }, (_, i) => inventory.update(key, { set: { fence: 1, by: i } }, [{ path: 'fence', is: '=', value: 0 }])),
        );
        expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
        const lost = results.filter((result) => result.status === 'rejected').map((result) => result.reason.name);
        expect(new Set(lost)).toEqual(new Set(['ConditionFailed']));
        expect(await inventory.get(key)).toMatchObject({ fence: 1, by: results.findIndex((result) => result.status === 'fulfilled') });
      });

      it('of 25 transactions on one condition exactly one wins, and only its writes are there', async () => {
        const key = await stored({ head: 0 });
        const results = await Promise.allSettled(
          Array.from({ length: 25 }, (_, i) =>
            inventory.write([
              { do: 'put', item: { pk: key.pk, sk: `AUD#${i}` } },
              { do: 'update', key, change: { set: { head: 1 } }, when: [{ path: 'head', is: '=', value: 0 }] },
            ]),
          ),
        );
        const won = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
        expect(won).toHaveLength(1);
        expect((await inventory.list(key.pk, 'AUD#')).map((item) => item.sk)).toEqual([`AUD#${won[0]}`]);
      });

      it('25 unconditional additions all count', async () => {
        const key = await stored({});
        await Promise.all(Array.from({ length: 25 }, () => inventory.update(key, { add: { n: 1 } })));
        expect(await inventory.get(key)).toEqual({ ...key, n: 25 });
      });
    });

    describeInventoryConditions(() => inventory, fresh, stored);
    describeInventoryHints(() => inventory, fresh);
    describeInventoryValues(() => inventory, fresh);
  });
}
