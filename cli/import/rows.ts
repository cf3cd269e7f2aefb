import type { KeyRow, RejectedRow } from '../../requests/key-document.ts';

/** A row as it was read: a key, or what is wrong with it. */
export type Row = KeyRow | RejectedRow;

export const isKey = (row: Row): row is KeyRow => 'facts' in row;

/** Rows in groups of at most so many, in their order. */
export async function* inGroups<Item>(items: AsyncIterable<Item>, most: number): AsyncIterable<Item[]> {
  let group: Item[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < most) continue;
    yield group;
    group = [];
  }
  if (group.length) yield group;
}

/**
 * The rows, with those refused that an earlier row of the same import rules out: an id, or a principal that one of the two has to itself. Keeps a
 * few dozen bytes of each row, whatever its size.
 */
export async function* settled(rows: AsyncIterable<Row>): AsyncIterable<Row> {
  const ids = new Map<string, string>();
  const principals = new Map<string, { readonly exclusive: boolean; readonly id: string }>();
  for await (const row of rows) {
    const problem = isKey(row) ? clashOf(row, ids, principals) : null;
    yield problem && isKey(row) ? { id: row.facts.id, source: row.source, problems: [{ path: row.source, message: problem }] } : row;
  }
}

function clashOf(
  { facts, source }: KeyRow,
  ids: Map<string, string>,
  principals: Map<string, { readonly exclusive: boolean; readonly id: string }>,
): string | null {
  const known = ids.get(facts.id);
  if (known !== undefined) return `${facts.id} is also in ${known}`;
  ids.set(facts.id, source);
  const principal = JSON.stringify([facts.provider, facts.account, Object.entries(facts.params).sort()]);
  const other = principals.get(principal);
  if (other && (facts.exclusive || other.exclusive)) return `uses the principal of ${other.id}, and one of them has it to itself`;
  principals.set(principal, { exclusive: facts.exclusive || other?.exclusive === true, id: facts.id });
  return null;
}
