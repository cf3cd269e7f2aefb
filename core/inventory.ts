/**
 * The inventory as the core sees it: items under a partition and a sort key, and writes whose conditions are DATA.
 * The protocol's conditions are written once, in the core; DynamoDB and the memory inventory only evaluate them.
 */
export type Scalar = string | number | boolean | null;
export type Attribute = Scalar | readonly Attribute[] | { readonly [name: string]: Attribute };

export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/** An item: its key and any attributes. Attribute names contain no dots. Values of keys are never among them. */
export type Item = ItemKey & { readonly [name: string]: Attribute };

/** A condition on the item a write touches. `path` is dotted: `rotation.step`. A missing attribute equals nothing. */
export type Condition =
  | { readonly item: 'exists' | 'absent' }
  | { readonly path: string; readonly is: '=' | '<>' | '<' | '<=' | '>' | '>='; readonly value: string | number | boolean }
  | { readonly path: string; readonly is: 'present' | 'missing' };

/** What an update does to one item. Every path is dotted; the parent of a nested path must exist. */
export interface Change {
  readonly set?: { readonly [path: string]: Attribute };
  /** Sets the attribute only where the item does not have it yet. */
  readonly setIfMissing?: { readonly [path: string]: Attribute };
  /** Adds to a number; a missing one counts as 0. */
  readonly add?: { readonly [path: string]: number };
  /** Appends to a list; a missing one counts as empty. */
  readonly append?: { readonly [path: string]: readonly Attribute[] };
  readonly remove?: readonly string[];
}

export type Write =
  | { readonly do: 'put'; readonly item: Item; readonly when?: readonly Condition[] }
  | { readonly do: 'update'; readonly key: ItemKey; readonly change: Change; readonly when?: readonly Condition[] }
  | { readonly do: 'check'; readonly key: ItemKey; readonly when: readonly Condition[] }
  | { readonly do: 'delete'; readonly key: ItemKey; readonly when?: readonly Condition[] };

/** A row of a sparse index: only a hint, possibly stale. Decisions re-read the base item with `get`. */
export interface Hint {
  /** The key; in `deadline`, the partition of the item. */
  readonly keyId: string;
  readonly at: string;
}

/**
 * The sparse indexes, each with the slot of the table that it uses: `due` finds keys to rotate, `look` finds keys the reconciler must look at, `keys`
 * lists all; `seal` finds keys whose audit chain has grown since the last seal. `deadline` is about things that are no keys and wait for
 * somebody, like reviews: its id is their partition. `escalations` lists what waits for people, by ids of its own.
 * A new one takes a slot that is free; or one whose indexes are about other items, because an item has one row in a slot.
 */
const slotNumbers = { due: 1, look: 2, keys: 3, seal: 4, deadline: 5, escalations: 6 } as const;
export type IndexName = keyof typeof slotNumbers;
export const indexNames = Object.keys(slotNumbers) as readonly IndexName[];

/** An index of the table, with the attributes of an item that are its row there: `<index>#<shard>` and `<ISO instant>#<id>`. */
export interface Slot {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
}

/** Twice what is used: the table has them all from its first day on, because an update may make one and no more (docs/adr/0021-slots-for-indexes.md). */
export const slots: readonly Slot[] = Array.from({ length: 12 }, (_, i) => {
  const name = `hints${i + 1}`;
  return { name, partitionKey: `${name}Pk`, sortKey: `${name}Sk` };
});

/** How the table names the two parts of an item's key; both are texts. */
export const keyNames = { partitionKey: 'pk', sortKey: 'sk' } as const;

/** The slot of an index. */
export function slotOf(index: IndexName): Slot {
  return slots[slotNumbers[index] - 1] as Slot;
}

/** How many partitions each index is spread over (a hash of the key id picks one). */
export const shardCount = 8;

/** Which table it is: its name, and what another table of the same name would not have (null where the API tells nothing). */
export interface TableIdentity {
  readonly name: string;
  readonly id: string | null;
}

/** `fresh`: nothing was written yet. `restored`: its items were made for another table, so they are a copy from some time ago. */
export type TableState = 'fresh' | 'open' | 'restored';

export interface TableView {
  readonly state: TableState;
  readonly is: TableIdentity;
  /** The table that the items were made for; null while there are none. */
  readonly madeFor: TableIdentity | null;
  readonly schema: number | null;
}

/** Why a write is allowed on a table that was restored from a backup: it ends versions and never brings one back. */
export type Permit = 'toward dead';

/** The part of an inventory that changes nothing. */
export type InventoryReader = Pick<Inventory, 'get' | 'list' | 'hints'>;

/**
 * Everything throws SchemaTooNew on a table whose items a newer release made, and every write without a permit throws TableRestored on
 * a restored one. A write with a permit waits for neither answer: what cannot be known right now does not stop it.
 */
export interface Inventory {
  /** The item as it is now (strongly consistent), or undefined. Throws InventoryUnavailable. */
  get(key: ItemKey): Promise<Item | undefined>;
  /** Every item of the partition whose sort key begins with `prefix`, in sort-key order, strongly consistent; complete, or it throws. */
  list(pk: string, prefix?: string): Promise<Item[]>;
  /** All writes or none (at most 100). Throws ConditionFailed with the index of the first write that was refused, or InventoryUnavailable. */
  write(writes: readonly Write[], permit?: Permit): Promise<void>;
  /** Changes one item and returns it as it is afterwards. Throws ConditionFailed(0) or InventoryUnavailable. Creates the item when absent and no condition forbids it. */
  update(key: ItemKey, change: Change, when?: readonly Condition[], permit?: Permit): Promise<Item>;
  /**
   * Rows of an index up to and including the ISO instant `upTo` (all rows when absent), shard by shard, earliest first within each. With
   * `behind`, only the rows that come behind that one, whether it still exists or not.
   */
  hints(index: IndexName, upTo?: string, behind?: Hint): AsyncIterable<Hint>;
  /** Which table this is, and which one its items were made for, as it is now. */
  table(): Promise<TableView>;
  /** Another table with the same kind of items, to read from. */
  former(name: string): InventoryReader;
}
