import { AwsError, type FakeService, serve } from './server.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'PENDING_REDRIVE';

interface Execution {
  readonly input: string;
  status: ExecutionStatus;
}

export interface FakeStepFunctions extends FakeService {
  readonly stateMachineArns: { readonly rotate: string; readonly revoke: string };
  /** By ARN. */
  readonly executions: Map<string, Execution>;
  /** Task tokens: open ones can be answered once. */
  readonly tokens: Map<string, 'open' | 'timed-out' | { readonly output?: string; readonly error?: string; readonly cause?: string }>;
}

/** Standard workflows of Step Functions after the API reference: names are taken for good, tokens are answered once. */
export async function fakeStepFunctions(): Promise<FakeStepFunctions> {
  const arn = (name: string) => `arn:aws:states:eu-central-1:123456789012:stateMachine:${name}`;
  const stateMachineArns = { rotate: arn('rekey-rotate'), revoke: arn('rekey-revoke') };
  const executions: FakeStepFunctions['executions'] = new Map();
  const tokens: FakeStepFunctions['tokens'] = new Map();

  const answerToken = (token: unknown, answer: { output?: string; error?: string; cause?: string }) => {
    const state = tokens.get(String(token));
    if (state === undefined) throw new AwsError('InvalidToken');
    if (state === 'timed-out') throw new AwsError('TaskTimedOut');
    if (state !== 'open') throw new AwsError('TaskTimedOut');
    tokens.set(String(token), answer);
    return {};
  };

  const service = await serve('json', ({ action, input }) => {
    switch (action) {
      case 'StartExecution': {
        const machine = String(input.stateMachineArn);
        if (!Object.values(stateMachineArns).includes(machine)) throw new AwsError('StateMachineDoesNotExist');
        const name = String(input.name);
        if (!/^[^\s:/,;"#%\\^|~$&<>{}[\]?*`\p{Cc}]{1,80}$/u.test(name)) throw new AwsError('InvalidName');
        JSON.parse(String(input.input));
        const executionArn = `${machine.replace(':stateMachine:', ':execution:')}:${name}`;
        const known = executions.get(executionArn);
        if (known && (known.status !== 'RUNNING' || known.input !== input.input)) throw new AwsError('ExecutionAlreadyExists');
        if (!known) executions.set(executionArn, { input: String(input.input), status: 'RUNNING' });
        return { executionArn, startDate: 1_700_000_000 };
      }
      case 'DescribeExecution': {
        const found = executions.get(String(input.executionArn));
        if (!found) throw new AwsError('ExecutionDoesNotExist');
        return { executionArn: input.executionArn, status: found.status, startDate: 1_700_000_000 };
      }
      case 'SendTaskSuccess':
        JSON.parse(String(input.output));
        return answerToken(input.taskToken, { output: String(input.output) });
      case 'SendTaskFailure': {
        const [error, cause] = [String(input.error), String(input.cause)];
        if (error.length > 256 || cause.length > 32_768) throw new AwsError('ValidationException');
        return answerToken(input.taskToken, { error, cause });
      }
      default:
        throw new AwsError('UnknownOperationException');
    }
  });
  return Object.assign(service, { stateMachineArns, executions, tokens });
}
