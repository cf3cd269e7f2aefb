import type { Stack } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** The services that stand between a role and a key. */
type Service = 'dynamodb' | 'secretsmanager' | 'sns' | 'sqs';

const data = ['kms:Decrypt', 'kms:GenerateDataKey'];

/** What each service does with a key on behalf of its caller, as its own documentation says. */
const uses: Readonly<Record<Service, readonly string[]>> = {
  dynamodb: [...data, 'kms:Encrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:DescribeKey', 'kms:CreateGrant'],
  secretsmanager: data,
  sns: data,
  sqs: data,
};

/** Everything that any of them does. */
export const throughActions: readonly string[] = [...new Set(Object.values(uses).flat())].sort();

/**
 * For a key's policy: whoever may use what the key encrypts may use the key, and only through those services. No function holds a KMS
 * right of its own. `context`: and only for data that the service encrypts under a name like this.
 */
export function throughService(stack: Stack, services: readonly Service[], context: Readonly<Record<string, string>> = {}) {
  const like = Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]);
  return new PolicyStatement({
    effect: Effect.ALLOW,
    principals: [new AnyPrincipal()],
    actions: [...new Set(services.flatMap((service) => uses[service]))],
    resources: ['*'],
    conditions: { ...throughConditions(stack, services), ...(like.length ? { StringLike: Object.fromEntries(like) } : {}) },
  });
}

/** Holds for a call that one of the services makes for a caller of this account. */
export function throughConditions({ account, region }: Stack, services: readonly Service[]) {
  const via = services.map((service) => `${service}.${region}.amazonaws.com`);
  return { StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': via.length === 1 ? via[0] : via } };
}
