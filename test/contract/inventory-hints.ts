import { describe, expect, it } from 'vitest';
import {
  type Hint,
  type IndexName,
  type Inventory,
  type Item,
  type ItemKey,
  indexNames,
  slotOf,
  type Write,
} from '../../core/inventory.ts';
import { shardOf } from '../../core/items.ts';

/** The sparse indexes. Part of the contract in inventory.ts. */
export function describeInventoryHints(subject: () => Inventory, fresh: () => ItemKey): void {
  describe('hints', () => {
    let run = 0;
    const due = slotOf('due');
    const row = (index: IndexName, shard: number, at: string, keyId: string): Item => ({
      ...fresh(),
      [slotOf(index).partitionKey]: `${index}#${shard}`,
      [slotOf(index).sortKey]: `${at}#${keyId}`,
    });
    const put = (items: Item[]) => subject().write(items.map((item): Write => ({ do: 'put', item })));
    const collect = async (index: IndexName, prefix: string, upTo?: string): Promise<Hint[]> => {
      const found: Hint[] = [];
      for await (const hint of subject().hints(index, upTo)) if (hint.keyId.startsWith(prefix)) found.push(hint);
      return found;
    };
    const at = (day: number) => `2026-03-${String(day).padStart(2, '0')}T00:00:00.000Z`;

    it.each(indexNames)('%s: rows of all shards, earliest first within each, up to and including the instant', async (index) => {
      const prefix = `run${++run}/`;
      await put([
        row(index, 7, at(1), `${prefix}last-shard`),
        row(index, 0, at(3), `${prefix}third`),
        row(index, 0, at(1), `${prefix}first`),
        row(index, 0, at(2), `${prefix}second#with-mark`),
      ]);
      expect(await collect(index, prefix)).toEqual([
        { keyId: `${prefix}first`, at: at(1) },
        { keyId: `${prefix}second#with-mark`, at: at(2) },
        { keyId: `${prefix}third`, at: at(3) },
        { keyId: `${prefix}last-shard`, at: at(1) },
      ]);
      expect((await collect(index, prefix, at(2))).map((hint) => hint.at)).toEqual([at(1), at(2), at(1)]);
      expect(await collect(index, prefix, '2026-02-28T23:59:59.999Z')).toEqual([]);
    });

    it('go on behind any of them, also behind one that is gone, and every row is seen once', async () => {
      const prefix = `run${++run}/`;
      const ids = Array.from({ length: 20 }, (_, i) => `${prefix}${i}`);
      await put(ids.map((id, i) => row('keys', shardOf(id), at(1 + (i % 5)), id)));
      const all = await collect('keys', prefix);
      expect(all).toHaveLength(20);
      for (const [i, place] of all.entries()) {
        const rest: Hint[] = [];
        for await (const hint of subject().hints('keys', undefined, place)) if (hint.keyId.startsWith(prefix)) rest.push(hint);
        expect(rest).toEqual(all.slice(i + 1));
      }
      const early: Hint[] = [];
      for await (const hint of subject().hints('keys', at(2), all[3])) if (hint.keyId.startsWith(prefix)) early.push(hint);
      expect(early).toEqual(all.slice(4).filter((hint) => hint.at <= at(2)));
      const gone: Hint = { keyId: `${all[5]?.keyId}!`, at: all[5]?.at ?? '' };
      const behind: Hint[] = [];
      for await (const hint of subject().hints('keys', undefined, gone)) if (hint.keyId.startsWith(prefix)) behind.push(hint);
      const place = (hint: Hint) => [shardOf(hint.keyId), `${hint.at}#${hint.keyId}`] as const;
      const [shard, text] = place(gone);
      expect(behind).toEqual(all.filter((hint) => place(hint)[0] > shard || (place(hint)[0] === shard && place(hint)[1] > text)));
    });

    it('follow the item: moved, and gone when the index attributes are removed or the item is deleted', async () => {
      const prefix = `run${++run}/`;
      const [a, b] = [row('due', 2, at(1), `${prefix}a`), row('due', 2, at(2), `${prefix}b`)];
      await put([a, b]);
      await subject().update(a, { set: { [due.sortKey]: `${at(5)}#${prefix}a` } });
      expect((await collect('due', prefix)).map((hint) => hint.keyId)).toEqual([`${prefix}b`, `${prefix}a`]);
      await subject().update(a, { remove: [due.partitionKey, due.sortKey] });
      expect((await collect('due', prefix)).map((hint) => hint.keyId)).toEqual([`${prefix}b`]);
      await subject().write([{ do: 'delete', key: { pk: b.pk, sk: b.sk } }]);
      expect(await collect('due', prefix)).toEqual([]);
    });

    it('keep the indexes apart, and leave out an item with only one of the two attributes', async () => {
      const prefix = `run${++run}/`;
      await put([
        row('look', 1, at(1), `${prefix}look`),
        { ...fresh(), [due.partitionKey]: 'due#1' },
        { ...fresh(), [due.sortKey]: `${at(1)}#${prefix}half` },
      ]);
      expect(await collect('due', prefix)).toEqual([]);
      expect(await collect('look', prefix)).toHaveLength(1);
    });
  });
}
