import { describe, expect, it } from 'vitest';
import { Refused } from '../../core/errors.ts';
import { type Attribute, type Inventory, type ItemKey, slotOf, type Write } from '../../core/inventory.ts';
import { Value } from '../../core/value.ts';

/** What every inventory can hold, how it lists, and that what goes in and out is a copy. Part of the contract in inventory.ts. */
export function describeInventoryValues(subject: () => Inventory, fresh: (sk?: string) => ItemKey): void {
  describe('values', () => {
    const values: readonly (readonly [string, Attribute])[] = [
      ['an empty text', ''],
      ['text beyond ASCII', 'Schlüssel 鍵 🔑 \u0000 \u200d "\\'],
      ['zero', 0],
      ['a negative number', -17],
      ['a fraction', 0.1],
      ['the largest whole number', Number.MAX_SAFE_INTEGER],
      ['the smallest whole number', Number.MIN_SAFE_INTEGER],
      ['milliseconds since 1970', 1_772_323_200_123],
      ['true', true],
      ['false', false],
      ['null', null],
      ['an empty list', []],
      ['an empty map', {}],
      ['nested', [{ a: [null, { b: [] }], '': 'no name' }, [[]], 'x', 1]],
      ['a map with dots in its names', { 'ssm./a.b': 1 }],
    ];
    it.each(values)('%s comes back as it was, alone and inside a map', async (_, value) => {
      const key = fresh();
      await subject().write([{ do: 'put', item: { ...key, value, map: { value } } }]);
      expect(await subject().get(key)).toEqual({ ...key, value, map: { value } });
      expect(await subject().update(key, { set: { again: value } })).toEqual({ ...key, value, map: { value }, again: value });
    });

    it('minus zero is zero', async () => {
      const key = fresh();
      await subject().write([{ do: 'put', item: { ...key, n: -0 } }]);
      expect(Object.is((await subject().get(key))?.n, 0)).toBe(true);
    });

    it('undefined attributes are not stored', async () => {
      const key = fresh();
      await subject().write([{ do: 'put', item: { ...key, a: undefined, m: { b: undefined }, l: [1, undefined] } as never }]);
      expect(Object.keys((await subject().get(key)) ?? {}).sort()).toEqual(['l', 'm', 'pk', 'sk']);
      expect(await subject().get(key)).toEqual({ ...key, m: {}, l: [1] });
    });

    it.each([
      ['NaN', Number.NaN],
      ['infinity', Number.POSITIVE_INFINITY],
      ['a number that is not exact', 2 ** 53],
      ['a date', new Date(0)],
      ['a value', new Value('never-stored-0001')],
    ])('%s is refused, in a put and in a change, and not repeated in the error', async (_, bad) => {
      const key = fresh();
      const attempts = [
        subject().write([{ do: 'put', item: { ...key, bad } as never }]),
        subject().write([{ do: 'put', item: { ...key, deep: [{ bad }] } as never }]),
        subject().update(key, { set: { bad } as never }),
      ];
      for (const result of await Promise.allSettled(attempts)) {
        expect(result).toMatchObject({ status: 'rejected', reason: { name: 'Refused', code: 'E_INPUT_INVALID' } });
        expect(String((result as PromiseRejectedResult).reason.cause)).toBe('undefined');
        expect((result as PromiseRejectedResult).reason.message).not.toContain('never-stored');
      }
      expect(await subject().get(key)).toBeUndefined();
    });

    it('an empty key and a key of another type are refused', async () => {
      await expect(subject().write([{ do: 'put', item: { pk: '', sk: 'x' } }])).rejects.toThrow(Refused);
      await expect(subject().write([{ do: 'put', item: { pk: 'x', sk: '' } }])).rejects.toThrow(Refused);
      await expect(subject().write([{ do: 'put', item: { ...fresh(), [slotOf('keys').partitionKey]: null } }])).rejects.toThrow(Refused);
    });

    it('an item of 390 KB fits; one above 400 KB is refused as too large, put whole or grown', async () => {
      const key = fresh();
      await subject().write([{ do: 'put', item: { ...key, text: 'x'.repeat(390 * 1024) } }]);
      const tooLarge = { name: 'Refused', code: 'E_TOO_LARGE' };
      await expect(subject().update(key, { set: { more: 'x'.repeat(20 * 1024) } })).rejects.toMatchObject(tooLarge);
      const grown: Write = { do: 'update', key, change: { set: { more: 'x'.repeat(20 * 1024) } } };
      await expect(subject().write([grown])).rejects.toMatchObject(tooLarge);
      const whole: Write = { do: 'put', item: { ...fresh(), text: 'x'.repeat(410 * 1024) } };
      await expect(subject().write([whole])).rejects.toMatchObject(tooLarge);
      const long: Write = { do: 'put', item: { ...fresh('s'.repeat(1025)) } };
      await expect(subject().write([long])).rejects.toMatchObject(tooLarge);
    });

    it('are copies: changing what was put, got or listed changes nothing that is stored', async () => {
      const key = fresh();
      const item = { ...key, list: ['a'], map: { n: 1 } };
      await subject().write([{ do: 'put', item }]);
      item.list.push('b');
      item.map.n = 2;
      const change = { set: { other: ['x'] } };
      const updated = (await subject().update(key, change)) as unknown as typeof item & { other: string[] };
      change.set.other.push('y');
      updated.other.push('z');
      const got = (await subject().get(key)) as unknown as typeof item;
      got.list.push('c');
      ((await subject().list(key.pk))[0] as unknown as typeof item).map.n = 3;
      expect(await subject().get(key)).toEqual({ ...key, list: ['a'], map: { n: 1 }, other: ['x'] });
    });
  });

  describe('lists', () => {
    const put = async (pk: string, sks: readonly string[], extra: Record<string, Attribute> = {}) =>
      await subject().write(sks.map((sk): Write => ({ do: 'put', item: { pk, sk, ...extra } })));

    it('are in sort-key order and hold only what begins with the prefix', async () => {
      const { pk } = fresh();
      await put(pk, ['VER#0002', 'META', 'VER#0001', 'VER', 'VERY', 'DEST#a']);
      await put(fresh().pk, ['VER#0003']);
      const sks = async (prefix?: string) => (await subject().list(pk, prefix)).map((item) => item.sk);
      expect(await sks('VER#')).toEqual(['VER#0001', 'VER#0002']);
      expect(await sks('VER')).toEqual(['VER', 'VER#0001', 'VER#0002', 'VERY']);
      expect(await sks()).toEqual(['DEST#a', 'META', 'VER', 'VER#0001', 'VER#0002', 'VERY']);
      expect(await sks('')).toHaveLength(6);
      expect(await sks('none')).toEqual([]);
    });

    it('sort by UTF-8, where a character outside the first plane comes last', async () => {
      const { pk } = fresh();
      await put(pk, ['a🔑', 'a\uffee', 'aé', 'az', 'aZ']);
      expect((await subject().list(pk)).map((item) => item.sk)).toEqual(['aZ', 'az', 'aé', 'a\uffee', 'a🔑']);
    });

    it('are complete beyond the megabyte that one answer of the database holds', async () => {
      const { pk } = fresh();
      const sks = Array.from({ length: 12 }, (_, i) => `AUD#${String(i).padStart(4, '0')}`);
      for (const sk of sks) await put(pk, [sk], { text: 'x'.repeat(200 * 1024) });
      const items = await subject().list(pk, 'AUD#');
      expect(items.map((item) => item.sk)).toEqual(sks);
      expect(items.every((item) => String(item.text).length === 200 * 1024)).toBe(true);
    });
  });
}
