import { dynamoInventory } from '../../adapters/aws/inventory.ts';
import { memoryInventory } from '../../adapters/memory/inventory.ts';
import { startDynamo } from '../../local/dynamodb.ts';
import { describeInventory } from './inventory.ts';

describeInventory('in memory', async () => ({ inventory: memoryInventory(), close: async () => {} }));

describeInventory('DynamoDB', async () => {
  const engine = await startDynamo({ table: 'rekey-contract' });
  const inventory = dynamoInventory({ client: engine.client, table: 'rekey-contract', callSeconds: 10 });
  return { inventory, close: engine.stop };
});
