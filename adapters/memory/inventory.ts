import { ConditionFailed, Refused } from '../../core/errors.ts';
import {
  type Attribute,
  type Change,
  type Condition,
  type IndexName,
  type Inventory,
  type InventoryReader,
  type Item,
  type ItemKey,
  type Permit,
  shardCount,
  slotOf,
  slots,
  type TableIdentity,
  type Write,
} from '../../core/inventory.ts';
import { shardOf } from '../../core/items.ts';
import { restored, schemaItem, schemaKey, viewOf } from '../../core/schema.ts';
import { changed, compare, copy, holds, malformed } from './expression.ts';

interface MemoryInventory extends Inventory {
  /** Copies of all items, in order of partition and sort key. */
  items(): Item[];
}

interface MemoryOptions {
  /** What the table calls itself. */
  readonly identity?: TableIdentity;
  /** Its items at the beginning: those of a backup. */
  readonly items?: readonly Item[];
  /** Other tables, by name. */
  readonly others?: Readonly<Record<string, InventoryReader>>;
  /** Awaited before and after each operation takes effect, so that others can run between. Default: one turn of the microtask queue. */
  readonly turn?: () => Promise<void>;
  /** Called in the instant in which a transaction takes effect, with its writes and the items as they are then (undefined: deleted). */
  readonly committed?: (writes: readonly Write[], after: readonly (Item | undefined)[]) => void;
}

/** DynamoDB's limits: bytes of a partition key, of a sort key and of an item, and writes in one transaction. */
const partitionKeyBytes = 2048;
const sortKeyBytes = 1024;
const itemBytes = 400 * 1024;
const transactionWrites = 100;

/**
 * The inventory in memory, as strict as DynamoDB: copies go in and out, every condition of a transaction is judged before anything is
 * written, and what DynamoDB refuses is refused (Refused E_INPUT_INVALID, E_TOO_LARGE). An operation takes effect in one instant.
 */
export function memoryInventory({
  turn = () => Promise.resolve(),
  identity = { name: 'memory', id: null },
  items: begin = [],
  others = {},
  committed,
}: MemoryOptions = {}): MemoryInventory {
  const stored = new Map<string, Item>();
  /** The items of each partition, and those with a row in an index: what a query looks at, and nothing else. */
  const partitions = new Map<string, Map<string, Item>>();
  const indexed = new Map<string, Item>();
  for (const item of begin) store(idOf(item), copy(item));
  const schemaId = idOf(schemaKey);
  const view = () => viewOf(stored.get(schemaId), identity);

  function store(id: string, item: Item): void {
    stored.set(id, item);
    const partition = partitions.get(item.pk) ?? new Map<string, Item>();
    partitions.set(item.pk, partition.set(item.sk, item));
    if (hasRow(item)) indexed.set(id, item);
    else indexed.delete(id);
  }

  function forget(id: string, { pk, sk }: ItemKey): void {
    stored.delete(id);
    indexed.delete(id);
    partitions.get(pk)?.delete(sk);
  }

  /** A fresh table gets its schema with the first write; a restored one takes only what has a permit. */
  function enter(permit: Permit | undefined): void {
    const { state, madeFor } = view();
    if (permit) return;
    if (state === 'restored') throw restored(identity, madeFor);
    if (state === 'fresh') store(schemaId, schemaItem(identity));
  }

  /** Applies all writes or throws; returns the items as they are afterwards. */
  function commit(writes: readonly Write[], permit?: Permit): (Item | undefined)[] {
    const ids = writes.map((write) => idOf(keyOf(write)));
    if (!writes.length || writes.length > transactionWrites) throw malformed(`a transaction has 1 to ${transactionWrites} writes`);
    if (new Set(ids).size < ids.length) throw malformed('a transaction touches each item once');
    // Puts are judged before conditions, as DynamoDB validates a request before it runs it.
    const puts = writes.map((write) => (write.do === 'put' ? valid(copy(write.item)) : undefined));
    enter(permit);
    writes.forEach((write, i) => {
      if (write.do === 'check' && !write.when.length) throw malformed('a check checks nothing');
      const held = (write.when ?? []).map((condition) => holds(condition, stored.get(ids[i]!)));
      if (held.includes(false)) throw new ConditionFailed(i);
    });
    const after = writes.map((write, i) => {
      const before = stored.get(ids[i]!);
      if (write.do === 'update') return valid(changed(before ?? { pk: write.key.pk, sk: write.key.sk }, write.change));
      return write.do === 'check' ? before : puts[i];
    });
    after.forEach((item, i) => {
      if (item) store(ids[i]!, item);
      else forget(ids[i]!, keyOf(writes[i]!));
    });
    committed?.(writes, after);
    return after;
  }

  async function atOnce<T>(operation: () => T): Promise<T> {
    await turn();
    const result = operation();
    await turn();
    return result;
  }

  const sorted = (items: Iterable<Item>, belongs: (item: Item) => boolean) =>
    [...items]
      .filter(belongs)
      .sort((a, b) => compare(a.pk, b.pk) || compare(a.sk, b.sk) || 0)
      .map(copy<Item>);

  /** Reads nothing that this release would not understand. */
  function known<T>(read: () => T): T {
    view();
    return read();
  }

  return {
    async get(key) {
      return await atOnce(() => known(() => copyOf(stored.get(idOf(key)))));
    },

    async list(pk, prefix = '') {
      return await atOnce(() => known(() => sorted(partitions.get(pk)?.values() ?? [], ({ sk }) => sk.startsWith(prefix))));
    },

    async write(writes, permit) {
      await atOnce(() => commit(writes, permit));
    },

    async update(key: ItemKey, change: Change, when: readonly Condition[] = [], permit?: Permit) {
      return await atOnce(() => copy(commit([{ do: 'update', key, change, when }], permit)[0]!));
    },

    async *hints(index, upTo, behind) {
      for (let shard = behind ? shardOf(behind.keyId) : 0; shard < shardCount; shard++) {
        const rows = await atOnce(() => known(() => rowsOf(indexed.values(), index, shard)));
        const after = behind && shard === shardOf(behind.keyId) ? `${behind.at}#${behind.keyId}` : '';
        for (const row of rows) if ((upTo === undefined || row.at <= upTo) && `${row.at}#${row.keyId}` > after) yield row;
      }
    },

    async table() {
      return await atOnce(view);
    },

    former(name) {
      const other = others[name];
      if (!other) throw new Refused('E_NOT_FOUND', `there is no table ${name}`);
      return other;
    },

    items: () => sorted(stored.values(), () => true),
  };
}

