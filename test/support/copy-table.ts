import {
  BatchWriteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Item } from '../../core/inventory.ts';
import { createTable } from '../../local/dynamodb-table.ts';

/** Every item of a table, in order of its keys: what a backup of this moment holds. */
export async function scan(config: DynamoDBClientConfig, table: string): Promise<Item[]> {
  const client = new DynamoDBClient(config);
  const items: Item[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const answer = await client.send(
      new ScanCommand({ TableName: table, ConsistentRead: true, ...(from ? { ExclusiveStartKey: from as never } : {}) }),
    );
    items.push(...(answer.Items ?? []).map((item) => unmarshall(item) as Item));
    from = answer.LastEvaluatedKey;
  } while (from);
  return items.sort((a, b) => (JSON.stringify([a.pk, a.sk]) < JSON.stringify([b.pk, b.sk]) ? -1 : 1));
}

/** A new table that begins with these items, as a restore makes one. Returns the id that the database gave it. */
export async function tableWith(config: DynamoDBClientConfig, table: string, items: readonly Item[]): Promise<string> {
  const client = new DynamoDBClient(config);
  await createTable(client, table);
  for (let i = 0; i < items.length; i += 25) {
    const puts = items.slice(i, i + 25).map((item) => ({ PutRequest: { Item: marshall(item) } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }));
  }
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  return Table?.TableId ?? '';
}
