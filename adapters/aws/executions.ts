import {
  DescribeExecutionCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { DestinationUnavailable, Refused } from '../../core/errors.ts';
import type { ExecutionPayload, Executions, WorkflowName } from '../../core/ports.ts';
import { awsFailure } from '../aws-failure.ts';

/**
 * Executions on AWS Step Functions (Standard workflows). `stateMachineArns` are unqualified: the name of an execution
 * started through a version or an alias could not be told from them. Throws Refused E_INPUT_INVALID on others, and
 * DestinationUnavailable when Step Functions does not do what was asked.
 */
export function stepFunctionsExecutions(options: {
  readonly client: SFNClient;
  readonly stateMachineArns: Readonly<Record<WorkflowName, string>>;
  readonly callSeconds: number;
}): Executions {
  const { client, stateMachineArns, callSeconds } = options;
  for (const [workflow, arn] of Object.entries(stateMachineArns)) {
    if (!unqualified.test(arn))
      throw new Refused('E_INPUT_INVALID', `the ARN of ${workflow} is not that of a state machine without version or alias`);
  }
  const deadline = () => ({ abortSignal: AbortSignal.timeout(callSeconds * 1000) });

  return {
    async start(workflow, payload) {
      const input = { keyId: payload.keyId, operationId: payload.operationId, startSeq: payload.startSeq };
      try {
        await client.send(
          new StartExecutionCommand({
            stateMachineArn: stateMachineArns[workflow],
            name: nameOf(payload),
            input: JSON.stringify(input),
          }),
          deadline(),
        );
      } catch (error) {
        // Also when it has ended: a name stays taken for 90 days. The operation record tells the rest.
        if (awsFailure(error).code !== 'ExecutionAlreadyExists') throw unavailable('StartExecution', error);
      }
    },

    async state(workflow, payload) {
      const executionArn = `${stateMachineArns[workflow].replace(':stateMachine:', ':execution:')}:${nameOf(payload)}`;
      try {
        const { status } = await client.send(new DescribeExecutionCommand({ executionArn, includedData: 'METADATA_ONLY' }), deadline());
        if (status === undefined) return 'unknown';
        return status === 'RUNNING' || status === 'PENDING_REDRIVE' ? 'running' : 'ended';
      } catch {
        // No answer, or no such execution: not started, not visible yet, or gone after its 90 days.
        return 'unknown';
      }
    },

    succeed: (taskToken) =>
      harmless('SendTaskSuccess', () => client.send(new SendTaskSuccessCommand({ taskToken, output: '{}' }), deadline())),

    fail(taskToken, error, cause) {
      // Limits of the API: 256 characters of error, 32,768 of cause.
      const failure = { taskToken, error: error.slice(0, 256), cause: cause.slice(0, 32_768) };
      return harmless('SendTaskFailure', () => client.send(new SendTaskFailureCommand(failure), deadline()));
    },
  };
}

const unqualified = /^arn:[^:]+:states:[^:]+:[^:]*:stateMachine:[^:/]+$/;

function nameOf(payload: ExecutionPayload): string {
  return `${payload.operationId}-r${payload.startSeq}`;
}

/** A token that is closed, timed out or was never given is what a late receipt meets: nothing to do. */
async function harmless(call: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!['TaskTimedOut', 'InvalidToken', 'TaskDoesNotExist'].includes(awsFailure(error).code)) throw unavailable(call, error);
  }
}

function unavailable(call: string, error: unknown): DestinationUnavailable {
  return new DestinationUnavailable(`Step Functions ${call}: ${awsFailure(error).text}`);
}