function keyOf(write: Write): ItemKey {
  return write.do === 'put' ? write.item : write.key;
}

function idOf({ pk, sk }: ItemKey): string {
  checkKey('pk', pk, partitionKeyBytes);
  checkKey('sk', sk, sortKeyBytes);
  return JSON.stringify([pk, sk]);
}

function checkKey(name: string, value: unknown, most: number): void {
  if (typeof value !== 'string' || value === '') throw malformed(`${name} is no text, or empty`);
  if (Buffer.byteLength(value) > most) throw new Refused('E_TOO_LARGE', `${name} is longer than ${most} bytes`);
}

/** The item, if DynamoDB would store it. */
function valid(item: Item): Item {
  for (const { partitionKey, sortKey } of slots) {
    if (item[partitionKey] !== undefined) checkKey(partitionKey, item[partitionKey], partitionKeyBytes);
    if (item[sortKey] !== undefined) checkKey(sortKey, item[sortKey], sortKeyBytes);
  }
  if (sizeOf(item) > itemBytes) throw new Refused('E_TOO_LARGE', `an item is larger than ${itemBytes} bytes`);
  return item;
}

/** Bytes as DynamoDB counts them: names and text in UTF-8, numbers by their digits, and a little for each list and map. */
function sizeOf(value: Attribute): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.ceil(String(value).length / 2) + 1;
  if (value === null || typeof value === 'boolean') return 1;
  if (Array.isArray(value)) return value.reduce((total, element) => total + sizeOf(element) + 1, 3);
  return Object.entries(value).reduce((total, [name, element]) => total + Buffer.byteLength(name) + sizeOf(element) + 1, 3);
}

/** Whether an item has a row in any index. */
const hasRow = (item: Item): boolean => slots.some(({ partitionKey }) => item[partitionKey] !== undefined);

function copyOf(item: Item | undefined): Item | undefined {
  return item && copy(item);
}

function rowsOf(items: Iterable<Item>, index: IndexName, shard: number): { keyId: string; at: string }[] {
  const { partitionKey, sortKey } = slotOf(index);
  return [...items]
    .filter((item) => item[partitionKey] === `${index}#${shard}`)
    .map((item) => item[sortKey])
    .filter((row) => typeof row === 'string')
    .sort((a, b) => compare(a, b) ?? 0)
    .map((row) => {
      const end = row.indexOf('#');
      return { at: row.slice(0, end), keyId: row.slice(end + 1) };
    });
}
