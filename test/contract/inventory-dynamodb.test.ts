import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoInventory } from '../../adapters/aws/inventory.ts';
import { type Inventory, type ItemKey, slotOf, type Write } from '../../core/inventory.ts';
import { type LocalDynamo, startDynamo } from '../../local/dynamodb.ts';
import { type Answer, cancelledTransaction, type DynamoProxy, dynamoError, startDynamoProxy } from '../support/aws/dynamodb.ts';

const table = 'rekey-faults';
let engine: LocalDynamo;
let proxy: DynamoProxy;
let inventory: Inventory;
/** The same table through a client that gives up after a second, for what never gets better. */
let hasty: Inventory;
let partition = 0;

beforeAll(async () => {
  engine = await startDynamo({ table });
  proxy = await startDynamoProxy(engine.endpoint);
  const client = { ...engine.client, endpoint: proxy.endpoint };
  inventory = dynamoInventory({ client, table, callSeconds: 10 });
  hasty = dynamoInventory({ client, table, callSeconds: 1 });
  // What the table is was learned before any of these tests begins.
  for (const one of [inventory, hasty]) await one.write([count(fresh())]);
});
afterAll(async () => {
  await proxy?.close();
  await engine?.stop();
});

const fresh = (): ItemKey => ({ pk: `KEY#${++partition}`, sk: 'META' });
const tokens = () => proxy.seen.map((request) => request.body.ClientRequestToken);
const count = (key: ItemKey): Write => ({ do: 'update', key, change: { add: { n: 1 } } });
const applied = (answer: Answer): Answer => ({ ...answer, applied: true }) as Answer;

const rejectedNow: readonly (readonly [string, Answer])[] = [
  ['throttled by its own limit', dynamoError('ThrottlingException')],
  ['above the provisioned throughput', dynamoError('ProvisionedThroughputExceededException')],
  ['above the account limit', dynamoError('RequestLimitExceeded')],
];

describe('a transaction', () => {
  const rows: readonly (readonly [string, Answer])[] = [
    ...rejectedNow,
    ['cancelled by a conflict', cancelledTransaction('TransactionConflict')],
    ['cancelled by throttling', cancelledTransaction('ThrottlingError')],
    ['cancelled by throughput', cancelledTransaction('ProvisionedThroughputExceeded')],
  ];
  it.each(rows)('%s is tried again and applied once, under a token of its own each time', async (_, answer) => {
    const key = fresh();
    proxy.script([answer, answer]);
    await inventory.write([count(key)]);
    expect(new Set(tokens()).size).toBe(3);
    expect(await inventory.get(key)).toEqual({ ...key, n: 1 });
  });

  const ambiguous: readonly (readonly [string, Answer])[] = [
    ['500', dynamoError('InternalServerError', 500)],
    ['503', dynamoError('ServiceUnavailable', 503)],
    ['no answer', { cut: true }],
    ['an answer that cannot be read', { status: 200, body: 'not an object' as never }],
    ['still in progress', dynamoError('TransactionInProgressException')],
  ];
  it.each(ambiguous)('answered with %s after it was applied is asked again under the same token and applied once', async (_, answer) => {
    const key = fresh();
    proxy.script([applied(answer)]);
    await inventory.write([count(key)]);
    expect(await inventory.get(key)).toEqual({ ...key, n: 1 });
  });

  it.each(ambiguous.slice(0, 3))('answered with %s before it was applied is applied by the next request', async (_, answer) => {
    const key = fresh();
    proxy.script([answer]);
    await inventory.write([{ do: 'put', item: { ...key, n: 1 }, when: [{ item: 'absent' }] }]);
    expect(tokens()).toHaveLength(2);
    expect(new Set(tokens()).size).toBe(1);
  });

  it('whose answer was lost succeeds although its own condition no longer holds', async () => {
    const key = fresh();
    proxy.script([applied({ cut: true })]);
    await inventory.write([{ do: 'put', item: { ...key, n: 1 }, when: [{ item: 'absent' }] }]);
    expect(await inventory.get(key)).toEqual({ ...key, n: 1 });
  });

  it('keeps its token after a lost answer even when a conflict follows', async () => {
    const key = fresh();
    proxy.script([applied({ cut: true }), cancelledTransaction('TransactionConflict')]);
    await inventory.write([count(key)]);
    expect(tokens()).toHaveLength(3);
    expect(new Set(tokens()).size).toBe(1);
    expect(await inventory.get(key)).toEqual({ ...key, n: 1 });
  });

  it('gets another token each time the port is called', async () => {
    const key = fresh();
    proxy.script([]);
    await inventory.write([count(key)]);
    await inventory.write([count(key)]);
    expect(new Set(tokens()).size).toBe(2);
    expect(await inventory.get(key)).toEqual({ ...key, n: 2 });
  });

  it('names the first condition that failed, and is not tried again', async () => {
    proxy.script([cancelledTransaction('None', 'ConditionalCheckFailed', 'TransactionConflict', 'ConditionalCheckFailed')]);
    await expect(inventory.write([count(fresh()), count(fresh()), count(fresh()), count(fresh())])).rejects.toMatchObject({
      name: 'ConditionFailed',
      index: 1,
    });
    expect(proxy.seen).toHaveLength(1);
  });

  it('with a conflict before the failed condition is tried again, because the conflict may hide an earlier failure', async () => {
    const [a, b] = [fresh(), fresh()];
    proxy.script([cancelledTransaction('TransactionConflict', 'ConditionalCheckFailed')]);
    const write = inventory.write([
      { do: 'check', key: a, when: [{ item: 'exists' }] },
      { do: 'check', key: b, when: [{ item: 'exists' }] },
    ]);
    await expect(write).rejects.toMatchObject({ name: 'ConditionFailed', index: 0 });
    expect(proxy.seen).toHaveLength(2);
  });
});

