import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoInventory } from '../../adapters/aws/inventory.ts';
import type { Item } from '../../core/inventory.ts';
import { slotOf } from '../../core/inventory.ts';
import { shardOf } from '../../core/items.ts';
import type { Ports } from '../../core/ports.ts';
import { sweep } from '../../core/sweep.ts';
import { startDynamo } from '../../local/dynamodb.ts';
import { adopted, testFacts, testPolicy, world } from '../support/world.ts';

/**
 * What a sweep costs in read request units, as the database counts them, when fifty keys are due among 1,000, 10,000 and 100,000. Every key is a
 * whole META item with its rows in the indexes. `npx node test/benchmarks/sweep.ts [sizes…]`. Ends with 1 when the cost grows with the inventory.
 */
const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1000, 10_000, 100_000];
const due = 50;
const table = 'rekey';

// One key as the product writes it; the others are copies of it under names and dates of their own.
const w = world({ reconciler: false, policy: testPolicy });
await adopted(w, testFacts({ mode: 'observe', consumers: [] }));
const model = w.inventory.items().find(({ sk }) => sk === 'META') as Item;
w.stop();

const now = Date.UTC(2026, 5, 1);
const { partitionKey, sortKey } = slotOf('due');
/** Made and asked about just now: nothing but the date calls for anything. */
const young = { currentMadeAt: new Date(now).toISOString(), reviewedAt: new Date(now).toISOString() };
const costs: number[] = [];
for (const size of sizes) {
  const dynamo = await startDynamo({ table });
  try {
    const inventory = dynamoInventory({ client: dynamo.client, table, callSeconds: 30 });
    for (let i = 0; i < size; i += 25)
      await inventory.write(Array.from({ length: Math.min(25, size - i) }, (_, j) => ({ do: 'put', item: keyItem(i + j, size) }) as const));
    const counted = { units: 0, calls: 0 };
    const client = { ...dynamo.client, requestHandler: counting(counted) };
    const ports: Ports = {
      ...w.ports,
      clock: { now: () => now },
      inventory: dynamoInventory({ client, table, callSeconds: 30 }),
    };
    const { looked } = await sweep(ports, { tier: 'medium' });
    if (looked !== due) throw new Error(`${looked} keys were looked at instead of ${due}`);
    costs.push(counted.units);
    console.log(`${due} due among ${size}: ${counted.units} request units in ${counted.calls} calls`);
  } finally {
    await dynamo.stop();
  }
}
if (Math.max(...costs) > Math.min(...costs) * 1.1) process.exitCode = 1;

/** Fifty are due since a second, all others are not for a year. They are observed only, so that it is the looking that is counted. */
function keyItem(i: number, size: number): Item {
  const id = `fleet/key-${i}`;
  const at = new Date(now + (i % Math.ceil(size / due) === 0 ? -1000 : 365 * 86_400_000)).toISOString();
  const facts = { ...(model['facts'] as object), id };
  return {
    ...model,
    ...young,
    pk: `KEY#${id}`,
    facts,
    nextDueAt: at,
    [partitionKey]: `due#${shardOf(id)}`,
    [sortKey]: `${at}#${id}`,
  } as Item;
}

/** Asks the database with each call what it cost, and adds that up. */
function counting(counted: { units: number; calls: number }) {
  const inner = new DynamoDBClient({}).config.requestHandler;
  return {
    async handle(request: Parameters<typeof inner.handle>[0], options: Parameters<typeof inner.handle>[1]) {
      const asked = JSON.stringify({ ...JSON.parse(String(request.body)), ReturnConsumedCapacity: 'TOTAL' });
      request.body = asked;
      request.headers['content-length'] = String(Buffer.byteLength(asked));
      const answer = await inner.handle(request, options);
      const body = await text(answer.response.body);
      const told = (JSON.parse(body) as { ConsumedCapacity?: { CapacityUnits: number } | { CapacityUnits: number }[] }).ConsumedCapacity;
      for (const { CapacityUnits } of [told ?? []].flat()) counted.units += CapacityUnits;
      counted.calls += 1;
      answer.response.body = Readable.from([Buffer.from(body)]);
      return answer;
    },
  };
}
