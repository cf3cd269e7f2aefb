import type { App } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { describe, expect, test } from 'vitest';
import { productionSettings } from '../../core/settings.ts';
import { brokenRules, settingsRules, taskRules } from '../../infra/rules.ts';
import { definitionOf } from '../../infra/workflow.ts';
import { testStack } from '../support/stack.ts';

/** What the rules say of the stack after the first resource of a type got other properties. */
function broken<T extends object>(type: abstract new (...given: never[]) => T, change: Partial<T>): string[] {
  const stack = testStack();
  Object.assign(first(stack, type), change);
  return brokenRules(stack, productionSettings);
}

function first<T>(stack: ReturnType<typeof testStack>, type: abstract new (...given: never[]) => T): T {
  return stack.node.findAll().find((node) => node instanceof type) as T;
}

test('the stack as it is breaks no rule', () => {
  expect(brokenRules(testStack(), productionSettings)).toEqual([]);
});

test('an Express workflow is refused', () => {
  expect(broken(CfnStateMachine, { stateMachineType: 'EXPRESS' })).toEqual([expect.stringContaining('must be STANDARD')]);
});

test('a log with execution data is refused', () => {
  const loggingConfiguration = { level: 'ALL', includeExecutionData: true };
  expect(broken(CfnStateMachine, { loggingConfiguration })).toEqual([expect.stringContaining('may not log execution data')]);
});

test('a schedule without a dead-letter queue is refused', () => {
  expect(broken(CfnSchedule, { target: { arn: 'arn', roleArn: 'arn' } })).toEqual([expect.stringContaining('dead-letter queue')]);
});

test('a step whose function has another time-out than the settings is refused', () => {
  expect(broken(CfnFunction, { timeout: 300 })).toEqual([expect.stringContaining('time-out')]);
});

test('a broken rule fails the synthesis', () => {
  const stack = testStack();
  first(stack, CfnStateMachine).stateMachineType = 'EXPRESS';
  expect(() => (stack.node.root as App).synth()).toThrow(/must be STANDARD/);
});

describe('a Task state', () => {
  const { States } = JSON.parse(definitionOf('rotate')) as { States: Record<string, object> };
  const issue = States.Issue as Parameters<typeof taskRules>[1];

  test('as the files have it keeps every rule', () => {
    expect(taskRules('Issue', issue, productionSettings)).toEqual([]);
  });

  test.each([
    ['that ends before its function does', { TimeoutSeconds: 60 }, 'TimeoutSeconds of at least 90'],
    ['without a time-out', { TimeoutSeconds: undefined }, 'TimeoutSeconds of at least 90'],
    ['without a comment', { Comment: '' }, 'what is true after it'],
    ['without a Retry', { Retry: [] }, 'Retry that names'],
    ['that retries anything', { Retry: [{ ErrorEquals: ['States.ALL'] }] }, 'Retry that names'],
    ['without a Catch', { Catch: [] }, 'needs a Catch'],
  ])('%s is refused', (_, change, sentence) => {
    expect(taskRules('Issue', { ...issue, ...change } as typeof issue, productionSettings)).toEqual([expect.stringContaining(sentence)]);
  });

  test('that ends before a function does that was given longer is refused', () => {
    expect(taskRules('Issue', issue, { ...productionSettings, functionSeconds: 61 })).toEqual([
      expect.stringContaining('TimeoutSeconds of at least 91'),
    ]);
  });

  test('that is no row of the step table is refused', () => {
    expect(taskRules('Other', issue, productionSettings)).toContain('state Other is no row of the step table');
  });
});

describe('the settings of a deployed stack', () => {
  test('of production are kept', () => {
    expect(settingsRules(productionSettings)).toEqual([]);
  });

  test.each([901, 10.5])('give a function no %s seconds', (functionSeconds) => {
    expect(settingsRules({ ...productionSettings, functionSeconds })).toEqual([expect.stringContaining('at most 900')]);
  });

  test('must fire in whole minutes', () => {
    expect(settingsRules({ ...productionSettings, reconcileSeconds: 90 })).toEqual([expect.stringContaining('whole minutes')]);
  });
});
