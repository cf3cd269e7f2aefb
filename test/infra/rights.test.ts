import { describe, expect, test } from 'vitest';
import { flat, readTemplate, type Statement, testStack } from '../support/stack.ts';

const stack = readTemplate(testStack());

const list = ['iam:GetAccessKeyLastUsed', 'iam:ListAccessKeys'];
const read = ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'];
const label = ['secretsmanager:DescribeSecret', 'secretsmanager:UpdateSecretVersionStage'];
const write = ['secretsmanager:DescribeSecret', 'secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'];
const get = ['secretsmanager:GetSecretValue'];
const answer = ['states:SendTaskFailure', 'states:SendTaskSuccess'];
const start = ['states:StartExecution'];
const send = { topics: ['sns:Publish'], outbox: ['dynamodb:DeleteItem'] };

/**
 * What each function may do, on which kind of thing, beyond what all may, written down a second time so that a right which appears in the
 * stack must be wanted here too. Each row says why it is so wide; where the design's table of least privilege is narrower, docs/adr/0026 says why.
 */
const table: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  // Mints, and frees a slot or clears an orphan to be able to; recovers what it stored; records fingerprints.
  issue: {
    admin: get,
    users: ['iam:CreateAccessKey', 'iam:DeleteAccessKey', ...list],
    values: ['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue', ...read],
    pepper: get,
    ...send,
  },
  // Delivers and reads back; never talks to a provider.
  distribute: { values: [...read, ...label], secrets: [...get, ...write], parameters: ['ssm:GetParameter', 'ssm:PutParameter'], ...send },
  // Judges proofs: possession, first use, quiet, and what the destinations hold.
  confirm: { admin: get, users: list, values: read, secrets: get, parameters: ['ssm:GetParameter'], rotate: answer, ...send },
  verify: { admin: get, users: list, values: read, ...send },
  // Disables, then reads the one value that it must see refused.
  retire: { admin: get, users: ['iam:UpdateAccessKey', ...list], values: read, ...send },
  abort: { rotate: answer, ...send },
  rollback: {
    admin: get,
    users: ['iam:UpdateAccessKey', ...list],
    values: [...read, ...label],
    secrets: [...get, ...write],
    parameters: ['ssm:GetParameter', 'ssm:PutParameter'],
    ...send,
  },
  // Takes what somebody started the workflow with, as the responders' door takes a request.
  accept: { admin: get, users: ['iam:UpdateAccessKey', ...list], revoke: start },
  // Reads no value: containment depends on the admin credential alone. Ends a waiting Confirm.
  disable: { admin: get, users: ['iam:PutUserPolicy', 'iam:UpdateAccessKey'], rotate: answer, ...send },
  notify: send,
  validate: { admin: get, users: ['iam:PutUserPolicy', 'iam:UpdateAccessKey', ...list], values: read, ...send },
  attribute: { admin: get, users: ['iam:UpdateAccessKey', ...list], ...send },
  close: { values: label, ...send },
  sweep: { indexes: ['dynamodb:Query'], rotate: start, 'dead letters': ['sqs:SendMessage'] },
  // Repairs what executions dropped, and what drifted while the key is idle; stores and fingerprints what AWS rotated; creates nothing at a provider.
  reconcile: {
    indexes: ['dynamodb:Query'],
    admin: get,
    users: ['iam:DeleteAccessKey', 'iam:UpdateAccessKey', ...list],
    values: ['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue', ...read, ...label],
    pepper: get,
    secrets: [...get, ...write],
    parameters: ['ssm:GetParameter', 'ssm:PutParameter'],
    rotate: [...start, ...answer],
    revoke: start,
    executions: ['states:DescribeExecution'],
    orphans: ['dynamodb:DeleteItem'],
    'dead letters': ['sqs:SendMessage'],
    ...send,
  },
  // Adopts, which reads a value once and compares it with the destinations; starts rotations; changes nothing at a provider.
  operate: {
    indexes: ['dynamodb:Query'],
    admin: get,
    users: list,
    values: [...read, ...label],
    secrets: get,
    parameters: ['ssm:GetParameter'],
    pepper: get,
    rotate: [...start, ...answer],
    ...send,
  },
  // Disables in the caller's own request. Reads no value, creates nothing, publishes nothing.
  intake: { indexes: ['dynamodb:Query'], admin: get, users: ['iam:UpdateAccessKey', ...list], pepper: get, revoke: start },
  // Checks a sender's signature; ends or rotates what a report names. Reads no value, creates nothing, publishes nothing.
  report: {
    indexes: ['dynamodb:Query'],
    admin: get,
    users: ['iam:UpdateAccessKey', ...list],
    senders: get,
    pepper: get,
    rotate: start,
    revoke: start,
  },
  // The same for what AWS itself says: no sender's secret, no index.
  awsevent: {
    admin: get,
    users: ['iam:UpdateAccessKey', ...list],
    pepper: get,
    rotate: start,
    revoke: start,
    'dead letters': ['sqs:SendMessage'],
  },
  // Compares a proof with the value that it was made from.
  acknowledge: { values: read, rotate: answer, ...send },
  // Passes on what people are told: it knows nothing of the inventory.
  channels: { channels: get, 'dead letters': ['sqs:SendMessage'] },
};

