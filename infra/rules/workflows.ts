import { steps } from '../../workflows/steps.ts';
import { about, type Facts, type Rule } from './rule.ts';
import { dig, listOf } from './template.ts';

const machine = ['AWS::StepFunctions::StateMachine'];

/** What Step Functions waits beyond a function's own time-out, so that it never abandons one that still runs (protocol.md §5). */
const marginSeconds = 30;

/** Rules about the state machines and each of their tasks. */
export const workflowRules: readonly Rule[] = [
  about(
    machine,
    'workflow-not-standard',
    'a workflow must be Standard: an Express one may run a step twice or not at all',
    ({ properties }) => dig(properties, 'StateMachineType') === 'STANDARD',
  ),
  about(
    machine,
    'workflow-logs-data',
    'a workflow may not log execution data',
    ({ properties }) => dig(properties, 'LoggingConfiguration', 'IncludeExecutionData') === false,
  ),
  task(
    'task-unknown',
    'a task must call the function of its own row of the step table',
    (state, name) => steps.some((row) => row.state === name) && JSON.stringify(state).includes(`\${${name}FunctionArn}`),
  ),
  task('task-without-comment', 'a task must say what is true after it', (state) => Boolean(dig(state, 'Comment'))),
  task('task-without-time-out', 'a task must have TimeoutSeconds', (state) => typeof dig(state, 'TimeoutSeconds') === 'number'),
  task('task-time-out', `a task must wait ${marginSeconds} s longer than its function runs`, (state, _, { installation: { settings } }) => {
    const seconds = dig(state, 'TimeoutSeconds');
    return typeof seconds !== 'number' || seconds >= settings.functionSeconds + marginSeconds;
  }),
  task('task-without-retry', 'a task must have a Retry', (state) => retried(state).length > 0),
  task(
    'task-retries-anything',
    'a Retry must name its errors',
    (state) => !retried(state).some((error) => error === 'States.ALL' || error === 'States.TaskFailed'),
  ),
  task('task-without-catch', 'a task must have a Catch', (state) => listOf(dig(state, 'Catch')).length > 0),
];

function task(name: string, must: string, holds: (state: unknown, name: string, facts: Facts) => boolean): Rule {
  return {
    name,
    must,
    broken: (facts) =>
      facts.parts
        .filter(({ type }) => machine.includes(type))
        .flatMap(({ path, properties }) =>
          Object.entries(statesOf(properties))
            .filter(([state, definition]) => dig(definition, 'Type') === 'Task' && !holds(definition, state, facts))
            .map(([state]) => `${path}, state ${state}`),
        ),
  };
}

function statesOf(properties: unknown): Record<string, unknown> {
  return (dig(JSON.parse(String(dig(properties, 'DefinitionString'))), 'States') ?? {}) as Record<string, unknown>;
}

function retried(state: unknown): unknown[] {
  return listOf(dig(state, 'Retry')).flatMap((retry) => listOf(dig(retry, 'ErrorEquals')));
}
