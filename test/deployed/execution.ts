import {
  DescribeExecutionCommand,
  type ExecutionListItem,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';

/** One execution as Step Functions tells it. */
export interface ExecutionSeen {
  readonly status: string;
  readonly error: string | undefined;
  readonly input: unknown;
  /** The states it entered so far, in order. */
  readonly states: readonly string[];
}

/** How one execution stands. Throws the service's error when there is none. */
export async function describeExecution(client: SFNClient, executionArn: string): Promise<ExecutionSeen> {
  const { status = '', error, input = 'null' } = await client.send(new DescribeExecutionCommand({ executionArn }));
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new GetExecutionHistoryCommand({ executionArn, ...(nextToken ? { nextToken } : {}) }));
    events.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken);
  const states = events.flatMap(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? []);
  return { status, error, input: JSON.parse(input), states };
}

/** Every execution of a state machine. */
export async function listExecutions(client: SFNClient, stateMachineArn: string): Promise<ExecutionListItem[]> {
  const all: ExecutionListItem[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(new ListExecutionsCommand({ stateMachineArn, ...(nextToken ? { nextToken } : {}) }));
    all.push(...(page.executions ?? []));
    nextToken = page.nextToken;
  } while (nextToken);
  return all;
}
