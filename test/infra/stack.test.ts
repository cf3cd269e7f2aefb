import { readFileSync } from 'node:fs';
import { type App, Validations } from 'aws-cdk-lib';
import { UserPool } from 'aws-cdk-lib/aws-cognito';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { productionSettings } from '../../core/settings.ts';
import { alarmHeadings } from '../../infra/alarms.ts';
import { doors } from '../../infra/doors.ts';
import { environment } from '../../workflows/environment.ts';
import { steps } from '../../workflows/steps.ts';
import { flat, readTemplate, testStack } from '../support/stack.ts';

const stack = readTemplate(testStack());
const only = (type: string) => {
  const found = stack.ofType(type);
  expect(found).toHaveLength(1);
  return found[0]!;
};

// An update of a stack makes one index and no more, so the table of the first release has them all (docs/adr/0021-slots-for-indexes.md).
const firstRelease = Array.from({ length: 12 }, (_, i) => `hints${i + 1}`);

test('the inventory outlives the stack, can be restored, is encrypted with its own key, and lets nothing expire', () => {
  const { Properties, DeletionPolicy } = only('AWS::DynamoDB::Table');
  expect(DeletionPolicy).toBe('Retain');
  expect(Properties).toMatchObject({
    BillingMode: 'PAY_PER_REQUEST',
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
  });
  expect(Properties.SSESpecification.KMSMasterKeyId).toBeDefined();
  expect(Properties.TimeToLiveSpecification).toBeUndefined();
  expect(Properties.GlobalSecondaryIndexes.map(({ IndexName }: { IndexName: string }) => IndexName)).toEqual(firstRelease);
});

test('no key of KMS and no secret is deleted with the stack', () => {
  for (const type of ['AWS::KMS::Key', 'AWS::SecretsManager::Secret']) {
    expect(stack.ofType(type).length).toBeGreaterThan(0);
    for (const { DeletionPolicy } of stack.ofType(type)) expect(DeletionPolicy).toBe('Retain');
  }
});

