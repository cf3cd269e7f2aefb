import type { App } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, test } from 'vitest';
import { readInstallation } from '../../infra/installation.ts';
import { rules } from '../../infra/rules.ts';
import type { RekeyStack } from '../../infra/stack.ts';
import { testStack } from '../support/stack.ts';
import type { Mistake } from './mistake.ts';
import { mistakes } from './mistakes.ts';

function synthesised(stack: RekeyStack): string {
  try {
    (stack.node.root as App).synth();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const brokenBy = ({ installation, make }: Pick<Mistake, 'installation' | 'make'>): string[] => {
  const sound = readInstallation('test');
  const stack = testStack({ installation: installation?.(sound) ?? sound });
  make?.(stack);
  const said = synthesised(stack);
  return [...new Set(rules.map(({ name }) => name).filter((name) => said.includes(`${name}: `)))];
};

test('the stack as it is breaks no rule', () => {
  expect(brokenBy({})).toEqual([]);
});

describe('row 75: a mistake fails the synthesis by the name of its rule', () => {
  test.each(mistakes.map((one) => [one.mistake, one.rule, one] as const))('%s: %s', (_mistake, rule, one) => {
    expect(brokenBy(one)).toContain(rule);
  });

  test('every rule has a mistake that breaks it', () => {
    expect(rules.map(({ name }) => name).filter((name) => !mistakes.some(({ rule }) => rule === name))).toEqual([]);
    expect(mistakes.length).toBeGreaterThanOrEqual(20);
  });
});

test('the functions of the stack are looked at one by one, not only the first', () => {
  expect(
    brokenBy({
      make: (stack) => {
        for (const one of stack.node.findAll()) if (one instanceof CfnFunction) one.addPropertyDeletionOverride('TracingConfig');
      },
    }),
  ).toEqual(['not-traced']);
});
