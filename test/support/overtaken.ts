import { expect } from 'vitest';
import { ConditionFailed } from '../../core/errors.ts';
import type { Attribute, Inventory, Item, ItemKey, Write } from '../../core/inventory.ts';
import { type World, world } from './world.ts';

/** Somebody else's write of an item, right before one of ours: of the field by which they notice each other, or of an item that was not there. */
export interface Other {
  /** Ours, by what it writes; the first that fits. */
  readonly write: (write: Write, there: Item | undefined) => boolean;
  /** What they set, by path; the whole item where there was none. */
  readonly set: Readonly<Record<string, Attribute>>;
}

/** An inventory in which one write comes too late, once somebody is named. */
export interface Overtaken extends Inventory {
  by(other: Other): void;
  /** What became of the write that was overtaken; null: there was none. */
  readonly outcome: () => 'refused' | 'made' | null;
}

const keyOf = (write: Write): ItemKey => {
  const { pk, sk } = write.do === 'put' ? write.item : write.key;
  return { pk, sk };
};

/** Wraps an inventory. Until `by` is called it is what it was. */
export function overtaken(inventory: Inventory): Overtaken {
  let other: Other | null = null;
  let outcome: 'refused' | 'made' | null = null;

  async function comesBefore(writes: readonly Write[]): Promise<boolean> {
    for (const write of other ? writes : []) {
      const key = keyOf(write);
      const there = await inventory.get(key);
      if (!other?.write(write, there)) continue;
      const { set } = other;
      other = null;
      if (there) await inventory.update(key, { set }, [], 'toward dead');
      else await inventory.write([{ do: 'put', item: { ...key, ...set } }], 'toward dead');
      return true;
    }
    return false;
  }

  async function made<T>(writes: readonly Write[], work: () => Promise<T>): Promise<T> {
    if (!(await comesBefore(writes))) return work();
    outcome = 'made';
    return work().catch((error: Error) => {
      if (error instanceof ConditionFailed) outcome = 'refused';
      throw error;
    });
  }

  return {
    ...inventory,
    write: (writes, permit) => made(writes, () => inventory.write(writes, permit)),
    update: (key, change, when, permit) => made([{ do: 'update', key, change }], () => inventory.update(key, change, when, permit)),
    by(one) {
      other = one;
    },
    outcome: () => outcome,
  };
}

/** Something that somebody does, and what somebody else writes right before one of its writes. */
export interface Race {
  /** What was there before, undisturbed. */
  readonly before?: () => Promise<unknown>;
  readonly work: () => Promise<unknown>;
  /** Our write, by the item that it is about: its keys with a space between them. */
  readonly item: RegExp;
  /** Whether the item is there already; otherwise either. */
  readonly exists?: boolean;
  /** Among several writes of the item: the one that sets this path. */
  readonly sets?: string;
  /** And among those: one that does not set this path. */
  readonly without?: string;
  /** Each field by which it must be noticed that somebody else was faster, and what they write. */
  readonly fields: Readonly<Record<string, Attribute>>;
}

/** Every field of every race, by name: what a table of tests is made of. */
export const raced = (races: Readonly<Record<string, Race>>) =>
  Object.entries(races).flatMap(([name, race]) => Object.keys(race.fields).map((field) => ({ name, field, race })));

/** Runs a race. Fails unless our write was refused. What becomes of it afterwards is for other tests. */
export async function comesTooLate(table: () => Overtaken, race: Race, field: string): Promise<void> {
  await race.before?.();
  const { item, exists, sets, without, fields } = race;
  table().by({
    write: (write, there) => {
      const { pk, sk } = keyOf(write);
      if (write.do === 'check' || !item.test(`${pk} ${sk}`) || (without !== undefined && setsPath(write, without))) return false;
      return (exists === undefined || exists === (there !== undefined)) && (sets === undefined || setsPath(write, sets));
    },
    set: exists === false ? fields : { [field]: fields[field] ?? null },
  });
  await race.work().catch(() => undefined);
  expect(table().outcome()).toBe('refused');
}

function setsPath(write: Write, path: string): boolean {
  const set = write.do === 'update' ? { ...write.change.set, ...write.change.setIfMissing } : write.do === 'put' ? write.item : {};
  return ((set as Item)[path] ?? null) !== null;
}

/** A world without a reconciler of its own whose inventory is the overtaken one. */
export function overtakenWorld(more: Parameters<typeof world>[0] = {}): { readonly w: World; readonly table: Overtaken } {
  let table: Overtaken | undefined;
  const w = world({
    reconciler: false,
    ...more,
    wrap(ports) {
      const inventory = overtaken(ports.inventory);
      table ??= inventory;
      return { ...ports, inventory };
    },
  });
  return { w, table: table as Overtaken };
}
