import { describe, expect, test } from 'vitest';
import { flat, readTemplate, testStack } from '../support/stack.ts';

const stack = readTemplate(testStack());

describe('a function', () => {
  test('reads values of keys only where its work needs one', () => {
    expect(stack.whoMay('secretsmanager:GetSecretValue', ':secret:rekey/test/key/*')).toEqual(
      ['acknowledge', 'confirm', 'distribute', 'issue', 'operate', 'reconcile', 'retire', 'rollback', 'validate', 'verify'].sort(),
    );
  });

  test('mints at a provider only as Issue, and stores what was minted only as Issue', () => {
    expect(stack.whoMay('iam:CreateAccessKey')).toEqual(['issue']);
    expect(stack.whoMay('secretsmanager:PutSecretValue', ':secret:rekey/test/key/*')).toEqual(['issue']);
    expect(stack.whoMay('secretsmanager:CreateSecret')).toEqual(['issue']);
  });

  test('deletes at a provider only to free a slot or to clear an orphan', () => {
    expect(stack.whoMay('iam:DeleteAccessKey')).toEqual(['issue', 'reconcile']);
  });

  test('disables at a provider only where something must die', () => {
    expect(stack.whoMay('iam:UpdateAccessKey')).toEqual([
      'accept',
      'attribute',
      'disable',
      'intake',
      'operate',
      'reconcile',
      'retire',
      'rollback',
      'validate',
    ]);
  });

  test('writes to destinations only to deliver, to roll back, or to repair drift', () => {
    expect(stack.whoMay('ssm:PutParameter')).toEqual(['distribute', 'reconcile', 'rollback']);
    expect(stack.whoMay('secretsmanager:PutSecretValue', ':secret:test/*')).toEqual(['distribute', 'reconcile', 'rollback']);
  });

  test('that takes a leak report can neither read a value nor create a credential nor publish', () => {
    const intake = stack.functions.find(({ name }) => name === 'intake')!;
    const actions = intake.rights.flatMap(({ Action }) => Action);
    const refused = ['iam:CreateAccessKey', 'secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage', 'sns:Publish'];
    expect(actions.filter((action) => refused.includes(action))).toEqual([]);
    expect(intake.rights.flatMap(({ Resource }) => Resource).filter((arn) => arn.includes('/key/'))).toEqual([]);
  });

  test('starts executions only from a door, or from the state that is one', () => {
    expect(stack.whoMay('states:StartExecution')).toEqual(['accept', 'intake', 'operate', 'reconcile', 'sweep']);
  });

  test('acts on IAM users only while they carry the tag of the stage', () => {
    const onUsers = stack.functions
      .flatMap(({ rights }) => rights)
      .filter(({ Action }) => Action.some((action) => action.startsWith('iam:')));
    expect(onUsers.length).toBeGreaterThan(5);
    for (const { Condition } of onUsers) expect(Condition).toEqual({ StringEquals: { 'aws:ResourceTag/rekey': 'test' } });
  });

  test('has no right with a wildcard for an action, and none on every resource', () => {
    for (const { name, rights } of stack.functions) {
      expect(rights.length, name).toBeGreaterThan(1);
      expect(
        rights.flatMap(({ Action }) => Action).filter((action) => action.includes('*')),
        name,
      ).toEqual([]);
      expect(
        rights.flatMap(({ Resource }) => Resource).filter((arn) => arn === '*'),
        name,
      ).toEqual([]);
    }
  });

  test('of a door is invoked by the API alone, for its own routes and from this account; every other one by its role only', () => {
    const permissions = stack.ofType('AWS::Lambda::Permission').map(({ Properties }) => Properties);
    expect(permissions.map(({ FunctionName }) => flat(FunctionName).replace(/Function.*/, '')).sort()).toEqual([
      '<Acknowledge',
      '<Intake',
      '<Operate',
    ]);
    for (const { Principal, SourceAccount, SourceArn } of permissions) {
      expect([Principal, SourceAccount]).toEqual(['apigateway.amazonaws.com', { Ref: 'AWS::AccountId' }]);
      expect(flat(SourceArn)).toMatch(
        /^arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<Api\w+>\/\*\/POST\/(requests\/\*|receipts)$/,
      );
    }
  });
});

describe('a workflow', () => {
  test.each(['rotate', 'revoke'])('%s may invoke its own functions and deliver logs, and nothing else', (workflow) => {
    const [machine] = stack
      .ofType('AWS::StepFunctions::StateMachine')
      .filter(({ Properties }) => Properties.StateMachineName === `test-rekey-${workflow}`);
    const rights = stack.rightsOf(machine!.Properties.RoleArn['Fn::GetAtt'][0]);
    const others = rights.filter(({ Action }) => !Action.every((action) => action.startsWith('logs:')));
    expect(others).toHaveLength(1);
    expect(others[0]!.Action).toEqual(['lambda:InvokeFunction']);
    const called = Object.values(machine!.Properties.DefinitionSubstitutions as Record<string, { 'Fn::GetAtt': string[] }>);
    expect(others[0]!.Resource.sort()).toEqual(called.map(({ 'Fn::GetAtt': [id] }) => `<${id}.Arn>`).sort());
  });
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
