import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type TableDescription,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import { tableDefinition } from '../adapters/aws/table.ts';

const callMs = 10_000;
const usableMs = 30_000;

/**
 * Creates the inventory's table as `tableDefinition` says, or gives the one of that name the indexes that an earlier release did not make; then
 * waits until it can be used.
 */
export async function createTable(client: DynamoDBClient, table: string): Promise<void> {
  const known = await tableOf(client, table);
  if (known) await addIndexes(client, table, known);
  else {
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
  const { partitionKey, sortKey, indexes } = tableDefinition;
  const keySchema = (hash: string, range: string) => [
    { AttributeName: hash, KeyType: 'HASH' as const },
    { AttributeName: range, KeyType: 'RANGE' as const },
  ];
  const keyNames = [partitionKey, sortKey, ...indexes.flatMap((index) => [index.partitionKey, index.sortKey])];
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST' as const,
    AttributeDefinitions: keyNames.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
    KeySchema: keySchema(partitionKey, sortKey),
    GlobalSecondaryIndexes: indexes.map((index) => ({
      IndexName: index.name,
      KeySchema: keySchema(index.partitionKey, index.sortKey),
      Projection: { ProjectionType: 'KEYS_ONLY' as const },
    })),
  };
}

const isUsable = (table: TableDescription | undefined): boolean =>
  table?.TableStatus === 'ACTIVE' && (table.GlobalSecondaryIndexes ?? []).every(({ IndexStatus }) => IndexStatus === 'ACTIVE');

/** DynamoDB makes one index at a time. */
async function addIndexes(client: DynamoDBClient, table: string, known: TableDescription): Promise<void> {
  const input = createTableInput(table);
  const missing = input.GlobalSecondaryIndexes.filter(
    ({ IndexName }) => !known.GlobalSecondaryIndexes?.some((index) => index.IndexName === IndexName),
  );
  for (const Create of missing) {
    const names = Create.KeySchema.map(({ AttributeName }) => AttributeName);
    const AttributeDefinitions = input.AttributeDefinitions.filter(({ AttributeName }) => names.includes(AttributeName));
    const command = new UpdateTableCommand({ TableName: table, AttributeDefinitions, GlobalSecondaryIndexUpdates: [{ Create }] });
    await client.send(command, { abortSignal: AbortSignal.timeout(callMs) });
    for (let waited = 0; waited <= usableMs && !isUsable(await tableOf(client, table)); waited += 100) await sleep(100);
  }
}

async function tableOf(client: DynamoDBClient, table: string): Promise<TableDescription | undefined> {
  try {
    const answer = await client.send(new DescribeTableCommand({ TableName: table }), { abortSignal: AbortSignal.timeout(callMs) });
    return answer.Table;
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
