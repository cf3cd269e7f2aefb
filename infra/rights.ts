import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, type PolicyStatementProps, type Role } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { orphanPartition, outboxPartition } from '../core/items.ts';
import type { WorkflowName } from '../core/ports.ts';
import type { DoorRight } from './doors.ts';
import type { InventoryTable } from './inventory-table.ts';
import { type SecretPrefix, secretArn } from './secret-prefix.ts';
import type { Topics } from './topic.ts';

/** Everything that a right can be about. */
export interface Grounds {
  readonly stage: string;
  readonly inventory: InventoryTable;
  readonly secrets: SecretPrefix;
  readonly topics: Topics;
  /** Keys of API Gateway are kept too. */
  readonly apiGateway: boolean;
  readonly workflows: Readonly<Record<WorkflowName, string>>;
  /** Names, which may end in `*`, of the secrets and parameters that keys may be delivered to. */
  readonly delivers: { readonly secrets: readonly string[]; readonly parameters: readonly string[] };
}

/**
 * Gives a function's role the inventory and the rights of its row, and nothing else. A wildcard that is left stands for
 * names that only exist at run time; it is acknowledged here, next to what bounds it.
 */
export function grant(role: Role, rights: readonly DoorRight[], grounds: Grounds): void {
  const statements = statementsFor(rights, grounds, Stack.of(role));
  for (const statement of statements) role.addToPolicy(new PolicyStatement(statement));
  acknowledgeWildcards(role, statements, (resource) => reasonFor(resource) ?? '');
}

/** Writes beside each wildcard why it is there: cdk-nag asks for it resource by resource. */
export function acknowledgeWildcards(
  at: IConstruct,
  statements: readonly PolicyStatementProps[],
  reason: (resource: string) => string,
): void {
  const resources = new Set(statements.flatMap((statement) => statement.resources ?? []).filter((resource) => resource.endsWith('*')));
  for (const resource of resources) {
    const id = `AwsSolutions-IAM5[Resource::${shown(resource, Stack.of(at))}]`;
    Validations.of(at).acknowledge({ id, reason: reason(resource) });
  }
}

/** What a row's words mean: the statements of its role, apart from those that every function needs to log and to be traced. */
export function statementsFor(rights: readonly DoorRight[], grounds: Grounds, stack: Stack): Statement[] {
  const withInventory = rights.some((right) => right !== 'channels.read') ? [inventory(grounds)] : [];
  return [...withInventory, ...rights.flatMap((right) => rightToStatements[right](grounds, stack))];
}

/** Why a permission may end in a wildcard, or undefined when nobody has written a reason. */
export function reasonFor(resource: string): string | undefined {
  return reasons.find(([part]) => resource.includes(part))?.[1] ?? (resource === '*' ? anyTrace.reason : undefined);
}

/** Traces, and logs of a workflow, are delivered by actions that know no resource. */
export const anyTrace = {
  id: 'AwsSolutions-IAM5[Resource::*]',
  reason: 'X-Ray and log delivery know no resource for these actions; every other statement names what it is about.',
};

type Statement = PolicyStatementProps;

const rightToStatements: Record<DoorRight, (grounds: Grounds, stack: Stack) => Statement[]> = {
  'hints.read': ({ inventory }) => [{ actions: ['dynamodb:Query'], resources: [...inventory.indexArns] }],
  // Only after a restore is there another table to read.
  'former.read': ({ inventory: { formerArns } }) =>
    formerArns.length > 0 ? [{ actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [...formerArns] }] : [],
  // What had ended and lives after all is ended while a restored table is compared, in the operator's own request; at no other time.
  'restored.end': (grounds, stack) =>
    grounds.inventory.formerArns.length > 0
      ? [...rightToStatements['provider.disable'](grounds, stack), ...rightToStatements['executions.revoke'](grounds, stack)]
      : [],
  'fingerprints.make': ({ secrets }) => [{ actions: ['secretsmanager:GetSecretValue'], resources: [secrets.pepperArn] }],
  'senders.read': ({ secrets }) => [{ actions: ['secretsmanager:GetSecretValue'], resources: secrets.arns('senders') }],
  'channels.read': ({ secrets }) => [{ actions: ['secretsmanager:GetSecretValue'], resources: secrets.arns('channels') }],
  'secrets.read': ({ secrets }) => [
    { actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], resources: secrets.arns('keys') },
  ],
  'secrets.write': ({ secrets }) => [
    {
      actions: ['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue', 'secretsmanager:DescribeSecret'],
      resources: secrets.arns('keys'),
    },
  ],
  'secrets.label': ({ secrets }) => [
    { actions: ['secretsmanager:DescribeSecret', 'secretsmanager:UpdateSecretVersionStage'], resources: secrets.arns('keys') },
  ],
  'provider.list': (grounds, stack) => [
    ...provider(grounds, stack, ['iam:ListAccessKeys', 'iam:GetAccessKeyLastUsed']),
    ...apiGateway(grounds, stack, 'GET', ['/apikeys', '/usageplans/*']),
  ],
  'provider.create': (grounds, stack) => [
    ...provider(grounds, stack, ['iam:CreateAccessKey']),
    ...apiGateway(grounds, stack, 'POST', ['/apikeys', '/usageplans/*/keys']),
    ...apiGateway(grounds, stack, 'PUT', [tagsOfApiKeys(stack)], 'aws:RequestTag/rekey'),
  ],
  // With these permissions AWS also lets a key be made active again; the provider port has no such verb.
  'provider.disable': (grounds, stack) => [
    ...provider(grounds, stack, ['iam:UpdateAccessKey']),
    ...apiGateway(grounds, stack, 'PATCH', ['/apikeys/*'], 'aws:ResourceTag/rekey'),
  ],
  // IAM cannot say what such a policy may hold; only Disable and Validate have this right, and only on users that carry our tag.
  'provider.endSessions': (grounds, stack) => provider(grounds, stack, ['iam:PutUserPolicy']),
  'provider.delete': (grounds, stack) => [
    ...provider(grounds, stack, ['iam:DeleteAccessKey']),
    ...apiGateway(grounds, stack, 'DELETE', ['/apikeys/*'], 'aws:ResourceTag/rekey'),
  ],
  'destinations.read': (grounds, stack) => delivered(grounds, stack, ['secretsmanager:GetSecretValue'], ['ssm:GetParameter']),
  'destinations.write': (grounds, stack) =>
    delivered(
      grounds,
      stack,
      ['secretsmanager:DescribeSecret', 'secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
      ['ssm:PutParameter'],
    ),
  'notices.publish': ({ topics, inventory }) => [
    { actions: ['sns:Publish'], resources: [topics.notices, topics.emergencies, topics.pages].map(({ topicArn }) => topicArn) },
    forget(inventory, outboxPartition('*')),
  ],
  'orphans.forget': ({ inventory }) => [forget(inventory, orphanPartition('*'))],
  'executions.rotate': ({ workflows }) => [{ actions: ['states:StartExecution'], resources: [workflows.rotate] }],
  'executions.revoke': ({ workflows }) => [{ actions: ['states:StartExecution'], resources: [workflows.revoke] }],
  'executions.look': ({ workflows }) => [
    {
      actions: ['states:DescribeExecution'],
      resources: Object.values(workflows).map((arn) => `${arn.replace(':stateMachine:', ':execution:')}:*`),
    },
  ],
  'executions.answer': ({ workflows }) => [
    { actions: ['states:SendTaskSuccess', 'states:SendTaskFailure'], resources: [workflows.rotate] },
  ],
};

