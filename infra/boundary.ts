import { Stack } from 'aws-cdk-lib';
import { Effect, ManagedPolicy, PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { orphanPartition, outboxPartition } from '../core/items.ts';
import { steps } from '../workflows/steps.ts';
import { doors } from './doors.ts';
import { acknowledgeWildcards, type Grounds, statementsFor } from './rights.ts';
import { secretArn } from './secret-prefix.ts';
import { throughActions, throughConditions } from './through-service.ts';

export interface BoundaryProps {
  readonly name: (what: string) => string;
  readonly grounds: Grounds;
  readonly deadLettersArn: string;
  readonly operationsKeyArn: string;
}

/**
 * The permissions boundary of every role: all rows of the two tables together, and what the platform needs. It grants
 * nothing; no policy that is attached later gives a role more, and none lets it delete anything but what was sent or is gone.
 */
export function boundary(scope: Construct, { name, grounds, deadLettersArn, operationsKeyArn }: BoundaryProps): ManagedPolicy {
  const stack = Stack.of(scope);
  const { account, region, partition } = stack;
  const arn = (service: string, what: string) => `arn:${partition}:${service}:${region}:${account}:${what}`;
  const rights = new Set([...steps, ...doors].flatMap(({ may }) => may));
  const platform: PolicyStatementProps[] = [
    { actions: ['lambda:InvokeFunction'], resources: [arn('lambda', `function:${name('*')}`)] },
    { actions: ['sqs:SendMessage'], resources: [deadLettersArn] },
    { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [arn('logs', `log-group:/aws/lambda/${name('*')}`)] },
    { actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [operationsKeyArn] },
    {
      actions: [...throughActions],
      resources: ['*'],
      conditions: throughConditions(stack, ['dynamodb', 'secretsmanager', 'sns', 'sqs']),
    },
    // In one statement, because a boundary's length has a limit: the roles' own policies say which verb is for what.
    ...(grounds.apiGateway
      ? [
          {
            actions: ['apigateway:*'],
            resources: ['apikeys*', 'usageplans/*', 'tags/*'].map((path) => `arn:${partition}:apigateway:${region}::/${path}`),
          },
        ]
      : []),
    // The same: which function reads which of the small secrets, its own policy says.
    { actions: ['secretsmanager:GetSecretValue'], resources: [secretArn(stack, `${grounds.secrets.prefix}*`)] },
    { actions: [...withoutResource], resources: ['*'] },
    {
      effect: Effect.DENY,
      actions: ['dynamodb:DeleteItem'],
      resources: ['*'],
      conditions: { 'ForAnyValue:StringNotLike': { 'dynamodb:LeadingKeys': [outboxPartition('*'), orphanPartition('*')] } },
    },
  ];
  const others = [...rights].filter((right) => !['fingerprints.make', 'senders.read', 'channels.read'].includes(right));
  const statements = [...statementsFor(others, { ...grounds, apiGateway: false }, stack), ...platform];
  const policy = new ManagedPolicy(scope, 'Boundary', {
    managedPolicyName: name('boundary'),
    description: 'The most that any role of Rekey may do',
    statements: statements.map((statement) => new PolicyStatement(statement)),
  });
  acknowledgeWildcards(policy, statements, () => 'A boundary grants nothing; the policies within it name what they are about.');
  return policy;
}

/** Actions of tracing, and of Step Functions when it delivers logs, that know no resource. */
export const withoutResource: readonly string[] = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];
