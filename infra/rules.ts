import type { Stack } from 'aws-cdk-lib';
import type { Installation } from '../functions/installation.ts';
import { steps } from '../workflows/steps.ts';
import { doors } from './doors.ts';
import { type Grounds, statementsFor } from './rights.ts';
import { accessRules } from './rules/access.ts';
import { deliveryRules } from './rules/delivery.ts';
import { durationRules } from './rules/durations.ts';
import { edgeRules } from './rules/edges.ts';
import { functionRules } from './rules/functions.ts';
import { keptRules } from './rules/kept.ts';
import { lengthRules } from './rules/lengths.ts';
import type { Facts, Rule } from './rules/rule.ts';
import { pairsOfProps, partsOf } from './rules/template.ts';
import { workflowRules } from './rules/workflows.ts';

/** Every rule of our own about the stack. */
export const rules: readonly Rule[] = [
  ...durationRules,
  ...workflowRules,
  ...edgeRules,
  ...deliveryRules,
  ...keptRules,
  ...functionRules,
  ...accessRules,
  ...lengthRules,
];

/**
 * What is broken, one sentence each that begins with the name of its rule. Each is an error of the synthesis, which nobody can
 * acknowledge away.
 */
export function brokenRules(stack: Stack, installation: Installation, grounds: Grounds): string[] {
  const facts: Facts = {
    parts: partsOf(stack),
    installation,
    terminationProtection: stack.terminationProtection,
    rights: rightsByName(stack, grounds),
  };
  return rules.flatMap(({ name, must, broken }) => broken(facts).map((where) => `${name}: ${must} (${where})`));
}

function rightsByName(stack: Stack, grounds: Grounds): Facts['rights'] {
  const rows = [
    ...steps.map(({ state, may }) => ({ name: `step-${state.toLowerCase()}`, may })),
    ...doors.map(({ name, may }) => ({ name: name.toLowerCase(), may })),
  ];
  return new Map(
    rows.map(({ name, may }) => [`${grounds.stage}-rekey-${name}`, new Set(pairsOfProps(stack, statementsFor(may, grounds, stack)))]),
  );
}