describe('an update', () => {
  it.each([...rejectedNow, ['in conflict with a transaction', dynamoError('TransactionConflictException')] as const])(
    '%s is tried again, because nothing was written',
    async (_, answer) => {
      const key = fresh();
      proxy.script([answer, answer]);
      expect(await inventory.update(key, { add: { fence: 1 } })).toEqual({ ...key, fence: 1 });
      expect(proxy.seen.map((request) => request.operation)).toEqual(['UpdateItem', 'UpdateItem', 'UpdateItem']);
    },
  );

  it.each([
    ['500', dynamoError('InternalServerError', 500)],
    ['503', dynamoError('ServiceUnavailable', 503)],
    ['no answer', { cut: true }],
  ] as readonly (readonly [string, Answer])[])(
    'answered with %s after it was applied is not sent again: the fence moved once',
    async (_, answer) => {
      const key = fresh();
      proxy.script([applied(answer)]);
      const update = inventory.update(key, { add: { fence: 1 }, set: { attempt: 'a1' } });
      await expect(update).rejects.toMatchObject({ name: 'InventoryUnavailable' });
      expect(proxy.seen).toHaveLength(1);
      expect(await inventory.get(key)).toEqual({ ...key, fence: 1, attempt: 'a1' });
    },
  );

  it('with a failed condition is not tried again', async () => {
    proxy.script([]);
    await expect(inventory.update(fresh(), { set: { a: 1 } }, [{ item: 'exists' }])).rejects.toMatchObject({
      name: 'ConditionFailed',
      index: 0,
    });
    expect(proxy.seen).toHaveLength(1);
  });
});

describe('a read', () => {
  it.each([
    ['throttling', dynamoError('ThrottlingException')],
    ['500', dynamoError('InternalServerError', 500)],
    ['no answer', { cut: true }],
  ] as readonly (readonly [string, Answer])[])('is repeated after %s', async (_, answer) => {
    const key = fresh();
    const { partitionKey, sortKey } = slotOf('keys');
    const row = { [partitionKey]: 'keys#3', [sortKey]: `2026-01-01T00:00:00.000Z#${key.pk}` };
    await inventory.write([{ do: 'put', item: { ...key, ...row } }]);
    proxy.script([answer]);
    expect(await inventory.get(key)).toMatchObject(key);
    proxy.script([answer]);
    expect(await inventory.list(key.pk)).toHaveLength(1);
    proxy.script([answer]);
    const found: string[] = [];
    for await (const hint of inventory.hints('keys')) found.push(hint.keyId);
    expect(found).toContain(key.pk);
  });

  it('asks the base table for a consistent answer', async () => {
    proxy.script([]);
    await inventory.get(fresh());
    await inventory.list('KEY#none');
    expect(proxy.seen.map((request) => request.body.ConsistentRead)).toEqual([true, true]);
  });
});

describe('a database that stays away', () => {
  const away: readonly (readonly [string, Answer])[] = [
    ['a lasting conflict', cancelledTransaction('TransactionConflict')],
    ['lasting throttling', dynamoError('ThrottlingException')],
    ['500 for ever', dynamoError('InternalServerError', 500)],
    ['silence', { silent: true }],
    ['missing rights', dynamoError('AccessDeniedException')],
    ['a missing table', dynamoError('ResourceNotFoundException')],
  ];
  it.each(away)('%s ends as InventoryUnavailable, and nothing of the answer is repeated', async (_, answer) => {
    proxy.script([], answer);
    const key = fresh();
    const calls = [hasty.write([count(key)]), hasty.update(key, { set: { a: 1 } }), hasty.get(key), hasty.list(key.pk)];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'InventoryUnavailable' } });
      expect(inspect((result as PromiseRejectedResult).reason, { depth: 5 })).not.toContain('MARKER');
    }
    // Asked past the proxy while it still stays away: a call that was given up may arrive late, and must not get through meanwhile.
    const direct = dynamoInventory({ client: engine.client, table, callSeconds: 5 });
    expect(await direct.get(key)).toBeUndefined();
    proxy.script([]);
  });

  it('a port on which nobody listens ends as InventoryUnavailable', async () => {
    const nobody = dynamoInventory({ client: { ...engine.client, endpoint: 'http://127.0.0.1:9' }, table, callSeconds: 1 });
    await expect(nobody.get(fresh())).rejects.toMatchObject({ name: 'InventoryUnavailable' });
  });

  it('a malformed write is refused at once, and nothing of the answer is repeated', async () => {
    proxy.script([dynamoError('ValidationException')]);
    const error = await inventory.write([count(fresh())]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'Refused', code: 'E_INPUT_INVALID' });
    expect(inspect(error, { depth: 5 })).not.toContain('MARKER');
    expect(proxy.seen).toHaveLength(1);
  });
});
