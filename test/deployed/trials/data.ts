import { DeleteTableCommand, DynamoDBClient, GetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { Lab, Trial } from './lab.ts';

/** What is kept, and what keeps it. */
export const dataTrials = [
  {
    id: 'transactions',
    asks: 'a DynamoDB transaction is all or nothing',
    async run(lab: Lab) {
      const { Table: TableName = '' } = await lab.outputs;
      const dynamodb = new DynamoDBClient({ maxAttempts: 1 });
      const item = (pk: string) => ({ pk: { S: pk } });
      const TransactItems = [
        { Put: { TableName, Item: item('written') } },
        { ConditionCheck: { TableName, Key: item('absent'), ConditionExpression: 'attribute_exists(pk)' } },
      ];
      const refused = await dynamodb.send(new TransactWriteItemsCommand({ TransactItems })).then(
        () => 'nothing',
        (error: Error) => error.name,
      );
      if (refused !== 'TransactionCanceledException') throw new Error(`a transaction whose check fails was refused with ${refused}`);
      const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key: item('written'), ConsistentRead: true }));
      if (Item) throw new Error('one of two writes was done');
      return 'a failed check wrote nothing';
    },
  },
  {
    id: 'deletion-protection',
    asks: 'a protected table cannot be deleted',
    async run(lab: Lab) {
      const { Table: TableName } = await lab.outputs;
      try {
        await new DynamoDBClient({ maxAttempts: 1 }).send(new DeleteTableCommand({ TableName }));
      } catch (error) {
        return `refused with ${(error as Error).name}`;
      }
      throw new Error('it was deleted');
    },
  },
  {
    id: 'secret-labels',
    asks: 'a label moves only from the version that holds it',
    async run(lab: Lab) {
      const secrets = new SecretsManagerClient({ maxAttempts: 1 });
      const Name = `${lab.name}-labels`;
      const { VersionId: first } = await secrets.send(new CreateSecretCommand({ Name, SecretString: 'first' }));
      const { VersionId: second } = await secrets.send(new PutSecretValueCommand({ SecretId: Name, SecretString: 'second' }));
      try {
        const wrong = { SecretId: Name, VersionStage: 'AWSCURRENT', MoveToVersionId: second, RemoveFromVersionId: first };
        await secrets.send(new UpdateSecretVersionStageCommand(wrong));
      } catch (error) {
        return `refused with ${(error as Error).name}`;
      } finally {
        await secrets.send(new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true }));
      }
      throw new Error('it was moved from a version that did not hold it');
    },
  },
] as const satisfies readonly Trial[];
