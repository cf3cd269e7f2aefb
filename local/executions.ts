import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import type { ExecutionPayload, Executions, WorkflowName } from '../core/ports.ts';
import type { Step, StepPayload, StepResult } from '../workflows/steps.ts';
import { allowLongTimers } from './long-timers.ts';
import { taskTokens } from './task-tokens.ts';

/** What an execution did: for the log and for whoever watches. */
export interface ExecutionEvent {
  readonly execution: string;
  readonly kind: 'entered' | 'failed' | 'retried' | 'ended';
  /** The state's name; missing when the execution itself ended. */
  readonly state?: string;
  /** The error's name. */
  readonly error?: string;
}

export interface LocalExecutionsOptions {
  readonly steps: readonly Step[];
  /** The parsed workflows/*.asl.json, unchanged. */
  readonly definitions: Readonly<Record<WorkflowName, object>>;
  /** Runs one attempt of a step; the composition root binds the ports. */
  readonly run: (step: Step, payload: StepPayload, attemptId: string) => Promise<StepResult>;
  /** An attempt that takes longer ends with States.Timeout, as a function on AWS does (settings.functionSeconds). */
  readonly functionSeconds: number;
  /** At most so many attempts run side by side; the others wait for their turn, before their time begins. All run at once by default. */
  readonly atOnce?: number;
  /** Unique to each attempt, also across restarts. */
  readonly randomId: () => string;
  readonly onEvent?: (event: ExecutionEvent) => void;
}

export interface LocalExecutions extends Executions {
  /** Afterwards no execution goes on, none starts, and no attempt is under way. Takes at most functionSeconds. */
  stop(): Promise<void>;
}

/**
 * Runs the workflow files in this process, with the steps of the table by state name. Executions do not outlive the
 * process: on start, the operation records say what to run again. No time but setTimeout's, so it is exact under virtual time.
 */
export function localExecutions(options: LocalExecutionsOptions): LocalExecutions {
  allowLongTimers();
  const machines: Record<WorkflowName, StateMachine> = {
    rotate: machine(options.definitions.rotate),
    revoke: machine(options.definitions.revoke),
  };
  const states = new Map<string, 'running' | 'ended'>();
  const aborts = new Map<string, () => void>();
  const attempts = new Set<Promise<unknown>>();
  const tokens = taskTokens();
  const turns = turnsOf(options.atOnce);
  let stopped = false;

  async function start(workflow: WorkflowName, payload: ExecutionPayload): Promise<void> {
    const name = executionName(payload);
    const id = `${workflow}/${name}`;
    if (stopped || states.has(id)) return;
    states.set(id, 'running');
    const run = machines[workflow].run(
      { keyId: payload.keyId, operationId: payload.operationId, startSeq: payload.startSeq },
      { context: context(workflow, name), noThrowOnAbort: true, overrides: { taskResourceLocalHandlers: handlers(workflow, name) } },
    );
    aborts.set(id, run.abort);
    void watch(name, run.eventLogs, options.onEvent);
    // The result is an outcome of the workflow, on record in the inventory; here it only must not go unobserved.
    void run.result
      .catch(() => undefined)
      .finally(() => {
        states.set(id, 'ended');
        aborts.delete(id);
        tokens.closeAll(name);
      });
  }

  /** The interpreter reads the context once for each attempt, so the getter gives each attempt a token of its own. */
  function context(workflow: WorkflowName, name: string) {
    return {
      Execution: { Id: `local:${workflow}:${name}`, Name: name },
      Task: {
        get Token() {
          return `${name}.${options.randomId()}`;
        },
      },
    };
  }

  function handlers(workflow: WorkflowName, execution: string) {
    return Object.fromEntries(
      options.steps
        .filter((step) => step.workflows.includes(workflow))
        .map((step) => [step.state, (parameters: unknown) => handle(step, execution, parameters as Parameters)]),
    );
  }

  /** One attempt of a Task state, and for a state that waits for its token also the wait. */
  async function handle(step: Step, execution: string, parameters: Parameters): Promise<StepResult> {
    // An attempt of this execution that timed out will never be heard again: its token is closed.
    tokens.closeAll(execution);
    const payload = 'Payload' in parameters ? parameters.Payload : parameters;
    const answer = payload.taskToken === undefined ? undefined : tokens.open(payload.taskToken, execution);
    const result = await attempt(step, payload, answer);
    return answer ? await answer : result;
  }

  async function attempt(step: Step, payload: StepPayload, answer: Promise<StepResult> | undefined): Promise<StepResult> {
    if (!turns.take()) await turns.wait();
    try {
      return await run(step, payload, answer);
    } finally {
      turns.give();
    }
  }

  async function run(step: Step, payload: StepPayload, answer: Promise<StepResult> | undefined): Promise<StepResult> {
    if (stopped) throw new Stopped();
    const work = options.run(step, payload, options.randomId());
    attempts.add(work);
    const timer = Promise.withResolvers<never>();
    const timeout = setTimeout(() => timer.reject(new FunctionTimedOut(step.state)), options.functionSeconds * 1000);
    work.catch(() => undefined).finally(() => attempts.delete(work));
    try {
      // A token may be answered, also by the attempt itself, before the attempt returns.
      return await Promise.race(answer ? [work, timer.promise, answer] : [work, timer.promise]);
    } finally {
      clearTimeout(timeout);
    }
  }

  return {
    start,
    async state(workflow, payload) {
      return states.get(`${workflow}/${executionName(payload)}`) ?? 'unknown';
    },
    async succeed(token) {
      tokens.succeed(token);
    },
    async fail(token, error, cause) {
      tokens.fail(token, error, cause);
    },
    async stop() {
      stopped = true;
      for (const abort of aborts.values()) abort();
      await Promise.allSettled(attempts);
    },
  };
}

