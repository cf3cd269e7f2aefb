import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, DescribeTableCommand, type DynamoDBClient, type TableDescription } from '@aws-sdk/client-dynamodb';
import { keyNames, slots } from '../core/inventory.ts';

const callMs = 10_000;
const usableMs = 30_000;

/** Creates the inventory's table with all its slots, unless there is one of that name, and waits until it can be used. */
export async function createTable(client: DynamoDBClient, table: string): Promise<void> {
  if (!(await tableOf(client, table))) {
    await client
      .send(new CreateTableCommand(createTableInput(table)), { abortSignal: AbortSignal.timeout(callMs) })
      .catch((error: Error) => {
        if (error.name !== 'ResourceInUseException') throw error;
      });
  }
  for (let waited = 0; !isUsable(await tableOf(client, table)); waited += 100) {
    if (waited > usableMs) throw new Error(`the table ${table} did not become usable in ${usableMs} ms`);
    await sleep(100);
  }
}

function createTableInput(TableName: string) {
  const { partitionKey, sortKey } = keyNames;
  const keySchema = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' as const },
    { AttributeName: range, KeyType: 'RANGE' as const },
  ];
  const names = [partitionKey, sortKey, ...slots.flatMap((index) => [index.partitionKey, index.sortKey])];
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST' as const,
    AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
    KeySchema: keySchema(partitionKey, sortKey),
    GlobalSecondaryIndexes: slots.map((index) => ({
      IndexName: index.name,
      KeySchema: keySchema(index.partitionKey, index.sortKey),
      Projection: { ProjectionType: 'KEYS_ONLY' as const },
    })),
  };
}

const isUsable = (table: TableDescription | undefined): boolean =>
  table?.TableStatus === 'ACTIVE' && (table.GlobalSecondaryIndexes ?? []).every(({ IndexStatus }) => IndexStatus === 'ACTIVE');

async function tableOf(client: DynamoDBClient, table: string): Promise<TableDescription | undefined> {
  try {
    const answer = await client.send(new DescribeTableCommand({ TableName: table }), { abortSignal: AbortSignal.timeout(callMs) });
    return answer.Table;
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