const all: Readonly<Record<string, readonly string[]>> = {
  inventory: ['ConditionCheckItem', 'DescribeTable', 'GetItem', 'PutItem', 'Query', 'UpdateItem'].map((action) => `dynamodb:${action}`),
  'own log': ['logs:CreateLogStream', 'logs:PutLogEvents'],
  traces: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
};

/** Kinds of things by their ARN, and the condition that must stand beside every right to them. */
const kinds: readonly (readonly [kind: string, arn: RegExp, condition?: object])[] = [
  ['outbox', /^<Inventory\w+\.Arn>$/, { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['OUT#*'] } }],
  ['orphans', /^<Inventory\w+\.Arn>$/, { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['ORPHAN#*'] } }],
  ['inventory', /^<Inventory\w+\.Arn>$/],
  ['indexes', /^<Inventory\w+\.Arn>\/index\/hints\d+$/],
  ['pepper', /:secret:rekey\/test\/pepper-\?{6}$/],
  ['values', /:secret:rekey\/test\/key\/\*$/],
  ['admin', /:secret:rekey\/test\/admin\/\*$/],
  ['senders', /:secret:rekey\/test\/sender\/\*$/],
  ['channels', /:secret:rekey\/test\/channel\/\*$/],
  ['secrets', /:secret:test\/\*$/],
  ['parameters', /:parameter\/test\/\*$/],
  ['users', /:user\/\*$/, { StringEquals: { 'aws:ResourceTag/rekey': 'test' } }],
  ['topics', /^<Topics(Notices|Emergencies|Pages)\w+>$/],
  ['rotate', /:stateMachine:test-rekey-rotate$/],
  ['revoke', /:stateMachine:test-rekey-revoke$/],
  ['executions', /:execution:test-rekey-(rotate|revoke):\*$/],
  ['dead letters', /^<DeadLetters\w+\.Arn>$/],
  ['traces', /^\*$/],
];

/** Every action of a function by the kind of thing it is on; what fits no kind stands under its own ARN. */
function rowOf(name: string, rights: readonly Statement[]): Record<string, string[]> {
  const row: Record<string, Set<string>> = {};
  for (const { Action, Resource, Condition } of rights) {
    for (const arn of Resource) {
      const fits = ([, pattern, condition]: (typeof kinds)[number]) => pattern.test(arn) && same(condition, Condition);
      const log = new RegExp(`^<(Step)?${name}Logs\\w+\\.Arn>$`, 'i').test(arn) ? 'own log' : undefined;
      const kind = log ?? kinds.find(fits)?.[0] ?? `${arn} ${JSON.stringify(Condition ?? {})}`;
      row[kind] = new Set([...(row[kind] ?? []), ...Action]);
    }
  }
  return Object.fromEntries(Object.entries(row).map(([kind, actions]) => [kind, [...actions].sort()]));
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one ?? {}) === JSON.stringify(other ?? {});

describe('the rights of the functions', () => {
  test.each(Object.entries(table))('%s may do what its row says, and nothing beyond', (name, row) => {
    const { inventory: _inventory, ...others } = all;
    const expected = Object.fromEntries(
      Object.entries({ ...(name === 'channels' ? others : all), ...row }).map(([kind, actions]) => [kind, [...new Set(actions)].sort()]),
    );
    expect(rowOf(name, stack.functions.find((one) => one.name === name)!.rights)).toEqual(expected);
  });

  test('are listed for every function', () => {
    expect(stack.functions.map(({ name }) => name).sort()).toEqual(Object.keys(table).sort());
  });

  test('all come from a policy of its own: no role has a managed one', () => {
    for (const { Properties } of stack.ofType('AWS::IAM::Role'))
      expect([Properties.ManagedPolicyArns, Properties.Policies]).toEqual([undefined, undefined]);
  });

  test('are seen by this test when they go too far or not far enough', () => {
    const right = (arn: string, more: object = {}) => ({ Effect: 'Allow', Action: ['iam:ListAccessKeys'], Resource: [arn], ...more });
    const untagged = rowOf('verify', [right('arn:aws:iam::1:user/*')]);
    expect(Object.keys(untagged)).toEqual(['arn:aws:iam::1:user/* {}']);
    expect(Object.keys(rowOf('verify', [right('<StepIssueLogs1.Arn>')]))).toEqual(['<StepIssueLogs1.Arn> {}']);
  });
});

