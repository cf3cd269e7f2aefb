import { Refused, RekeyError } from '../core/errors.ts';
import type { Log } from '../core/ports.ts';
import { shownName } from '../core/secret-detector.ts';
import type { RunStep, StepPayload, StepResult } from '../workflows/steps.ts';
import { compose, type Part } from './compose.ts';

/** What Lambda says about one invocation; only what we use of it. */
export interface Invocation {
  readonly awsRequestId: string;
  /** The ARN that was called; its fifth part is our account. */
  readonly invokedFunctionArn: string;
}

/**
 * The handler of one row of the step table, given what the row runs, so that a function carries its own step and not the whole table. Each invocation is one attempt, named by its request id. A payload with
 * fields that are missing, unknown or of another type throws Refused E_INPUT_INVALID before anything is touched.
 */
export function stepHandler(
  state: string,
  run: RunStep,
  parts: readonly Part[],
): (event: unknown, invocation: Invocation) => Promise<StepResult> {
  const ports = compose(...parts);
  return (event, { awsRequestId }) => guarded(state, awsRequestId, ports, () => run(ports(), payloadOf(event, state), awsRequestId));
}

/** The handler of a schedule: what the use case answers is logged, because nobody waits for it. */
export function scheduleHandler(
  name: string,
  parts: readonly Part[],
  run: (ports: ReturnType<ReturnType<typeof compose>>, event: unknown) => Promise<{ readonly looked: number }>,
): (event: unknown, invocation: Invocation) => Promise<void> {
  const ports = compose(...parts);
  return (event, { awsRequestId }) =>
    guarded(name, awsRequestId, ports, async () => {
      const answer = await run(ports(), event);
      const counts = Object.entries(answer).map(([what, found]) => [what, Array.isArray(found) ? found.length : Number(found)]);
      ports().log.info(`${name} ended`, Object.fromEntries(counts));
    });
}

/** The handler of an event that a service of AWS sends: nobody waits for the answer, and what fails comes again, then is a dead letter. */
export function eventHandler(
  name: string,
  parts: readonly Part[],
  run: (ports: ReturnType<ReturnType<typeof compose>>, event: unknown, account: string) => Promise<unknown>,
): (event: unknown, invocation: Invocation) => Promise<void> {
  const ports = compose(...parts);
  return (event, { awsRequestId, invokedFunctionArn }) =>
    guarded(name, awsRequestId, ports, async () => {
      await run(ports(), event, invokedFunctionArn.split(':')[4] ?? '');
    });
}

/** The fields of every payload, and those of one state alone. */
const common = { keyId: 'string', operationId: 'string', startSeq: 'number' };
const own: Readonly<Record<string, object>> = { Confirm: { taskToken: 'string' }, Abort: { error: 'string' } };

function payloadOf(event: unknown, state: string): StepPayload {
  // What somebody started an execution with is judged by the step itself.
  if (state === 'Accept') return (event ?? {}) as StepPayload;
  const expected: Record<string, string> = { ...common, ...own[state] };
  const given = typeof event === 'object' && event !== null ? (event as Record<string, unknown>) : {};
  const names = new Set([...Object.keys(expected), ...Object.keys(given)]);
  const problems = [...names]
    .filter((name) => !Object.hasOwn(given, name) || !Object.hasOwn(expected, name) || typeof given[name] !== expected[name])
    .map((name) => ({ path: shownName(name), message: expected[name] ? `must be a ${expected[name]}` : 'is no field' }));
  if (problems.length) throw new Refused('E_INPUT_INVALID', 'the payload is not that of a step', problems);
  return given as unknown as StepPayload;
}

async function guarded<T>(name: string, requestId: string, ports: () => { readonly log: Log }, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw safeError(error, name, requestId, ports);
  }
}

/**
 * What may leave a function of an error: its name, which the workflow matches, and a message made of ids. No stack, no cause,
 * no fields. Of an error that is not ours nothing leaves but its kind, and its stack's places are logged without its message.
 */
function safeError(error: unknown, name: string, requestId: string, ports: () => { readonly log: Log }): Error {
  const ours = error instanceof RekeyError;
  const kind = error instanceof Error ? error.name : typeof error;
  const out = new Error(ours ? error.message : `${name} failed unexpectedly: ${kind}, request ${requestId}`);
  if (ours) out.name = error.name;
  out.stack = '';
  if (!ours) logUnexpected(error, name, requestId, ports);
  return out;
}

/** Logs where an unexpected error came from, and never what it says. */
export function logUnexpected(error: unknown, name: string, requestId: string, ports: () => { readonly log: Log }): void {
  const { stack = '', name: kind = typeof error } = (error ?? {}) as Error;
  const places = stack.split('\n').filter((line) => /^\s+at /.test(line));
  try {
    ports().log.error(`${name} failed unexpectedly`, { requestId, kind, at: places.slice(0, 4).join(' ').trim() });
  } catch {
    // The ports themselves could not be built: the error that leaves says so.
  }
}
