import { SchemaTooNew, TableRestored } from './errors.ts';
import type { Item, ItemKey, TableIdentity, TableView } from './inventory.ts';

/** The schema of the items that this release writes. A release that changes their meaning raises it, and brings the code that upgrades the older one. */
export const schemaVersion = 1;

/** Where a table says which schema it has and which table it was made for; in a partition of its own. */
export const schemaKey: ItemKey = { pk: 'SCHEMA', sk: 'SCHEMA' };

/** The item that a table begins with. */
export function schemaItem({ name, id }: TableIdentity): Item {
  return { ...schemaKey, version: schemaVersion, table: name, tableId: id };
}

/** What a table is, from its schema item. Throws SchemaTooNew. */
export function viewOf(item: Item | undefined, is: TableIdentity): TableView {
  checkSchema(item);
  if (!item) return { state: 'fresh', is, madeFor: null, schema: null };
  const madeFor: TableIdentity = { name: String(item['table']), id: typeof item['tableId'] === 'string' ? item['tableId'] : null };
  const same = madeFor.name === is.name && (madeFor.id === null || is.id === null || madeFor.id === is.id);
  return { state: same ? 'open' : 'restored', is, madeFor, schema: Number(item['version']) };
}

/** Throws SchemaTooNew when a newer release made the items. */
export function checkSchema(item: Item | undefined): void {
  const version = Number(item?.['version'] ?? schemaVersion);
  if (version > schemaVersion)
    throw new SchemaTooNew(`the table has schema ${version}, and this release knows ${schemaVersion}: upgrade Rekey; nothing was touched`);
}

/** How a table's identity is written in records: its name, then its id where it has one. */
export const identityText = ({ name, id }: TableIdentity): string => (id ? `${name}/${id}` : name);

/** Why a table takes no write. */
export function restored(is: TableIdentity, madeFor: TableIdentity | null): TableRestored {
  const of = madeFor ? identityText(madeFor) : 'another table';
  return new TableRestored(
    `${identityText(is)} is a copy of ${of}, so it may have forgotten what was revoked since: it is read-only until rekey inventory reassert; revoke works`,
  );
}
