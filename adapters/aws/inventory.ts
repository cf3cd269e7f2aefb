import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  DescribeTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { ConditionFailed, Refused } from '../../core/errors.ts';
import {
  type Hint,
  type Inventory,
  type Item,
  type ItemKey,
  shardCount,
  slotOf,
  type TableIdentity,
  type Write,
} from '../../core/inventory.ts';
import { shardOf } from '../../core/items.ts';
import { schemaKey } from '../../core/schema.ts';
import { call } from './dynamo-call.ts';
import { encodeItem, expression } from './expression.ts';
import { tableGuard } from './table-guard.ts';

interface DynamoOptions {
  /** Region, endpoint and credentials. Retries are this adapter's own, so the client is built here with the SDK's switched off. */
  readonly client: DynamoDBClientConfig;
  readonly table: string;
  /** The most one call takes, retries included. */
  readonly callSeconds: number;
}

/**
 * The inventory in one DynamoDB table. Reads are strongly consistent; every write is a transaction, because
 * only a transaction has a token by which a repeated request is recognised. Beyond the port's errors it throws Refused
 * E_INPUT_INVALID or E_TOO_LARGE for a write that DynamoDB can never make.
 */
export function dynamoInventory({ client: config, table, callSeconds }: DynamoOptions): Inventory {
  const client = new DynamoDBClient({ ...config, maxAttempts: 1 });
  const guard = tableGuard({
    read: () => get(schemaKey, Math.min(callSeconds, schemaSeconds)),
    describe: () => describe(client, table, callSeconds),
    make: (item) => make(client, table, item, callSeconds),
  });

  async function get(key: ItemKey, seconds = callSeconds): Promise<Item | undefined> {
    const answer = await call(seconds, 'repeat', (abortSignal) =>
      client.send(new GetItemCommand({ TableName: table, Key: keyOf(key), ConsistentRead: true }), { abortSignal }),
    );
    return answer.Item && decode(answer.Item);
  }

  return {
    get: (key) => guard.reading(get(key)),

    async list(pk, prefix = '') {
      const found = call(callSeconds, 'repeat', async (abortSignal) => {
        const items: Item[] = [];
        const pages = query(client, abortSignal, {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: prefix ? '#pk = :pk AND begins_with(#sk, :prefix)' : '#pk = :pk',
          ExpressionAttributeNames: { '#pk': 'pk', ...(prefix && { '#sk': 'sk' }) },
          ExpressionAttributeValues: { ':pk': { S: pk }, ...(prefix && { ':prefix': { S: prefix } }) },
        });
        for await (const page of pages) items.push(...page.map(decode));
        return items;
      });
      return await guard.reading(found);
    },

    async write(writes, permit) {
      const TransactItems = writes.map((write) => transactItem(table, write));
      await guard.writing(permit);
      let ClientRequestToken = randomUUID();
      await call(callSeconds, 'repeat', (abortSignal, mayHaveHappened) => {
        // The token stays once an attempt may have been applied, so that it is not applied again. Until then each attempt
        // gets a new one, because a cancelled transaction may be remembered under its token.
        if (!mayHaveHappened) ClientRequestToken = randomUUID();
        return client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken }), { abortSignal });
      });
    },

    async update(key, change, when, permit) {
      const command = { TableName: table, Key: keyOf(key), ReturnValues: 'ALL_NEW' as const, ...expression(when, change) };
      await guard.writing(permit);
      // An update has no token: applied twice, it would add twice, or find its own condition no longer true.
      const answer = await call(callSeconds, 'give up', (abortSignal) => client.send(new UpdateItemCommand(command), { abortSignal }));
      return decode(answer.Attributes ?? keyOf(key));
    },

    async *hints(index, upTo, behind) {
      const { name, partitionKey, sortKey } = slotOf(index);
      for (let shard = behind ? shardOf(behind.keyId) : 0; shard < shardCount; shard++) {
        // DynamoDB refuses a range that ends before it begins.
        const over = behind && upTo !== undefined && behind.at > upTo && shard === shardOf(behind.keyId);
        if (over) continue;
        const within = range(behind && shard === shardOf(behind.keyId) ? behind : undefined, upTo);
        let from: QueryCommandInput['ExclusiveStartKey'];
        do {
          const asked = call(callSeconds, 'repeat', (abortSignal) =>
            client.send(
              new QueryCommand({
                TableName: table,
                IndexName: name,
                KeyConditionExpression: `#p = :p${within.condition}`,
                ExpressionAttributeNames: { '#p': partitionKey, ...(within.condition && { '#s': sortKey }) },
                ExpressionAttributeValues: { ':p': { S: `${index}#${shard}` }, ...within.values },
                ExclusiveStartKey: from,
              }),
              { abortSignal },
            ),
          );
          const answer = await guard.reading(asked);
          for (const row of answer.Items ?? []) yield hintOf(row[sortKey]?.S ?? '');
          from = answer.LastEvaluatedKey;
        } while (from);
      }
    },

    table: guard.view,

    former: (name) => dynamoInventory({ client: config, table: name, callSeconds }),
  };
}

