import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { tableDefinition } from '../adapters/aws/table.ts';

const callMs = 10_000;
const usableMs = 30_000;

/** Creates the inventory's table as `tableDefinition` says, unless there is one of that name, and waits until it can be used. */
export async function createTable(client: DynamoDBClient, table: string): Promise<void> {
  if (!(await statusOf(client, table))) {
    await client
      .send(new CreateTableCommand(createTableInput(table)), { abortSignal: AbortSignal.timeout(callMs) })
      .catch((error: Error) => {
        if (error.name !== 'ResourceInUseException') throw error;
      });
  }
  for (let waited = 0; (await statusOf(client, table)) !== 'ACTIVE'; waited += 100) {
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

async function statusOf(client: DynamoDBClient, table: string): Promise<string | undefined> {
  try {
    const answer = await client.send(new DescribeTableCommand({ TableName: table }), { abortSignal: AbortSignal.timeout(callMs) });
    return answer.Table?.TableStatus;
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
