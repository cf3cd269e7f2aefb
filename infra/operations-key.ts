import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type PolicyStatementProps, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { throughService } from './through-service.ts';
import { fromAlarms } from './topic.ts';

/**
 * One key for everything that runs and tells, and holds no value and no fact of the inventory: topics, the dead-letter
 * queue, logs and executions. The inventory and the secrets have a key each.
 */
export function operationsKey(scope: Construct, name: (what: string) => string): Key {
  const stack = Stack.of(scope);
  const { account, region, partition } = stack;
  const key = new Key(scope, 'OperationsKey', {
    description: `Encrypts the topics, the dead letters, the logs and the executions of ${name('*')}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const service = (principal: string, actions: string[], conditions: NonNullable<PolicyStatementProps['conditions']>) =>
    key.addToResourcePolicy(new PolicyStatement({ principals: [new ServicePrincipal(principal)], actions, resources: ['*'], conditions }));
  key.addToResourcePolicy(throughService(stack, ['sns', 'sqs']));
  // An alarm's page is encrypted by CloudWatch itself, not by SNS on its behalf.
  service('cloudwatch.amazonaws.com', ['kms:Decrypt', 'kms:GenerateDataKey'], fromAlarms(stack, name));
  // So are events that could not be delivered; EventBridge names no source to KMS, but the queue is named.
  const queue = `arn:${partition}:sqs:${region}:${account}:${name('undelivered')}`;
  service('events.amazonaws.com', ['kms:Decrypt', 'kms:GenerateDataKey'], { StringEquals: { 'kms:EncryptionContext:aws:sqs:arn': queue } });
  // And pages that could not be delivered to the function of the channels.
  service('sns.amazonaws.com', ['kms:Decrypt', 'kms:GenerateDataKey'], { StringEquals: { 'kms:EncryptionContext:aws:sqs:arn': queue } });
  // CloudWatch Logs names the group that it encrypts.
  const groups = ['/aws/lambda', '/aws/vendedlogs/*'].map(
    (at) => `arn:${partition}:logs:${region}:${account}:log-group:${at}/${name('*')}`,
  );
  service(
    `logs.${region}.amazonaws.com`,
    ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:GenerateDataKey', 'kms:DescribeKey'],
    { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': groups } },
  );
  // Step Functions encrypts what it hands to log delivery, which encrypts it again for the group.
  service('delivery.logs.amazonaws.com', ['kms:Decrypt'], { StringEquals: logDelivery(stack) });
  return key;
}

/** The encryption context of log lines on their way to this account's groups. */
export function logDelivery({ account, region, partition }: Stack): Record<string, string> {
  return { 'kms:EncryptionContext:SourceArn': `arn:${partition}:logs:${region}:${account}:*` };
}
