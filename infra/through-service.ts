import type { Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** The services that stand between a role and a key. */
export type Service = 'dynamodb' | 'secretsmanager' | 'sns' | 'sqs';

/** What a service does with a key on behalf of its caller. */
export const throughActions: readonly string[] = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:DescribeKey',
  'kms:CreateGrant',
];

/** For a key's policy: whoever may use what the key encrypts may use the key, and only through those services. No function holds a KMS right of its own. */
export function throughService(stack: Stack, ...services: readonly Service[]): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    principals: [new AnyPrincipal()],
    actions: [...throughActions],
    resources: ['*'],
    conditions: throughConditions(stack, services),
  });
}

/** Holds for a call that one of the services makes for a caller of this account. */
export function throughConditions({ account, region }: Stack, services: readonly Service[]) {
  const via = services.map((service) => `${service}.${region}.amazonaws.com`);
  return { StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': via.length === 1 ? via[0] : via } };
}
