import { randomUUID } from 'node:crypto';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stepFunctionsExecutions } from '../../adapters/aws/executions.ts';
import { DestinationUnavailable, Refused } from '../../core/errors.ts';
import type { ExecutionPayload, Executions, WorkflowName } from '../../core/ports.ts';
import { clientSettings } from '../support/aws/server.ts';
import { type ExecutionStatus, type FakeStepFunctions, fakeStepFunctions } from '../support/aws/step-functions.ts';
import { describeExecutions } from './executions.ts';

const arnOf = (fake: FakeStepFunctions, workflow: WorkflowName, { operationId, startSeq }: ExecutionPayload) =>
  `${fake.stateMachineArns[workflow].replace('stateMachine', 'execution')}:${operationId}-r${startSeq}`;

const set = (fake: FakeStepFunctions, workflow: WorkflowName, payload: ExecutionPayload, status: ExecutionStatus) => {
  const execution = fake.executions.get(arnOf(fake, workflow, payload));
  if (!execution) throw new Error('no such execution');
  execution.status = status;
};

const make = (fake: FakeStepFunctions, callSeconds: number) =>
  stepFunctionsExecutions({
    client: new SFNClient(clientSettings(fake.endpoint)),
    stateMachineArns: fake.stateMachineArns,
    callSeconds,
  });

describeExecutions('Step Functions', async () => {
  const fake = await fakeStepFunctions();
  return {
    executions: make(fake, 5),
    begun: (operationId) =>
      [...fake.executions.values()].map(({ input }) => JSON.parse(input)).filter((payload) => payload.operationId === operationId),
    end: (workflow, payload) => set(fake, workflow, payload, 'SUCCEEDED'),
    async waiting() {
      const token = randomUUID();
      fake.tokens.set(token, 'open');
      return {
        token,
        answer() {
          const answer = fake.tokens.get(token);
          if (answer === undefined || typeof answer === 'string') return 'none';
          return answer.output === undefined ? { error: answer.error ?? '', cause: answer.cause ?? '' } : 'succeeded';
        },
      };
    },
    close: fake.close,
  };
});

describe('executions: Step Functions in particular', () => {
  let fake: FakeStepFunctions;
  let executions: Executions;
  const payload = { keyId: 'a/b', operationId: 'op', startSeq: 3 };

  beforeAll(async () => {
    fake = await fakeStepFunctions();
    executions = make(fake, 1);
  });
  afterAll(() => fake.close());

  it('tells running from ended by every status that AWS has', async () => {
    await executions.start('rotate', payload);
    const seen: Record<string, string> = {};
    for (const status of ['RUNNING', 'PENDING_REDRIVE', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const) {
      set(fake, 'rotate', payload, status);
      seen[status] = await executions.state('rotate', payload);
    }
    expect(seen).toEqual({
      RUNNING: 'running',
      PENDING_REDRIVE: 'running',
      SUCCEEDED: 'ended',
      FAILED: 'ended',
      TIMED_OUT: 'ended',
      ABORTED: 'ended',
    });
  });

  it('sends nothing but the three fields of the payload', async () => {
    await executions.start('revoke', { ...payload, extra: 'x' } as ExecutionPayload);
    expect(JSON.parse(fake.executions.get(arnOf(fake, 'revoke', payload))?.input ?? '')).toEqual(payload);
  });

  it('takes a token that timed out for one that is closed', async () => {
    fake.tokens.set('late', 'timed-out');
    await executions.succeed('late');
    await executions.fail('late', 'Superseded', 'x'.repeat(40_000));
    expect(fake.tokens.get('late')).toBe('timed-out');
  });

  it('cuts a cause to what Step Functions takes', async () => {
    fake.tokens.set('long', 'open');
    await executions.fail('long', 'Superseded', 'x'.repeat(40_000));
    expect(fake.tokens.get('long')).toMatchObject({ error: 'Superseded' });
  });

  it('says that it does not know when Step Functions does not answer', async () => {
    fake.fail('DescribeExecution', { kind: 'no-answer' });
    expect(await executions.state('rotate', payload)).toBe('unknown');
    fake.fail('DescribeExecution', { kind: 'error', code: 'AccessDeniedException', status: 400 });
    expect(await executions.state('rotate', payload)).toBe('unknown');
  });

  it('throws a named error when nothing was started or answered', async () => {
    const next = { ...payload, startSeq: 4 };
    fake.fail('StartExecution', { kind: 'error', code: 'ThrottlingException', status: 400 });
    await expect(executions.start('rotate', next)).rejects.toBeInstanceOf(DestinationUnavailable);
    fake.fail('StartExecution', { kind: 'lost-answer' });
    await expect(executions.start('rotate', next)).rejects.toBeInstanceOf(DestinationUnavailable);
    await executions.start('rotate', next);
    fake.fail('SendTaskSuccess', { kind: 'no-answer' });
    await expect(executions.succeed('long')).rejects.toBeInstanceOf(DestinationUnavailable);
  });

  it('refuses the ARN of a version, of an alias, or of something else', () => {
    for (const rotate of [`${fake.stateMachineArns.rotate}:live`, `${fake.stateMachineArns.rotate}/map`, 'arn:aws:lambda:x:1:function:y']) {
      const client = new SFNClient(clientSettings(fake.endpoint));
      const stateMachineArns = { ...fake.stateMachineArns, rotate };
      expect(() => stepFunctionsExecutions({ client, stateMachineArns, callSeconds: 1 })).toThrow(Refused);
    }
  });
});
