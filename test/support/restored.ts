import { memoryInventory } from '../../adapters/memory/inventory.ts';
import type { Inventory } from '../../core/inventory.ts';
import type { KeyFacts } from '../../core/key.ts';
import { openInventory } from '../../core/reassert/open.ts';
import { type Reasserted, type Reassertion, reassertKey } from '../../core/reassert/reassert.ts';
import { history } from '../../core/show.ts';
import { beginsRotation, passInflight, untilIdle } from './operations.ts';
import { adopted, services, testFacts, type World, world } from './world.ts';

export type Table = ReturnType<typeof memoryInventory>;

export const a = { name: 'test-rekey-inventory', id: 'a0000000-0000-4000-8000-000000000000' };
export const b = { name: 'test-rekey-restored', id: 'b0000000-0000-4000-8000-000000000000' };

export let w: World;
export let keyId: string;
/** The table that the installation is deployed with. */
export let table: Table;
let backup: ReturnType<Table['items']>;
const deployed = new Proxy({} as Inventory, { get: (_none, name) => Reflect.get(table, name) });

/** Before each test: a key in a table of its own. */
export async function beginDrill(): Promise<void> {
  table = memoryInventory({ identity: a });
  w = world({ wrap: (ports) => ({ ...ports, inventory: deployed }) });
  keyId = await adopted(w);
}

export const takeBackup = () => {
  backup = table.items();
};

/** As if the backup had been taken before this partition was written. */
export const leaveOut = (prefix: string) => {
  backup = backup.filter(({ pk }) => !pk.startsWith(prefix));
};

/** What AWS does: a new table with the items of the backup; and what the operator does: a deployment that names it. */
export function restore({ formerIsReadable = true } = {}): Table {
  const former = table;
  table = memoryInventory({ identity: b, items: backup, others: formerIsReadable ? { [a.name]: former } : {} });
  return former;
}

/** Another table takes the place of the deployed one. */
export const deploy = (other: Table) => {
  table = other;
};

export const operator = 'arn:aws:sts::111122223333:assumed-role/platform/ada';

/** As the command line does it: again while a death is not proven. */
export async function reasserts(more: Partial<Reassertion> = {}): Promise<Reasserted> {
  for (let round = 0; round < 30; round++) {
    const answer = await reassertKey(w.ports, { keyId, ...more }, operator);
    if (answer.outcome !== 'again') return answer;
    await w.pass(answer.againSeconds + 1);
  }
  throw new Error('never settled');
}

export const opens = () => openInventory(w.ports, {}, operator);
export const readOnly = { name: 'TableRestored' };
export const rotates = async (facts: KeyFacts = testFacts()) => {
  const seen = services(w, facts);
  await beginsRotation(w, keyId);
  await untilIdle(w, keyId);
  await passInflight(w);
  return seen;
};
export const enabled = async () =>
  (await w.provider.list({ keyId, account: 'default', params: {} })).filter((one) => one.enabled).map(({ credentialId }) => credentialId);
export const reassertions = async () => (await history(w.ports, keyId)).filter(({ event }) => event === 'inventory.reasserted');
