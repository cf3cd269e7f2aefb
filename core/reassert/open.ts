import { ConditionFailed, Refused } from '../errors.ts';
import type { TableView } from '../inventory.ts';
import { metaKey } from '../items.ts';
import type { Ports } from '../ports.ts';
import { identityText, schemaItem } from '../schema.ts';
import { instant } from '../time.ts';

export interface InventoryReport extends TableView {
  /** Every key of the table, and of the table it was copied from where that is named, and whether it was re-asserted in this table. */
  readonly keys: readonly { readonly keyId: string; readonly reasserted: boolean }[];
}

/** What the table is, and how far its keys are. `from`: another table whose keys are looked at as well. */
export async function showInventory(ports: Ports, request: { readonly from?: string }): Promise<InventoryReport> {
  const view = await ports.inventory.table();
  const ids = new Set<string>();
  for await (const { keyId } of ports.inventory.hints('keys')) ids.add(keyId);
  if (request.from) for await (const { keyId } of ports.inventory.former(request.from).hints('keys')) ids.add(keyId);
  const round = identityText(view.is);
  const keys = [];
  for (const keyId of [...ids].sort()) {
    const reasserted = (await ports.inventory.get(metaKey(keyId)))?.['reasserted'] === round;
    keys.push({ keyId, reasserted });
  }
  return { ...view, keys };
}

/** Which table's keys are being re-asserted: each table is done once. Throws Refused E_NOTHING_TO_DO when it is no copy. */
export async function roundOf(ports: Ports): Promise<string> {
  const { state, is } = await ports.inventory.table();
  if (state !== 'restored')
    throw new Refused('E_NOTHING_TO_DO', `${identityText(is)} is no copy: its items were made for it, and it takes writes`);
  return identityText(is);
}

/**
 * Opens a restored table for writes, under its own identity from now on, once every key of it was re-asserted.
 * Throws Refused E_NOTHING_TO_DO when it is no copy, E_BUSY with the keys that are missing.
 */
export async function openInventory(
  ports: Ports,
  request: { readonly from?: string },
  actor: string,
): Promise<{ readonly opened: string; readonly keys: number }> {
  const opened = await roundOf(ports);
  const { keys, is, madeFor } = await showInventory(ports, request);
  const left = keys.filter(({ reasserted }) => !reasserted).map(({ keyId }) => keyId);
  if (left.length > 0) throw new Refused('E_BUSY', `${left.length} keys were not re-asserted yet: ${left.slice(0, 20).join(', ')}`);
  const item = { ...schemaItem(is), openedAt: instant(ports.clock.now()), openedBy: actor };
  try {
    await ports.inventory.write([{ do: 'put', item, when: [{ path: 'table', is: '=', value: madeFor?.name ?? '' }] }], 'toward dead');
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    throw new Refused('E_BUSY', 'somebody else opened the table at the same moment');
  }
  return { opened, keys: keys.length };
}
