import { CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import type { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { bundledSpecs, loadSpecs } from '../../adapters/providers/registry.ts';
import { accessMistakes } from './access-mistakes.ts';
import { type Mistake, part, set, state, statement, unset } from './mistake.ts';

/** At least one for each rule. */
export const mistakes: readonly Mistake[] = [
  ...accessMistakes,
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
    mistake: 'more destinations in one attempt than its function has time for',
    rule: 'settings-contradict',
    installation: (sound) => ({ ...sound, settings: { ...sound.settings, destinationsPerAttempt: 50 } }),
  },
  {
    mistake: 'a schedule that fires every nothing',
    rule: 'settings-contradict',
    installation: (sound) => ({ ...sound, settings: { ...sound.settings, sweepSeconds: { ...sound.settings.sweepSeconds, high: 0 } } }),
  },
  {
    mistake: 'sweeps so rare that no alarm can watch them',
    rule: 'alarm-window',
    installation: (sound) => ({
      ...sound,
      settings: { ...sound.settings, sweepSeconds: { ...sound.settings.sweepSeconds, high: 43_200 } },
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
