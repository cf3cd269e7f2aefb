import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoInventory } from '../../adapters/aws/inventory.ts';
import { memoryInventory } from '../../adapters/memory/inventory.ts';
import type { Inventory, Item, TableIdentity } from '../../core/inventory.ts';
import { schemaItem, schemaKey, schemaVersion } from '../../core/schema.ts';
import { type LocalDynamo, startDynamo } from '../../local/dynamodb.ts';
import { dynamoError, startDynamoProxy } from '../support/aws/dynamodb.ts';
import { scan, tableWith } from '../support/copy-table.ts';

/** A table with these items, as a process sees it that has just started. `again`: another process on the same table. */
interface Subject {
  open(
    items?: readonly Item[],
  ): Promise<{ inventory: Inventory; is: TableIdentity; again: () => Inventory; stored: () => Promise<Item[]> }>;
  close(): Promise<void>;
}

const key = { pk: 'KEY#a', sk: 'META' };
const item: Item = { ...key, n: 1 };
const other: TableIdentity = { name: 'other-inventory', id: 'f0000000-0000-4000-8000-000000000001' };

function inMemory(): Subject {
  return {
    async open(items = []) {
      const identity = { name: 'memory-inventory', id: 'f0000000-0000-4000-8000-000000000002' };
      const inventory = memoryInventory({ identity, items });
      return {
        inventory,
        is: identity,
        again: () => memoryInventory({ identity, items: inventory.items() }),
        stored: async () => inventory.items(),
      };
    },
    close: async () => undefined,
  };
}

async function onDynamo(): Promise<Subject> {
  const engine = await startDynamo({ table: 'rekey-schema-0' });
  let tables = 0;
  return {
    async open(items = []) {
      const name = `rekey-schema-${++tables}`;
      const id = await tableWith(engine.client, name, items);
      const again = () => dynamoInventory({ client: engine.client, table: name, callSeconds: 5 });
      return { inventory: again(), is: { name, id }, again, stored: () => scan(engine.client, name) };
    },
    close: engine.stop,
  };
}

describe.each([
  ['in memory', async () => inMemory()],
  ['on DynamoDB', onDynamo],
])('the schema of an inventory %s', (_name, make) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await make();
  });
  afterAll(async () => await subject?.close());

  it('is written with the first write of a fresh table, and names the table that it was made for', async () => {
    const { inventory, is, again, stored } = await subject.open();
    expect(await inventory.table()).toEqual({ state: 'fresh', is, madeFor: null, schema: null });
    expect(await inventory.get(key)).toBeUndefined();
    expect(await stored()).toEqual([]);
    await inventory.write([{ do: 'put', item }]);
    expect(await stored()).toEqual([item, schemaItem(is)]);
    expect(await again().table()).toEqual({ state: 'open', is, madeFor: is, schema: schemaVersion });
    await again().update(key, { add: { n: 1 } });
    expect(await stored()).toHaveLength(2);
  });

  it('row 74: that a newer release made refuses every read and every write by name, also those of a revocation', async () => {
    const { inventory, stored } = await subject.open([item, { ...schemaItem(other), version: schemaVersion + 1 }]);
    const before = await stored();
    const named = { name: 'SchemaTooNew', message: expect.stringContaining('upgrade Rekey') };
    await expect(inventory.get(key)).rejects.toMatchObject(named);
    await expect(inventory.list(key.pk)).rejects.toMatchObject(named);
    await expect(inventory.hints('keys')[Symbol.asyncIterator]().next()).rejects.toMatchObject(named);
    await expect(inventory.write([{ do: 'put', item }])).rejects.toMatchObject(named);
    await expect(inventory.update(key, { add: { n: 1 } })).rejects.toMatchObject(named);
    await expect(inventory.update(key, { add: { n: 1 } }, [], 'toward dead')).rejects.toMatchObject(named);
    await expect(inventory.table()).rejects.toMatchObject(named);
    expect(await stored()).toEqual(before);
  });

  it.each([
    ['another name', (is: TableIdentity) => ({ ...is, name: other.name })],
    ['the same name, and was another table', (is: TableIdentity) => ({ ...is, id: other.id })],
  ])('that was made for a table of %s keeps it from being written, but for what moves toward dead', async (_what, madeFor) => {
    const { inventory, is: own, again } = await subject.open([item]);
    const copy = madeFor(own);
    await inventory.write([{ do: 'put', item: schemaItem(copy) }], 'toward dead');
    const reader = again();
    expect(await reader.table()).toMatchObject({ state: 'restored', is: own, madeFor: copy });
    expect(await reader.get(key)).toEqual(item);
    const named = { name: 'TableRestored', message: expect.stringContaining('read-only') };
    await expect(reader.write([{ do: 'put', item: { ...item, n: 9 } }])).rejects.toMatchObject(named);
    await expect(reader.update(key, { add: { n: 1 } })).rejects.toMatchObject(named);
    expect(await reader.update(key, { add: { n: 1 } }, [], 'toward dead')).toEqual({ ...item, n: 2 });
    await reader.write([{ do: 'update', key, change: { add: { n: 1 } } }], 'toward dead');
    // The same process writes as soon as the table is its own.
    await reader.write([{ do: 'put', item: schemaItem(own) }], 'toward dead');
    await reader.update(key, { add: { n: 1 } });
    expect(await reader.get(key)).toEqual({ ...item, n: 4 });
  });
});

