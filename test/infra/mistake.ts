import { CfnResource } from 'aws-cdk-lib';
import type { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
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
export function part(stack: RekeyStack, type: string, place = ''): CfnResource {
  const found = stack.node
    .findAll()
    .find((node) => CfnResource.isCfnResource(node) && node.cfnResourceType === type && node.node.path.includes(place));
  if (!found) throw new Error(`no ${type} at ${place}`);
  return found as CfnResource;
}

export const set =
  (type: string, path: string, value: unknown, place = '') =>
  (stack: RekeyStack) =>
    part(stack, type, place).addPropertyOverride(path, value);

export const unset =
  (type: string, path: string, place = '') =>
  (stack: RekeyStack) =>
    part(stack, type, place).addPropertyDeletionOverride(path);

/** Another workflow file. */
export const state =
  (name: string, change: (state: Record<string, unknown>) => void, workflow = 'rotate') =>
  (stack: RekeyStack) => {
    const machine = part(stack, 'AWS::StepFunctions::StateMachine', workflow) as CfnStateMachine;
    const definition = JSON.parse(String(machine.definitionString)) as { States: Record<string, Record<string, unknown>> };
    change(definition.States[name] as Record<string, unknown>);
    machine.definitionString = JSON.stringify(definition);
  };

export const statement = (more: object) => ({
  Effect: 'Allow',
  Action: ['dynamodb:GetItem'],
  Resource: ['arn:aws:dynamodb:*:*:table/x'],
  ...more,
});
