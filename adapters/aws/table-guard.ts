import type { Item, Permit, TableIdentity, TableView } from '../../core/inventory.ts';
import { checkSchema, restored, schemaItem, viewOf } from '../../core/schema.ts';

/** The three calls that tell what a table is. Each ends by itself; each throws InventoryUnavailable. */
export interface TableCalls {
  /** The schema item. */
  readonly read: () => Promise<Item | undefined>;
  readonly describe: () => Promise<TableIdentity>;
  /** Writes the schema item of a fresh table; another process may have been faster. */
  readonly make: (item: Item) => Promise<void>;
}

export interface TableGuard {
  /** A read's answer, once it is known that its items can be understood; asked side by side with the read. */
  reading<T>(answer: Promise<T>): Promise<T>;
  /** Resolves when a write may be made. */
  writing(permit?: Permit): Promise<void>;
  /** What the table is now, asked anew. */
  view(): Promise<TableView>;
}

/**
 * How long a process trusts what it learned: a table that was deleted and restored under its own name takes longer than this to
 * come back, so no warm process can take the copy for the table it knew.
 */
const trustSeconds = 300;

/** Keeps a process from writing to a table that it does not understand, or that is a copy; asks once, and again after `trustSeconds`. */
export function tableGuard({ read, describe, make }: TableCalls): TableGuard {
  const item = kept(read);
  const identity = kept(describe);

  async function view(): Promise<TableView> {
    const [schema, is] = await Promise.all([item.now(), identity.now()]);
    return viewOf(schema, is);
  }

  return {
    async reading(answer) {
      // A table that cannot say what it is right now is no reason to answer nothing: the write that follows asks again.
      const schema = item.get().catch(() => undefined);
      const found = await answer;
      checkSchema(await schema);
      return found;
    },

    async writing(permit) {
      if (permit) return checkSchema(await item.get().catch(() => undefined));
      const [schema, is] = await Promise.all([item.get(), identity.get()]);
      const known = viewOf(schema, is);
      if (known.state === 'open') return;
      if (known.state === 'fresh') {
        await make(schemaItem(is));
        item.forget();
      }
      // A copy may have been re-asserted since, and a fresh table may have got another's schema meanwhile.
      const fresh = await view();
      if (fresh.state === 'restored') throw restored(is, fresh.madeFor);
    },

    view,
  };
}

interface Kept<T> {
  /** What is known, asked for when nothing is or when it is old. Many callers share one question; a failure is not kept. */
  get(): Promise<T>;
  now(): Promise<T>;
  forget(): void;
}

function kept<T>(ask: () => Promise<T>): Kept<T> {
  let known: { readonly answer: Promise<T>; readonly untilMs: number } | undefined;
  const now = () => {
    const answer = ask();
    const mine = { answer, untilMs: performance.now() + trustSeconds * 1000 };
    known = mine;
    answer.catch(() => {
      if (known === mine) known = undefined;
    });
    return answer;
  };
  return {
    get: () => (known && performance.now() < known.untilMs ? known.answer : now()),
    now,
    forget() {
      known = undefined;
    },
  };
}
