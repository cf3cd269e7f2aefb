import { Aspects, CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { type Mistake, part, set, statement, unset } from './mistake.ts';

const policyOf = (step: string) => `Step-${step}/Role/DefaultPolicy`;
const anyWorkflow = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } }, ArnLike: { 'aws:SourceArn': '*' } };
const manyNames = Array.from({ length: 60 }, (_, index) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:team-${index}/*`);

/** Mistakes about who may do what, and about who lets whom in. */
export const accessMistakes: readonly Mistake[] = [
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
      'KeyPolicy.Statement.4.Condition',
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
  {
    mistake: 'a key that lets no event that was not delivered into the queue for it',
    rule: 'sender-refused',
    make: set('AWS::KMS::Key', 'KeyPolicy.Statement.3.Action', 'kms:Decrypt', 'OperationsKey'),
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
];