describe('nobody', () => {
  const everywhere = stack.functions.flatMap(({ rights }) => rights);

  test('may delete anything in the inventory but notices that were sent and orphans that are gone', () => {
    const deletes = everywhere.filter(({ Action }) => Action.some((action) => /dynamodb:.*(Delete|BatchWrite|PartiQL)/.test(action)));
    const partitions = deletes.map(({ Condition }) => Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']);
    expect([...new Set(partitions.map(String))].sort()).toEqual(['ORPHAN#*', 'OUT#*']);
  });

  test('mints but Issue, and nobody deletes at a provider but Issue and the reconciler', () => {
    expect(stack.whoMay('iam:CreateAccessKey')).toEqual(['issue']);
    expect(stack.whoMay('iam:DeleteAccessKey')).toEqual(['issue', 'reconcile']);
  });

  test('of the kill path reads a value', () => {
    const readers = stack.whoMay('secretsmanager:GetSecretValue', ':secret:rekey/test/key/*');
    expect(readers.filter((name) => ['intake', 'accept', 'disable', 'notify', 'report', 'awsevent'].includes(name))).toEqual([]);
  });
});

test('a door is invoked by the API alone, for its own routes and from this account, or by its one rule of EventBridge or topic; every other function by a role only', () => {
  const all = stack.ofType('AWS::Lambda::Permission').map(({ Properties }) => Properties);
  const permissions = all.filter(({ Principal }) => Principal === 'apigateway.amazonaws.com');
  const others = all
    .filter(({ Principal }) => Principal !== 'apigateway.amazonaws.com')
    .sort((a, b) => (a.Principal < b.Principal ? -1 : 1))
    .map((one) => [one.Principal, one.SourceAccount, flat(one.FunctionName), flat(one.SourceArn)]);
  const ours = { Ref: 'AWS::AccountId' };
  expect(others).toEqual([
    ['events.amazonaws.com', ours, expect.stringMatching(/^<AwsEventFunction/), expect.stringMatching(/^<AwsEventsRule.*\.Arn>$/)],
    ['sns.amazonaws.com', ours, expect.stringMatching(/^<ChannelsFunction/), expect.stringMatching(/^<TopicsPages/)],
  ]);
  expect(permissions.map(({ FunctionName }) => flat(FunctionName).replace(/Function.*/, '')).sort()).toEqual([
    '<Acknowledge',
    '<Intake',
    '<Operate',
    '<Report',
    '<Report',
  ]);
  for (const { Principal, SourceAccount, SourceArn } of permissions) {
    expect([Principal, SourceAccount]).toEqual(['apigateway.amazonaws.com', { Ref: 'AWS::AccountId' }]);
    expect(flat(SourceArn)).toMatch(
      /^arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<Api\w+>\/\*\/POST\/(requests\/\*|reports\/\*|receipts)$/,
    );
  }
});

describe('a workflow', () => {
  test.each(['rotate', 'revoke'])(
    '%s may invoke its own functions, encrypt its history, deliver logs and traces, and nothing else',
    (workflow) => {
      const [machine] = stack
        .ofType('AWS::StepFunctions::StateMachine')
        .filter(({ Properties }) => Properties.StateMachineName === `test-rekey-${workflow}`);
      const rights = stack.rightsOf(machine!.Properties.RoleArn['Fn::GetAtt'][0]);
      const others = rights.filter(({ Action }) => !Action.every((action) => /^(logs|xray):/.test(action)));
      expect(others.map(({ Action }) => Action.join(' '))).toEqual([
        'lambda:InvokeFunction',
        'kms:Decrypt kms:GenerateDataKey',
        'kms:GenerateDataKey',
      ]);
      expect(others.slice(1).flatMap(({ Condition }) => Object.keys(Condition?.StringEquals ?? {}))).toEqual([
        'kms:EncryptionContext:aws:states:stateMachineArn',
        'kms:EncryptionContext:SourceArn',
      ]);
      const called = Object.values(machine!.Properties.DefinitionSubstitutions as Record<string, { 'Fn::GetAtt': string[] }>);
      expect(others[0]!.Resource.sort()).toEqual(called.map(({ 'Fn::GetAtt': [id] }) => `<${id}.Arn>`).sort());
    },
  );
});

describe('a schedule', () => {
  test('may invoke its own function and send what failed to the queue, and nothing else', () => {
    const schedules = stack.ofType('AWS::Scheduler::Schedule');
    expect(schedules).toHaveLength(4);
    for (const { Properties } of schedules) {
      const target = `<${Properties.Target.Arn['Fn::GetAtt'].join('.')}>`;
      const queue = `<${Properties.Target.DeadLetterConfig.Arn['Fn::GetAtt'].join('.')}>`;
      const rights = stack.rightsOf(Properties.Target.RoleArn['Fn::GetAtt'][0]);
      const pairs = rights.flatMap(({ Action, Resource }) => Action.map((action) => `${action} ${Resource}`));
      expect(pairs.sort()).toEqual([`lambda:InvokeFunction ${target}`, `sqs:SendMessage ${queue}`]);
    }
  });

  test('lends its role only to schedules of this account and this group', () => {
    const roles = stack.ofType('AWS::IAM::Role').filter(({ Properties }) => JSON.stringify(Properties).includes('scheduler.amazonaws.com'));
    expect(roles).toHaveLength(4);
    for (const { Properties } of roles) {
      const [{ Condition }] = Properties.AssumeRolePolicyDocument.Statement;
      expect(Condition.StringEquals['aws:SourceAccount']).toEqual({ Ref: 'AWS::AccountId' });
      expect(JSON.stringify(Condition.ArnEquals['aws:SourceArn'])).toContain('schedule-group/test-rekey-schedules');
    }
  });
});