/** Places for attempts: `take` has one at once or is false, `wait` has the next that is given back, first come first served. */
function turnsOf(places = Number.POSITIVE_INFINITY) {
  const waiting: (() => void)[] = [];
  let free = places;
  return {
    take(): boolean {
      if (free === 0) return false;
      free -= 1;
      return true;
    },
    wait: () => new Promise<void>((resolve) => waiting.push(resolve)),
    give(): void {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    },
  };
}

type Parameters = StepPayload | { readonly FunctionName: string; readonly Payload: StepPayload };

function executionName(payload: ExecutionPayload): string {
  return `${payload.operationId}-r${payload.startSeq}`;
}

/** The files are validated by a test; validating again here would cost a tenth of a second each. */
function machine(definition: object): StateMachine {
  return new StateMachine(definition as StateMachineDefinition, { validationOptions: { noValidate: true } });
}

/** Reads the interpreter's events to the end (its queue only grows otherwise) and passes on the telling ones. */
async function watch(
  execution: string,
  events: ReturnType<StateMachine['run']>['eventLogs'],
  onEvent: LocalExecutionsOptions['onEvent'],
): Promise<void> {
  for await (const event of events) {
    if (!onEvent) continue;
    if (event.type === 'StateEntered') onEvent({ execution, kind: 'entered', state: event.state.name });
    if (event.type === 'StateFailed') onEvent({ execution, kind: 'failed', state: event.state.name, error: event.Error });
    if (event.type === 'StateRetried') onEvent({ execution, kind: 'retried', state: event.state.name });
    if (event.type === 'ExecutionSucceeded' || event.type === 'ExecutionAborted') onEvent({ execution, kind: 'ended' });
    if (event.type === 'ExecutionFailed') onEvent({ execution, kind: 'ended', error: event.Error });
  }
}

/** The name is what Step Functions calls a function or a task that ran out of time. */
class FunctionTimedOut extends Error {
  override readonly name = 'States.Timeout';

  constructor(state: string) {
    super(`an attempt of ${state} took longer than its function may`);
  }
}

/** After stop() the interpreter goes round once more where an attempt had failed: it must neither retry nor catch. */
class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly isRetryable = false;
  readonly isCatchable = false;
}
