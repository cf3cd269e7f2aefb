import { Stack } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Settings } from '../core/settings.ts';
import { steps } from '../workflows/steps.ts';

/** What Step Functions waits beyond a function's own time-out, so that it never abandons one that still runs (protocol.md §5). */
const marginSeconds = 30;

/**
 * Our own rules about the stack: every broken one is an error of the synthesis, which nobody can acknowledge away.
 * Returns one sentence per broken rule.
 */
export function brokenRules(stack: Stack, settings: Settings): string[] {
  const resources = stack.node.findAll();
  return [
    ...settingsRules(settings),
    ...resources.filter((node) => node instanceof CfnStateMachine).flatMap((machine) => stateMachineRules(machine, settings)),
    ...resources.filter((node) => node instanceof CfnSchedule).flatMap(scheduleRules),
    ...resources.filter((node) => node instanceof CfnFunction).flatMap((lambda) => functionRules(lambda, settings)),
  ];
}

/** One sentence for each duration that the deployed stack could not keep. */
export function settingsRules({ functionSeconds, reconcileSeconds, sweepSeconds }: Settings): string[] {
  const uneven = Object.entries({ reconcile: reconcileSeconds, ...sweepSeconds }).filter(([, seconds]) => seconds % 60 !== 0);
  return [
    ...(Number.isInteger(functionSeconds) && functionSeconds <= 900
      ? []
      : ['functionSeconds must be a whole number of at most 900, which is the longest that Lambda lets a function run']),
    ...uneven.map(([name, seconds]) => `the schedule of ${name} fires every ${seconds} s, and Scheduler counts in whole minutes`),
  ];
}

function stateMachineRules(machine: CfnStateMachine, settings: Settings): string[] {
  const stack = Stack.of(machine);
  const broken: string[] = [];
  const must = (holds: boolean, sentence: string) => {
    if (!holds) broken.push(`${machine.node.path}: ${sentence}`);
  };
  const logging = stack.resolve(machine.loggingConfiguration) as { includeExecutionData?: boolean } | undefined;
  must(machine.stateMachineType === 'STANDARD', 'must be STANDARD: an Express workflow may run a step twice or not at all');
  must(logging?.includeExecutionData === false, 'may not log execution data');
  const { States } = JSON.parse(String(machine.definitionString)) as { States: Record<string, State> };
  for (const [name, state] of Object.entries(States)) {
    if (state.Type !== 'Task') continue;
    for (const sentence of taskRules(name, state, settings)) must(false, sentence);
  }
  return broken;
}

interface State {
  readonly Type: string;
  readonly Comment?: string;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly { readonly ErrorEquals?: readonly string[] }[];
  readonly Catch?: readonly unknown[];
}

/** One sentence for each thing that a Task state lacks. */
export function taskRules(
  name: string,
  { Comment, TimeoutSeconds, Retry = [], Catch = [] }: State,
  { functionSeconds }: Settings,
): string[] {
  const broken: string[] = [];
  if (!steps.some((row) => row.state === name)) broken.push(`state ${name} is no row of the step table`);
  if (!Comment) broken.push(`state ${name} does not say what is true after it`);
  const least = functionSeconds + marginSeconds;
  if (!(TimeoutSeconds !== undefined && TimeoutSeconds >= least)) broken.push(`state ${name} needs TimeoutSeconds of at least ${least}`);
  const named = Retry.length > 0 && Retry.every(({ ErrorEquals = [] }) => ErrorEquals.length > 0 && !ErrorEquals.includes('States.ALL'));
  if (!named) broken.push(`state ${name} needs a Retry that names its errors`);
  if (Catch.length === 0) broken.push(`state ${name} needs a Catch`);
  return broken;
}

function scheduleRules(schedule: CfnSchedule): string[] {
  const target = Stack.of(schedule).resolve(schedule.target) as { deadLetterConfig?: { arn?: unknown } };
  return target.deadLetterConfig?.arn ? [] : [`${schedule.node.path}: needs a dead-letter queue`];
}

function functionRules(lambda: CfnFunction, { functionSeconds }: Settings): string[] {
  const isStep = steps.some(({ state }) => lambda.node.path.includes(`/Step-${state}/`));
  // The quiesce is computed from functionSeconds: a step that may run longer could still act after it.
  return isStep && lambda.timeout !== functionSeconds ? [`${lambda.node.path}: its time-out is not functionSeconds of the settings`] : [];
}
