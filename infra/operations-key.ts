import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type PolicyStatementProps, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { throughService } from './through-service.ts';

/**
 * One key for everything that runs and tells, and holds no value and no fact of the inventory: topics, the dead-letter
 * queue, logs and executions. The inventory and the secrets have a key each.
 */
export function operationsKey(scope: Construct, stage: string): Key {
  const { account, region, partition } = Stack.of(scope);
  const key = new Key(scope, 'OperationsKey', {
    description: `Encrypts the topics, the dead letters, the logs and the executions of ${stage}-rekey`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const service = (principal: string, actions: string[], conditions: NonNullable<PolicyStatementProps['conditions']>) =>
    key.addToResourcePolicy(new PolicyStatement({ principals: [new ServicePrincipal(principal)], actions, resources: ['*'], conditions }));
  key.addToResourcePolicy(throughService(Stack.of(scope), 'sns', 'sqs'));
  service('cloudwatch.amazonaws.com', ['kms:Decrypt', 'kms:GenerateDataKey'], { StringEquals: { 'aws:SourceAccount': account } });
  // CloudWatch Logs names the group that it encrypts.
  service(
    `logs.${region}.amazonaws.com`,
    ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:GenerateDataKey', 'kms:DescribeKey'],
    { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` } },
  );
  // Step Functions encrypts what it hands to log delivery, which encrypts it again for the group.
  service('delivery.logs.amazonaws.com', ['kms:Decrypt'], { StringEquals: logDelivery(Stack.of(scope)) });
  return key;
}

/** The encryption context of log lines on their way to this account's groups. */
export function logDelivery({ account, region, partition }: Stack): Record<string, string> {
  return { 'kms:EncryptionContext:SourceArn': `arn:${partition}:logs:${region}:${account}:*` };
}
