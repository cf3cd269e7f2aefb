import { Aspects, CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import type { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { IConstruct } from 'constructs';
import { bundledSpecs, loadSpecs } from '../../adapters/providers/registry.ts';
import type { Installation } from '../../functions/installation.ts';
import type { RekeyStack } from '../../infra/stack.ts';

/** What somebody could do to the stack by mistake, and the rule that fails the synthesis for it. */
export interface Mistake {
  readonly mistake: string;
  readonly rule: string;
  readonly installation?: (sound: Installation) => Installation;
  readonly make?: (stack: RekeyStack) => void;
}

/** The first resource of a type whose place in the stack contains a text. */
function part(stack: RekeyStack, type: string, place = ''): CfnResource {
  const found = stack.node
    .findAll()
    .find((node) => CfnResource.isCfnResource(node) && node.cfnResourceType === type && node.node.path.includes(place));
  if (!found) throw new Error(`no ${type} at ${place}`);
  return found as CfnResource;
}

const set =
  (type: string, path: string, value: unknown, place = '') =>
  (stack: RekeyStack) =>
    part(stack, type, place).addPropertyOverride(path, value);

const unset =
  (type: string, path: string, place = '') =>
  (stack: RekeyStack) =>
    part(stack, type, place).addPropertyDeletionOverride(path);

/** Another workflow file. */
const state =
  (name: string, change: (state: Record<string, unknown>) => void, workflow = 'rotate') =>
  (stack: RekeyStack) => {
    const machine = part(stack, 'AWS::StepFunctions::StateMachine', workflow) as CfnStateMachine;
    const definition = JSON.parse(String(machine.definitionString)) as { States: Record<string, Record<string, unknown>> };
    change(definition.States[name] as Record<string, unknown>);
    machine.definitionString = JSON.stringify(definition);
  };

const statement = (more: object) => ({
  Effect: 'Allow',
  Action: ['dynamodb:GetItem'],
  Resource: ['arn:aws:dynamodb:*:*:table/x'],
  ...more,
});
const policyOf = (step: string) => `Step-${step}/Role/DefaultPolicy`;

const anyWorkflow = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } }, ArnLike: { 'aws:SourceArn': '*' } };
const manyNames = Array.from({ length: 60 }, (_, index) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:team-${index}/*`);

/** At least one for each rule. */
export const mistakes: readonly Mistake[] = [
  {
    mistake: 'an Express workflow',
    rule: 'workflow-not-standard',
    make: set('AWS::StepFunctions::StateMachine', 'StateMachineType', 'EXPRESS'),
  },
  {
    mistake: 'execution data in the log of a workflow',
    rule: 'workflow-logs-data',
    make: set('AWS::StepFunctions::StateMachine', 'LoggingConfiguration.IncludeExecutionData', true),
  },
  { mistake: 'a task without a time-out', rule: 'task-without-time-out', make: state('Issue', (one) => delete one['TimeoutSeconds']) },
  {
    mistake: 'a task that is given up while its function runs',
    rule: 'task-time-out',
    make: state('Issue', (one) => Object.assign(one, { TimeoutSeconds: 60 })),
  },
  { mistake: 'a task without a retry', rule: 'task-without-retry', make: state('Verify', (one) => delete one['Retry']) },
  {
    mistake: 'a task that retries anything',
    rule: 'task-retries-anything',
    make: state('Retire', (one) => Object.assign(one, { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 3 }] })),
  },
  { mistake: 'a task without a catch', rule: 'task-without-catch', make: state('Disable', (one) => delete one['Catch'], 'revoke') },
  {
    mistake: 'a task that does not say what is true after it',
    rule: 'task-without-comment',
    make: state('Notify', (one) => delete one['Comment'], 'revoke'),
  },
  {
    mistake: 'a task that calls the function of another step',
    rule: 'task-unknown',
    make: (stack) => {
      const machine = part(stack, 'AWS::StepFunctions::StateMachine', 'rotate') as CfnStateMachine;
      machine.definitionString = String(machine.definitionString).replace('VerifyFunctionArn', 'RetireFunctionArn');
    },
  },
  {
    mistake: 'a step whose function may run longer than the quiesce knows',
    rule: 'function-time-out',
    make: set('AWS::Lambda::Function', 'Timeout', 300, 'Step-Issue'),
  },
  {
    mistake: 'settings in which a step cannot make its calls in time',
    rule: 'settings-contradict',
    installation: (sound) => ({ ...sound, settings: { ...sound.settings, callSeconds: 50 } }),
  },
  {
    mistake: 'a period shorter than overlap, soak and in-flight bound',
    rule: 'overlap-against-period',
    installation: (sound) => ({
      ...sound,
      policy: { ...sound.policy, tiers: { ...sound.policy.tiers, high: { ...sound.policy.tiers.high, rotateEverySeconds: 86_400 } } },
    }),
  },
  {
    mistake: 'a schedule every ninety seconds',
    rule: 'schedule-in-minutes',
    installation: (sound) => ({ ...sound, settings: { ...sound.settings, reconcileSeconds: 90 } }),
  },
  {
    mistake: 'a schedule in local time',
    rule: 'schedule-not-utc',
    make: set('AWS::Scheduler::Schedule', 'ScheduleExpressionTimezone', 'Europe/Rome'),
  },
  {
    mistake: 'a schedule without a dead-letter queue',
    rule: 'no-dead-letter-queue',
    make: unset('AWS::Scheduler::Schedule', 'Target.DeadLetterConfig'),
  },
  {
    mistake: 'an asynchronous function without a place for what failed',
    rule: 'no-dead-letter-queue',
    make: unset('AWS::Lambda::EventInvokeConfig', 'DestinationConfig'),
  },
  {
    mistake: 'a subscription without a dead-letter queue',
    rule: 'no-dead-letter-queue',
    make: (stack) => {
      new CfnResource(stack, 'Mistake', {
        type: 'AWS::SNS::Subscription',
        properties: { Protocol: 'https', Endpoint: 'https://example.test' },
      });
    },
  },
  {
    mistake: 'a function without a right of its row',
    rule: 'right-missing',
    make: set('AWS::IAM::Policy', 'PolicyDocument.Statement', [statement({})], policyOf('Notify')),
  },
  {
    mistake: 'a function with the right of another row',
    rule: 'right-beyond-table',
    make: set(
      'AWS::IAM::Policy',
      'PolicyDocument.Statement.0',
      statement({ Action: ['iam:CreateAccessKey'], Resource: ['arn:aws:iam::111122223333:user/ada'] }),
      policyOf('Disable'),
    ),
  },
  {
    mistake: 'a wildcard action',
    rule: 'wildcard-action',
    make: set('AWS::IAM::Policy', 'PolicyDocument.Statement.0', statement({ Action: ['dynamodb:*'] }), policyOf('Issue')),
  },
  {
    mistake: 'a wildcard resource that nobody gave a reason for',
    rule: 'wildcard-resource',
    make: set('AWS::IAM::Policy', 'PolicyDocument.Statement.0', statement({ Resource: ['*'] }), policyOf('Issue')),
  },
  {
    mistake: 'a role without the boundary',
    rule: 'role-without-boundary',
    make: (stack) => {
      const role = part(stack, 'AWS::IAM::Role', 'Step-Issue');
      // The boundary is put on by an aspect; this one comes after it.
      const visit = (node: IConstruct) => node === role && role.addPropertyDeletionOverride('PermissionsBoundary');
      Aspects.of(stack).add({ visit }, { priority: 1000 });
    },
  },
  {
    mistake: 'a role that a service may take for any account',
    rule: 'caller-not-checked',
    make: unset('AWS::IAM::Role', 'AssumeRolePolicyDocument.Statement.0.Condition', 'Schedules'),
  },
  { mistake: 'a function that any API may invoke', rule: 'caller-not-checked', make: unset('AWS::Lambda::Permission', 'SourceArn') },
  {
    mistake: 'a function that another account’s API may invoke',
    rule: 'caller-not-checked',
    make: unset('AWS::Lambda::Permission', 'SourceAccount'),
  },
  {
    mistake: 'a topic that any account’s alarms may write to',
    rule: 'caller-not-checked',
    make: (stack) => {
      new CfnResource(stack, 'Mistake', {
        type: 'AWS::SNS::TopicPolicy',
        properties: {
          Topics: ['x'],
          PolicyDocument: { Statement: [statement({ Principal: { Service: 'cloudwatch.amazonaws.com' }, Action: ['sns:Publish'] })] },
        },
      });
    },
  },
  {
    mistake: 'a key that is used past the service which it is for',
    rule: 'caller-not-checked',
    make: unset('AWS::KMS::Key', 'KeyPolicy.Statement.1.Condition.StringEquals.kms:ViaService', 'Secrets'),
  },
  {
    mistake: 'a key that another account’s logs may use',
    rule: 'caller-not-checked',
    make: set(
      'AWS::KMS::Key',
      'KeyPolicy.Statement.3.Condition',
      { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': '*' } },
      'OperationsKey',
    ),
  },
  {
    mistake: 'a role that any workflow may take',
    rule: 'caller-not-checked',
    make: set('AWS::IAM::Role', 'AssumeRolePolicyDocument.Statement.0.Condition', anyWorkflow, 'Workflow-rotate'),
  },
  {
    mistake: 'a topic that refuses the pages of the alarms',
    rule: 'sender-refused',
    make: set('AWS::SNS::TopicPolicy', 'PolicyDocument.Statement', [statement({ Effect: 'Deny', Principal: '*' })], 'Pages'),
  },
  {
    mistake: 'a topic that takes the pages of other alarms only',
    rule: 'sender-refused',
    make: set('AWS::SNS::TopicPolicy', 'PolicyDocument.Statement.1.Condition.ArnLike', { 'aws:SourceArn': 'arn:aws:x' }, 'Pages'),
  },
  {
    mistake: 'a key that encrypts no page',
    rule: 'sender-refused',
    make: set('AWS::KMS::Key', 'KeyPolicy.Statement.2.Principal', { Service: 'x.amazonaws.com' }, 'OperationsKey'),
  },
  { mistake: 'an alarm that wakes nobody', rule: 'alarm-without-page', make: set('AWS::CloudWatch::Alarm', 'AlarmActions', []) },
  { mistake: 'a schedule that is switched off', rule: 'schedule-off', make: set('AWS::Scheduler::Schedule', 'State', 'DISABLED') },
  { mistake: 'a table that takes plain HTTP', rule: 'not-tls-only', make: unset('AWS::DynamoDB::Table', 'ResourcePolicy') },
  {
    mistake: 'more names to deliver to than a policy can hold',
    rule: 'policy-too-long',
    make: set('AWS::IAM::ManagedPolicy', 'PolicyDocument.Statement.0.Resource', manyNames, 'Boundary'),
  },
  {
    mistake: 'a route that asks for no signature',
    rule: 'door-without-signature',
    make: set('AWS::ApiGatewayV2::Route', 'AuthorizationType', 'NONE'),
  },
  {
    mistake: 'a function URL that anybody may call',
    rule: 'door-without-signature',
    make: (stack) => {
      new CfnResource(stack, 'Mistake', { type: 'AWS::Lambda::Url', properties: { AuthType: 'NONE', TargetFunctionArn: 'arn' } });
    },
  },
  {
    mistake: 'a table that is deleted with the stack',
    rule: 'not-retained',
    make: (stack) => part(stack, 'AWS::DynamoDB::Table').applyRemovalPolicy(RemovalPolicy.DESTROY),
  },
  {
    mistake: 'a table that cannot be restored',
    rule: 'table-not-restorable',
    make: set('AWS::DynamoDB::Table', 'PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled', false),
  },
  {
    mistake: 'a table that anybody may delete',
    rule: 'table-deletable',
    make: set('AWS::DynamoDB::Table', 'DeletionProtectionEnabled', false),
  },
  {
    mistake: 'tombstones with a time to live',
    rule: 'table-forgets',
    make: set('AWS::DynamoDB::Table', 'TimeToLiveSpecification', { AttributeName: 'ttl', Enabled: true }),
  },
  { mistake: 'a secret under AWS’s own key', rule: 'not-encrypted', make: unset('AWS::SecretsManager::Secret', 'KmsKeyId') },
  {
    mistake: 'a queue that takes plain HTTP',
    rule: 'not-tls-only',
    make: set('AWS::SQS::QueuePolicy', 'PolicyDocument.Statement', [statement({ Principal: { AWS: 'arn:aws:iam::111122223333:root' } })]),
  },
  { mistake: 'a log that is kept for ever', rule: 'log-kept-for-ever', make: unset('AWS::Logs::LogGroup', 'RetentionInDays') },
  {
    mistake: 'production without termination protection',
    rule: 'stage-not-protected',
    installation: (sound) => ({ ...sound, settings: { ...sound.settings, stage: 'prod' } }),
  },
  { mistake: 'a function without traces', rule: 'not-traced', make: unset('AWS::Lambda::Function', 'TracingConfig') },
  {
    mistake: 'answers in the traces',
    rule: 'answers-captured',
    make: set('AWS::Lambda::Function', 'Environment.Variables.POWERTOOLS_TRACER_CAPTURE_RESPONSE', 'true'),
  },
  {
    mistake: 'a value in a variable',
    rule: 'value-in-environment',
    make: set('AWS::Lambda::Function', 'Environment.Variables.REKEY_TABLE', '{{resolve:secretsmanager:rekey/test/pepper}}'),
  },
  {
    mistake: 'a variable that nobody declared',
    rule: 'environment-undeclared',
    make: set('AWS::Lambda::Function', 'Environment.Variables.DEBUG', '1'),
  },
  {
    mistake: 'a provider over plain HTTP',
    rule: 'provider-without-https',
    installation: (sound) => ({
      ...sound,
      specs: loadSpecs([bundledSpecs], { allowLoopback: true }),
    }),
  },
];