/**
 * The condition on an index's sort key. `$` follows `#`: every row of the instant itself, `<upTo>#<keyId>`, sorts before `<upTo>$`. The least text
 * behind a row's is the row's with a zero byte.
 */
function range(behind: Hint | undefined, upTo: string | undefined): { condition: string; values: Record<string, AttributeValue> } {
  const from = behind && { ':from': { S: `${behind.at}#${behind.keyId}\u0000` } };
  const end = upTo !== undefined && { ':end': { S: `${upTo}$` } };
  const condition = from && end ? ' AND #s BETWEEN :from AND :end' : from ? ' AND #s >= :from' : end ? ' AND #s < :end' : '';
  return { condition, values: { ...from, ...end } };
}

/** The most that learning a table's schema may add to a read; it is asked side by side. */
const schemaSeconds = 2;

/** The table's name and what AWS knows it by. Without the right to ask, the name alone. */
async function describe(client: DynamoDBClient, table: string, callSeconds: number): Promise<TableIdentity> {
  return await call(callSeconds, 'repeat', async (abortSignal) => {
    try {
      const answer = await client.send(new DescribeTableCommand({ TableName: table }), { abortSignal });
      return { name: table, id: answer.Table?.TableId ?? null };
    } catch (error) {
      if ((error as Error).name === 'AccessDeniedException') return { name: table, id: null };
      throw error;
    }
  });
}

/** Puts the schema item where there is none. */
async function make(client: DynamoDBClient, table: string, item: Item, callSeconds: number): Promise<void> {
  const command = { TableName: table, Item: encodeItem(item), ...expression([{ item: 'absent' }]) };
  await call(callSeconds, 'repeat', (abortSignal) => client.send(new PutItemCommand(command), { abortSignal })).catch((error: Error) => {
    if (!(error instanceof ConditionFailed)) throw error;
  });
}

async function* query(client: DynamoDBClient, abortSignal: AbortSignal, input: QueryCommandInput) {
  let from: QueryCommandInput['ExclusiveStartKey'];
  do {
    const answer = await client.send(new QueryCommand({ ...input, ExclusiveStartKey: from }), { abortSignal });
    yield answer.Items ?? [];
    from = answer.LastEvaluatedKey;
  } while (from);
}

function transactItem(TableName: string, write: Write): TransactWriteItem {
  switch (write.do) {
    case 'put':
      return { Put: { TableName, Item: encodeItem(write.item), ...expression(write.when) } };
    case 'update':
      return { Update: { TableName, Key: keyOf(write.key), UpdateExpression: '', ...expression(write.when, write.change) } };
    case 'check':
      if (!write.when.length) throw new Refused('E_INPUT_INVALID', 'the inventory cannot make this write: a check checks nothing');
      return { ConditionCheck: { TableName, Key: keyOf(write.key), ConditionExpression: '', ...expression(write.when) } };
    case 'delete':
      return { Delete: { TableName, Key: keyOf(write.key), ...expression(write.when) } };
  }
}

function keyOf({ pk, sk }: ItemKey): Record<'pk' | 'sk', AttributeValue> {
  return { pk: { S: pk }, sk: { S: sk } };
}

function decode(item: Record<string, AttributeValue>): Item {
  return unmarshall(item) as Item;
}

function hintOf(sortKey: string): { keyId: string; at: string } {
  const end = sortKey.indexOf('#');
  return { at: sortKey.slice(0, end), keyId: sortKey.slice(end + 1) };
}
