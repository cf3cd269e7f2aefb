import { DeleteLogGroupCommand, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DeleteTableCommand, UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { DeleteSecretCommand, paginateListSecrets } from '@aws-sdk/client-secrets-manager';
import { DeleteQueueCommand, paginateListQueues } from '@aws-sdk/client-sqs';
import { DeleteParametersCommand, paginateDescribeParameters } from '@aws-sdk/client-ssm';
import type { Clients } from './clients.ts';
import { removePrincipals } from './principals.ts';
import { kms } from './signed.ts';
import type { StackResource } from './stack.ts';

/** AWS waits at least this long before it deletes a KMS key. */
const keyDays = 7;

/**
 * Takes away what the stack retains when it is destroyed, and what the journeys made: everything named after the stage, and the KMS keys
 * among the stack's own resources. What is gone already is no failure; returns what could not be removed, one sentence each.
 */
export async function cleanUp(stage: string, made: readonly StackResource[], clients: Clients): Promise<string[]> {
  const { dynamodb, secrets, sqs, ssm, logs } = clients;
  const left: string[] = [];
  const remove = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      if (!/NotFound|NoSuch|NonExistent/.test((error as Error).name)) left.push(`${what} was not removed: ${(error as Error).message}`);
    }
  };
  const madeOf = (type: string) => made.filter((resource) => resource.type === type).map(({ id }) => id);

  for (const TableName of madeOf('AWS::DynamoDB::Table')) {
    await remove(`table ${TableName}`, async () => {
      await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
      await dynamodb.send(new DeleteTableCommand({ TableName }));
    });
  }
  for (const prefix of [`rekey/${stage}/`, `${stage}/`]) {
    const names: string[] = [];
    for await (const { SecretList = [] } of paginateListSecrets({ client: secrets }, { Filters: [{ Key: 'name', Values: [prefix] }] }))
      names.push(...SecretList.map(({ Name = '' }) => Name).filter((name) => name.startsWith(prefix)));
    for (const SecretId of names)
      await remove(`secret ${SecretId}`, () => secrets.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true })));
  }
  await remove('parameters', async () => {
    const Names: string[] = [];
    const ParameterFilters = [{ Key: 'Name', Option: 'BeginsWith', Values: [`/${stage}/`, `${stage}/`] }];
    for await (const { Parameters = [] } of paginateDescribeParameters({ client: ssm }, { ParameterFilters }))
      Names.push(...Parameters.map(({ Name = '' }) => Name));
    for (let from = 0; from < Names.length; from += 10)
      await ssm.send(new DeleteParametersCommand({ Names: Names.slice(from, from + 10) }));
  });
  const groups = new Set(madeOf('AWS::Logs::LogGroup'));
  for (const logGroupNamePrefix of [`/aws/lambda/${stage}-`, `/aws/vendedlogs/states/${stage}-`]) {
    const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix }));
    for (const { logGroupName = '' } of logGroups) groups.add(logGroupName);
  }
  for (const logGroupName of groups)
    await remove(`log group ${logGroupName}`, () => logs.send(new DeleteLogGroupCommand({ logGroupName })));
  const queues: string[] = [];
  for await (const { QueueUrls = [] } of paginateListQueues({ client: sqs }, { QueueNamePrefix: `${stage}-`, MaxResults: 100 }))
    queues.push(...QueueUrls);
  for (const QueueUrl of queues) await remove(`queue ${QueueUrl}`, () => sqs.send(new DeleteQueueCommand({ QueueUrl })));
  await remove('users', () => removePrincipals(stage));
  // Last: what they encrypt is gone.
  for (const KeyId of madeOf('AWS::KMS::Key'))
    await remove(`KMS key ${KeyId}`, () => kms('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: keyDays }));
  return left;
}
