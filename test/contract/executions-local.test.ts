import type { ExecutionPayload } from '../../core/ports.ts';
import { localExecutions } from '../../local/executions.ts';
import type { Step, StepPayload, StepResult } from '../../workflows/steps.ts';
import { describeExecutions } from './executions.ts';

/** One state that waits for its token, and what follows each answer. */
const definition = {
  StartAt: 'Wait',
  States: {
    Wait: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Parameters: {
        FunctionName: 'wait',
        Payload: { 'keyId.$': '$.keyId', 'operationId.$': '$.operationId', 'startSeq.$': '$.startSeq', 'taskToken.$': '$$.Task.Token' },
      },
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Failed' }],
      Next: 'Succeeded',
    },
    Failed: {
      Type: 'Task',
      Resource: 'failed',
      Parameters: { 'keyId.$': '$.failure.Error', 'operationId.$': '$.failure.Cause' },
      End: true,
    },
    Succeeded: { Type: 'Succeed' },
  },
};

const row = (state: string): Step => ({
  state,
  workflows: ['rotate', 'revoke'],
  entry: '',
  may: [],
  run: async () => ({}),
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

describeExecutions('local', async () => {
  const waits: StepPayload[] = [];
  const failures = new Map<string, StepPayload>();
  const ended = new Set<string>();
  let ids = 0;
  const local = localExecutions({
    steps: [row('Wait'), row('Failed')],
    definitions: { rotate: definition, revoke: definition },
    functionSeconds: 60,
    randomId: () => `id-${++ids}`,
    onEvent: ({ kind, execution }) => {
      if (kind === 'ended') ended.add(execution);
    },
    run: async (step, payload): Promise<StepResult> => {
      if (step.state === 'Wait') waits.push(payload);
      else failures.set('last', payload);
      return {};
    },
  });
  const plain = ({ keyId, operationId, startSeq }: StepPayload): ExecutionPayload => ({ keyId, operationId, startSeq });
  const waitOf = (payload: ExecutionPayload) =>
    waits.find((wait) => wait.operationId === payload.operationId && wait.startSeq === payload.startSeq)?.taskToken ?? '';
  return {
    executions: {
      ...local,
      // The workflow goes on in its own turn.
      succeed: async (token) => {
        await local.succeed(token);
        await turn();
      },
      fail: async (token, error, cause) => {
        await local.fail(token, error, cause);
        await turn();
      },
    },
    begun: async (operationId) => {
      await turn();
      return waits.filter((wait) => wait.operationId === operationId).map(plain);
    },
    async end(_workflow, payload) {
      await turn();
      await local.succeed(waitOf(payload));
      await turn();
    },
    async waiting() {
      const payload = { keyId: 'payments/stripe', operationId: `waiting-${++ids}`, startSeq: 1 };
      failures.clear();
      await local.start('rotate', payload);
      await turn();
      const token = waitOf(payload);
      return {
        token,
        answer() {
          const failure = failures.get('last');
          if (failure) return { error: failure.keyId, cause: failure.operationId };
          return ended.has(`${payload.operationId}-r1`) ? 'succeeded' : 'none';
        },
      };
    },
    close: () => local.stop(),
  };
});