describe('on DynamoDB', () => {
  let engine: LocalDynamo;
  beforeAll(async () => {
    engine = await startDynamo({ table: 'rekey-guarded' });
  });
  afterAll(async () => await engine?.stop());

  it('a process asks once what its table is, side by side with its first read', async () => {
    const proxy = await startDynamoProxy(engine.endpoint);
    const client = { ...engine.client, endpoint: proxy.endpoint };
    await dynamoInventory({ client: engine.client, table: 'rekey-guarded', callSeconds: 5 }).write([{ do: 'put', item }]);
    const inventory = dynamoInventory({ client, table: 'rekey-guarded', callSeconds: 5 });
    await inventory.get(key);
    await inventory.get(key);
    for (let i = 0; i < 3; i++) await inventory.update(key, { add: { n: 1 } });
    const asked = proxy.seen.filter(
      ({ operation, body }) => operation === 'DescribeTable' || (body['Key'] as { pk?: { S: string } } | undefined)?.pk?.S === schemaKey.pk,
    );
    expect(asked.map(({ operation }) => operation).sort()).toEqual(['DescribeTable', 'GetItem']);
    await proxy.close();
  });

  it('what moves toward dead is written even when nobody can say which table it is; everything else waits', async () => {
    const proxy = await startDynamoProxy(engine.endpoint);
    const client = { ...engine.client, endpoint: proxy.endpoint };
    const process = () => dynamoInventory({ client, table: 'rekey-guarded', callSeconds: 1 });
    const lost = { status: 500, body: { __type: 'InternalServerError' } };
    proxy.script([lost]);
    await expect(process().update(key, { set: { by: 'revoke' } }, [{ item: 'exists' }], 'toward dead')).resolves.toMatchObject({
      by: 'revoke',
    });
    proxy.script([], dynamoError('ThrottlingException'));
    await expect(process().update(key, { set: { by: 'rotate' } })).rejects.toMatchObject({ name: 'InventoryUnavailable' });
    expect(proxy.seen.filter(({ operation }) => operation === 'UpdateItem')).toEqual([]);
    await proxy.close();
  });

  it('a process without the right to describe its table goes by the name alone', async () => {
    const proxy = await startDynamoProxy(engine.endpoint);
    const client = { ...engine.client, endpoint: proxy.endpoint };
    const inventory = dynamoInventory({ client, table: 'rekey-guarded', callSeconds: 5 });
    await inventory.get(key);
    proxy.script([dynamoError('AccessDeniedException')]);
    await expect(inventory.update(key, { set: { by: 'name' } })).resolves.toMatchObject({ by: 'name' });
    await proxy.close();
  });
});