/** A transaction is allowed by the rights to the writes in it. */
function inventory({ inventory: { arn } }: Grounds): Statement {
  const actions = ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'ConditionCheckItem', 'DescribeTable'].map(
    (action) => `dynamodb:${action}`,
  );
  return { actions, resources: [arn] };
}

/** Deletes in one kind of partition: nobody may delete a version, an audit line, or a fingerprint. */
function forget({ arn }: InventoryTable, partitions: string): Statement {
  return {
    actions: ['dynamodb:DeleteItem'],
    resources: [arn],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [partitions] } },
  };
}

/** Admin credentials for every provider; for AWS itself the role's own right, on users that carry our tag and no others. */
function provider({ stage, secrets }: Grounds, stack: Stack, actions: string[]): Statement[] {
  return [
    { actions: ['secretsmanager:GetSecretValue'], resources: secrets.arns('admins') },
    {
      actions,
      resources: [`arn:${stack.partition}:iam::${stack.account}:user/*`],
      conditions: { StringEquals: { 'aws:ResourceTag/rekey': stage } },
    },
  ];
}

/** The verbs of API Gateway's own resources, where its keys are kept; changes only on keys that carry our tag. */
function apiGateway(grounds: Grounds, stack: Stack, verb: string, paths: string[], tagged?: string): Statement[] {
  if (!grounds.apiGateway) return [];
  const resources = paths.map((path) => `arn:${stack.partition}:apigateway:${stack.region}::${path}`);
  const bound = tagged === undefined ? {} : { conditions: { StringEquals: { [tagged]: grounds.stage } } };
  return [{ actions: [`apigateway:${verb}`], resources, ...bound }];
}

/** A key is made with its tag by a right on the tags of a key, whose ARN stands in there URL-encoded. */
const tagsOfApiKeys = ({ partition, region }: Stack): string => `/tags/arn%3A${partition}%3Aapigateway%3A${region}%3A%3A%2Fapikeys%2F*`;

function delivered({ delivers }: Grounds, stack: Stack, onSecrets: string[], onParameters: string[]): Statement[] {
  const parameter = (name: string) => `arn:${stack.partition}:ssm:${stack.region}:${stack.account}:parameter/${name.replace(/^\//, '')}`;
  return [
    { actions: onSecrets, resources: delivers.secrets.map((name) => secretArn(stack, name)) },
    { actions: onParameters, resources: delivers.parameters.map(parameter) },
  ];
}

/** The resource as cdk-nag writes it: a reference is its name in angle brackets. */
function shown(resource: string, stack: Stack): string {
  const resolved = stack.resolve(resource) as string | { 'Fn::Join': [string, (string | { Ref: string })[]] };
  if (typeof resolved === 'string') return resolved;
  return resolved['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : `<${part.Ref}>`)).join('');
}

/** Each reason beside the part of an ARN that it is about. */
const reasons: readonly (readonly [part: string, reason: string])[] = [
  [':execute-api:', 'All requests of an action, which is what the authority of the policy is about; each is a route of its own.'],
  [':execution:', 'Executions are named after operations, which do not exist yet; the workflow is fixed.'],
  [':user/', 'The users whose keys are rotated are named in the inventory; only users tagged for this stage match.'],
  ['::/apikeys/', 'Keys of API Gateway get their ids when they are made; only those tagged for this stage match.'],
  ['::/usageplans/', 'Usage plans are named in the files of keys; a key can be looked for in a plan and added to it, and nothing else.'],
  ['::/tags/', 'Keys of API Gateway are made with the tag of this stage; no other tag can be given, and to nothing else.'],
  [':parameter/', 'Parameters that keys are delivered to, within the names that the installation allows.'],
  [':secret:', 'Secrets are created with the keys, and Secrets Manager adds characters to each name; the prefix is fixed.'],
];