describe('the functions', () => {
  test('are one for each row of the two tables, with the time-out of the settings or of the door', () => {
    const rows = [
      ...steps.map(({ state }) => [state, productionSettings.functionSeconds]),
      ...doors.map(({ name, timeoutSeconds }) => [name, timeoutSeconds]),
    ];
    const expected = rows.map(([name, seconds]) => `${String(name).toLowerCase()} ${seconds}`);
    expect(stack.functions.map(({ name, properties }) => `${name} ${properties.Timeout}`).sort()).toEqual(expected.sort());
  });

  test('run on Node 24 on arm64, and log to a group of their own that forgets after a while', () => {
    for (const { properties } of stack.functions) {
      expect(properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      const group = stack.template.Resources[properties.LoggingConfig.LogGroup.Ref]!;
      expect(group.Properties.RetentionInDays).toBe(90);
    }
  });

  test('get exactly the environment variables that workflows/environment.ts declares', () => {
    for (const { properties } of stack.functions) {
      expect(Object.keys(properties.Environment.Variables).sort()).toEqual([...Object.values(environment)].sort());
    }
  });

  test('hold no secret in their environment: names and ARNs only', () => {
    for (const { properties } of stack.functions) {
      for (const value of Object.values(properties.Environment.Variables))
        expect(flat(value)).toMatch(/^(rekey\/test\/|<|arn:<AWS::Partition>:states:)/);
    }
  });
});

test('room for revocations is kept only where it is asked for, and only for what stops a key', () => {
  const reserved = (of: typeof stack) =>
    of.functions
      .filter(({ properties }) => properties.ReservedConcurrentExecutions !== undefined)
      .map(({ name, properties }) => [name, properties.ReservedConcurrentExecutions]);
  expect(reserved(stack)).toEqual([]);
  expect(reserved(readTemplate(testStack({ reservedForRevoke: 5 }))).sort()).toEqual([
    ['accept', 5],
    ['disable', 5],
    ['intake', 5],
  ]);
});

describe('the workflows', () => {
  test('are the files as they are, Standard, and log errors without data', () => {
    const machines = stack.ofType('AWS::StepFunctions::StateMachine');
    expect(machines).toHaveLength(2);
    for (const { Properties } of machines) {
      const file = `workflows/${Properties.StateMachineName.replace('test-rekey-', '')}.asl.json`;
      expect(Properties.DefinitionString).toBe(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
      expect(Properties).toMatchObject({
        StateMachineType: 'STANDARD',
        LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
      });
    }
  });

  test('have every placeholder of their file filled, and no more', () => {
    for (const { Properties } of stack.ofType('AWS::StepFunctions::StateMachine')) {
      const used = [...String(Properties.DefinitionString).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!);
      expect(Object.keys(Properties.DefinitionSubstitutions).sort()).toEqual([...new Set(used)].sort());
    }
  });

  test('are found by the functions under the names that they have', () => {
    const names = stack.ofType('AWS::StepFunctions::StateMachine').map(({ Properties }) => Properties.StateMachineName);
    const { Variables } = stack.functions[0]!.properties.Environment;
    for (const variable of [environment.rotateWorkflow, environment.revokeWorkflow]) {
      expect(names).toContain(flat(Variables[variable]).split(':').at(-1));
    }
  });
});

describe('the schedules', () => {
  const schedules = stack.ofType('AWS::Scheduler::Schedule').map(({ Properties }) => Properties);

  test('start the sweep once for each tier, in UTC, spread over a window', () => {
    const sweeps = schedules.filter(({ Target }) => flat(Target.Arn).startsWith('<Sweep'));
    expect(sweeps.map(({ Target }) => JSON.parse(Target.Input).tier).sort()).toEqual(['high', 'low', 'medium']);
    for (const { FlexibleTimeWindow, ScheduleExpressionTimezone } of sweeps) {
      expect([FlexibleTimeWindow.Mode, ScheduleExpressionTimezone]).toEqual(['FLEXIBLE', 'UTC']);
    }
  });

  test('start the reconciler every minute', () => {
    const [reconcile, ...others] = schedules.filter(({ Target }) => flat(Target.Arn).startsWith('<Reconcile'));
    expect([reconcile?.ScheduleExpression, others]).toEqual(['rate(1 minute)', []]);
  });

  test('keep what was not delivered, and what failed when it ran, in one watched queue', () => {
    const queue = flat({ 'Fn::GetAtt': [stack.all.find(([, { Type }]) => Type === 'AWS::SQS::Queue')![0], 'Arn'] });
    for (const { Target } of schedules) expect(flat(Target.DeadLetterConfig.Arn)).toBe(queue);
    const failures = stack
      .ofType('AWS::Lambda::EventInvokeConfig')
      .map(({ Properties }) => flat(Properties.DestinationConfig.OnFailure.Destination));
    expect(new Set(failures)).toEqual(new Set([queue]));
    expect(failures).toHaveLength(4);
    for (const { Properties } of stack.ofType('AWS::SNS::Subscription'))
      expect(flat(Properties.RedrivePolicy.deadLetterTargetArn)).toBe(queue);
  });
});

test('every alarm names a heading of the runbook that exists, and pages', () => {
  const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
  for (const heading of Object.values(alarmHeadings)) expect(runbook).toMatch(new RegExp(`^#+ ${heading}$`, 'm'));
  const alarms = stack.ofType('AWS::CloudWatch::Alarm');
  expect(alarms).toHaveLength(Object.keys(alarmHeadings).length);
  for (const { Properties } of alarms) {
    const name = Properties.AlarmName.replace('test-rekey-', '') as keyof typeof alarmHeadings;
    expect(Properties.AlarmDescription).toContain(`"${alarmHeadings[name]}"`);
    const anchor = alarmHeadings[name]
      .toLowerCase()
      .replace(/[^a-z ]/g, '')
      .replaceAll(' ', '-');
    expect(Properties.AlarmDescription).toContain(`docs/runbook.md#${anchor},`);
    expect(Properties.AlarmActions.map(flat)).toEqual([expect.stringContaining('Pages')]);
  }
});

test('every name begins with the stage, so that two stages fit into one account', () => {
  const fields = ['TableName', 'FunctionName', 'StateMachineName', 'TopicName', 'QueueName', 'AlarmName', 'ManagedPolicyName'];
  const named = stack.all
    .flatMap(([, { Type, Properties }]) =>
      ['AWS::Lambda::EventInvokeConfig', 'AWS::Lambda::Permission'].includes(Type) ? [] : fields.map((field) => Properties?.[field]),
    )
    .filter((name) => name !== undefined);
  expect(named.length).toBeGreaterThan(30);
  for (const name of named) expect(name).toMatch(/^test-rekey-/);
  for (const type of ['AWS::Scheduler::Schedule', 'AWS::Scheduler::ScheduleGroup'])
    for (const { Properties } of stack.ofType(type)) expect(Properties.Name).toMatch(/^test-rekey-/);
  for (const { Properties } of stack.ofType('AWS::SecretsManager::Secret')) expect(Properties.Name).toBe('rekey/test/pepper');
});

describe('the check with cdk-nag', () => {
  const checked = (change: (stack: ReturnType<typeof testStack>) => void = () => undefined) => {
    const made = testStack();
    change(made);
    Validations.of(made.node.root as App).addPlugins(new AwsSolutionsChecks(made.node.root as App));
    return () => (made.node.root as App).synth();
  };

  test('passes', () => {
    expect(checked()).not.toThrow();
  });

  test('fails when something careless is added', () => {
    expect(checked((made) => new UserPool(made, 'Careless'))).toThrow(/Careless.*COG1/s);
  });
});
