import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { Refused } from '../../core/errors.ts';
import { type Inventory, type Item, type ItemKey, shardCount, type Write } from '../../core/inventory.ts';
import { call } from './dynamo-call.ts';
import { encodeItem, expression } from './expression.ts';

interface DynamoOptions {
  /** Region, endpoint and credentials. Retries are this adapter's own, so the client is built here with the SDK's switched off. */
  readonly client: DynamoDBClientConfig;
  readonly table: string;
  /** The most one call takes, retries included. */
  readonly callSeconds: number;
}

/**
 * The inventory in one DynamoDB table (adapters/aws/table.ts). Reads are strongly consistent; every write is a transaction, because
 * only a transaction has a token by which a repeated request is recognised. Beyond the port's errors it throws Refused
 * E_INPUT_INVALID or E_TOO_LARGE for a write that DynamoDB can never make.
 */
export function dynamoInventory({ client: config, table, callSeconds }: DynamoOptions): Inventory {
  const client = new DynamoDBClient({ ...config, maxAttempts: 1 });

  return {
    async get(key) {
      const answer = await call(callSeconds, 'repeat', (abortSignal) =>
        client.send(new GetItemCommand({ TableName: table, Key: keyOf(key), ConsistentRead: true }), { abortSignal }),
      );
      return answer.Item && decode(answer.Item);
    },

    async list(pk, prefix = '') {
      return await call(callSeconds, 'repeat', async (abortSignal) => {
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
    },

    async write(writes) {
      const TransactItems = writes.map((write) => transactItem(table, write));
      let ClientRequestToken = randomUUID();
      await call(callSeconds, 'repeat', (abortSignal, mayHaveHappened) => {
        // The token stays once an attempt may have been applied, so that it is not applied again. Until then each attempt
        // gets a new one, because a cancelled transaction may be remembered under its token.
        if (!mayHaveHappened) ClientRequestToken = randomUUID();
        return client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken }), { abortSignal });
      });
    },

    async update(key, change, when) {
      const command = { TableName: table, Key: keyOf(key), ReturnValues: 'ALL_NEW' as const, ...expression(when, change) };
      // An update has no token: applied twice, it would add twice, or find its own condition no longer true.
      const answer = await call(callSeconds, 'give up', (abortSignal) => client.send(new UpdateItemCommand(command), { abortSignal }));
      return decode(answer.Attributes ?? keyOf(key));
    },

    async *hints(index, upTo) {
      for (let shard = 0; shard < shardCount; shard++) {
        let from: QueryCommandInput['ExclusiveStartKey'];
        do {
          const answer = await call(callSeconds, 'repeat', (abortSignal) =>
            client.send(
              new QueryCommand({
                TableName: table,
                IndexName: index,
                KeyConditionExpression: upTo === undefined ? '#p = :p' : '#p = :p AND #s < :end',
                ExpressionAttributeNames: { '#p': `${index}Pk`, ...(upTo !== undefined && { '#s': `${index}Sk` }) },
                // `$` follows `#`: every row of the instant itself, `<upTo>#<keyId>`, sorts before `<upTo>$`.
                ExpressionAttributeValues: { ':p': { S: `${index}#${shard}` }, ...(upTo !== undefined && { ':end': { S: `${upTo}$` } }) },
                ExclusiveStartKey: from,
              }),
              { abortSignal },
            ),
          );
          for (const row of answer.Items ?? []) yield hintOf(row[`${index}Sk`]?.S ?? '');
          from = answer.LastEvaluatedKey;
        } while (from);
      }
    },
  };
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
