import { describe, expect, test } from 'vitest';
import { flat, readTemplate, testStack } from '../support/stack.ts';

/** Every statement that lets somebody come from outside a role's own policy, one line each. What is new in the stack must be wanted here too. */

const stack = readTemplate(testStack());

interface Raw {
  readonly Effect: string;
  readonly Principal: unknown;
  readonly Action: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** `service: actions if condition`, with the account and the region left out. */
function line({ Effect, Principal, Action, Condition = {} }: Raw): string {
  const { Service, AWS } = Principal as { Service?: unknown; AWS?: unknown };
  const who = short(flat(Service ?? AWS ?? Principal));
  const actions = [Action].flat().map((action) => action.replace(/^\w+:/, ''));
  const conditions = Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => `${key} ${operator} ${[values].flat().map(flat).map(short).join('|')}`),
  );
  const when = conditions.length ? ` if ${conditions.sort().join(', ')}` : '';
  return `${Effect === 'Deny' ? 'never ' : ''}${who}: ${actions.sort().join(' ')}${when}`;
}

const short = (text: string): string =>
  text
    .replaceAll('arn:<AWS::Partition>:', '')
    .replaceAll('<AWS::Region>:<AWS::AccountId>', '…')
    .replaceAll('<AWS::AccountId>', 'ours')
    .replaceAll('.<AWS::Region>.', '.here.')
    .replaceAll('.amazonaws.com', '');

const linesOf = (document: { Statement: readonly Raw[] } | undefined) => (document?.Statement ?? []).map(line).sort();
const of = (type: string, field: string) =>
  Object.fromEntries(
    stack.all
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties }]) => [
        id.replace(/[0-9A-F]{8}$/, ''),
        linesOf(field.split('.').reduce((at, name) => at?.[name], Properties)),
      ]),
  );

const administered = 'iam::ours:root: *';
const data = 'Decrypt GenerateDataKey';

test('each key is used through the services that it is for, by this account, and by nobody else', () => {
  expect(of('AWS::KMS::Key', 'KeyPolicy')).toEqual({
    InventoryKey: [
      '*: CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey ReEncryptFrom ReEncryptTo if ' +
        'kms:CallerAccount StringEquals ours, kms:ViaService StringEquals dynamodb.here',
      administered,
    ],
    SecretsKey: [
      `*: ${data} if kms:CallerAccount StringEquals ours, ` +
        'kms:EncryptionContext:SecretARN StringLike secretsmanager:…:secret:rekey/test/*, kms:ViaService StringEquals secretsmanager.here',
      administered,
    ],
    OperationsKey: [
      `*: ${data} if kms:CallerAccount StringEquals ours, kms:ViaService StringEquals sns.here|sqs.here`,
      `["events","sns"]: ${data} if kms:EncryptionContext:aws:sqs:arn StringEquals sqs:…:test-rekey-undelivered`,
      `cloudwatch: ${data} if aws:SourceAccount StringEquals ours, aws:SourceArn ArnLike cloudwatch:…:alarm:test-rekey-*`,
      'delivery.logs: Decrypt if kms:EncryptionContext:SourceArn StringEquals logs:…:*',
      administered,
      'logs.here: Decrypt DescribeKey Encrypt GenerateDataKey ReEncryptFrom ReEncryptTo if kms:EncryptionContext:aws:logs:arn ArnLike ' +
        'logs:…:log-group:/aws/lambda/test-rekey-*|logs:…:log-group:/aws/vendedlogs/*/test-rekey-*',
    ],
  });
});

test('alarms may page, and whatever comes without TLS is refused', () => {
  const plain = 'if aws:SecureTransport Bool false';
  expect(of('AWS::SNS::TopicPolicy', 'PolicyDocument')).toEqual({
    TopicsEmergenciesPolicy: [`never *: Publish ${plain}`],
    TopicsNoticesPolicy: [`never *: Publish ${plain}`],
    TopicsPagesPolicy: [
      'cloudwatch: Publish if aws:SourceAccount StringEquals ours, aws:SourceArn ArnLike cloudwatch:…:alarm:test-rekey-*',
      `never *: Publish ${plain}`,
    ],
  });
  expect(of('AWS::SQS::QueuePolicy', 'PolicyDocument')).toEqual({
    DeadLettersQueuePolicy: [
      'events: SendMessage if aws:SourceAccount StringEquals ours, aws:SourceArn ArnEquals <AwsEventsRuleC0EB343E.Arn>',
      `never *: * ${plain}`,
      expect.stringMatching(/^sns: SendMessage if aws:SourceAccount StringEquals ours, aws:SourceArn ArnEquals <TopicsPages\w+>$/),
    ],
  });
  expect(of('AWS::DynamoDB::Table', 'ResourcePolicy.PolicyDocument')).toEqual({ InventoryTable: [`never *: * ${plain}`] });
});

describe('a role', () => {
  const trust = of('AWS::IAM::Role', 'AssumeRolePolicyDocument');
  const takenBy = (service: string) => Object.entries(trust).filter(([, lines]) => lines.some((one) => one.startsWith(`${service}: `)));

  test('of a function is taken by Lambda', () => {
    const functions = takenBy('lambda');
    expect(functions).toHaveLength(stack.functions.length);
    for (const [, lines] of functions) expect(lines).toEqual(['lambda: AssumeRole']);
  });

  test('of a workflow is taken by Step Functions for that one workflow', () => {
    const machine = (name: string) =>
      `states: AssumeRole if aws:SourceAccount StringEquals ours, aws:SourceArn ArnEquals states:…:stateMachine:test-rekey-${name}`;
    expect(Object.fromEntries(takenBy('states'))).toEqual({
      WorkflowrotateRole: [machine('rotate')],
      WorkflowrevokeRole: [machine('revoke')],
    });
  });

  test('of a schedule is taken by the Scheduler for the group of this stage', () => {
    const schedules = takenBy('scheduler');
    expect(schedules).toHaveLength(stack.ofType('AWS::Scheduler::Schedule').length);
    for (const [, lines] of schedules)
      expect(lines).toEqual([
        'scheduler: AssumeRole if aws:SourceAccount StringEquals ours, ' +
          'aws:SourceArn ArnEquals scheduler:…:schedule-group/test-rekey-schedules',
      ]);
  });

  test('is taken by nobody else', () => {
    const known = ['lambda', 'states', 'scheduler'].flatMap(takenBy);
    expect(known).toHaveLength(Object.keys(trust).length);
  });
});

test('nothing else in the stack has a policy of its own that lets somebody in', () => {
  const types = stack.all
    .filter(([, { Properties }]) => /"(\w*PolicyDocument|KeyPolicy|ResourcePolicy|Policy)":/.test(JSON.stringify(Properties ?? {})))
    .map(([, { Type }]) => Type);
  const known = ['IAM::Role', 'IAM::Policy', 'IAM::ManagedPolicy', 'KMS::Key', 'SNS::TopicPolicy', 'SQS::QueuePolicy', 'DynamoDB::Table'];
  const others = [...new Set(types)].filter((type) => !known.includes(type.replace('AWS::', '')));
  expect(others).toEqual([]);
});
