import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecutionPayload, Executions, WorkflowName } from '../../core/ports.ts';

export interface Subject {
  readonly executions: Executions;
  /** The payloads with which executions of this operation have really begun, in order. */
  begun(operationId: string): readonly ExecutionPayload[] | Promise<readonly ExecutionPayload[]>;
  /** Lets a running execution come to its end. */
  end(workflow: WorkflowName, payload: ExecutionPayload): Promise<void> | void;
  /** A token that a step waits on, and what it has been answered so far. */
  waiting(): Promise<{
    readonly token: string;
    answer(): 'none' | 'succeeded' | { readonly error: string; readonly cause: string };
  }>;
  close(): Promise<void>;
}

/** What every implementation of executions does. `make` starts workflows that run until `end` is called. */
export function describeExecutions(name: string, make: () => Promise<Subject>): void {
  describe(`executions: ${name}`, () => {
    let subject: Subject;
    let executions: Executions;

    beforeAll(async () => {
      subject = await make();
      executions = subject.executions;
    });
    afterAll(async () => await subject?.close());

    const fresh = (startSeq = 1): ExecutionPayload => ({
      keyId: 'payments/stripe',
      operationId: `op${randomUUID().replaceAll('-', '')}`,
      startSeq,
    });

    it('does not call an execution running or ended that was never started', async () => {
      expect(await executions.state('rotate', fresh())).toBe('unknown');
    });

    it('starts an execution with ids and numbers only, and sees it running', async () => {
      const payload = fresh();
      await executions.start('rotate', payload);
      expect(await executions.state('rotate', payload)).toBe('running');
      expect(await subject.begun(payload.operationId)).toEqual([payload]);
    });

    it('starts it once when it is asked twice, also at the same time', async () => {
      const payload = fresh();
      await Promise.all([executions.start('rotate', payload), executions.start('rotate', payload)]);
      await executions.start('rotate', payload);
      expect(await subject.begun(payload.operationId)).toHaveLength(1);
    });

    it('does not start it again after its end', async () => {
      const payload = fresh();
      await executions.start('revoke', payload);
      await subject.end('revoke', payload);
      expect(await executions.state('revoke', payload)).toBe('ended');
      await executions.start('revoke', payload);
      expect(await executions.state('revoke', payload)).toBe('ended');
      expect(await subject.begun(payload.operationId)).toHaveLength(1);
    });

    it('starts the next execution of the same operation beside the one before', async () => {
      const first = fresh(1);
      const second = { ...first, startSeq: 2 };
      await executions.start('rotate', first);
      await subject.end('rotate', first);
      await executions.start('rotate', second);
      expect(await executions.state('rotate', first)).toBe('ended');
      expect(await executions.state('rotate', second)).toBe('running');
      expect(await subject.begun(first.operationId)).toEqual([first, second]);
    });

    it('answers a waiting step once; a later answer is harmless', async () => {
      const step = await subject.waiting();
      expect(step.answer()).toBe('none');
      await executions.succeed(step.token);
      expect(step.answer()).toBe('succeeded');
      await executions.succeed(step.token);
      await executions.fail(step.token, 'Superseded', 'too late');
      expect(step.answer()).toBe('succeeded');
    });

    it('fails a waiting step with the name of the error', async () => {
      const step = await subject.waiting();
      await executions.fail(step.token, 'Superseded', 'a revocation took the key');
      expect(step.answer()).toEqual({ error: 'Superseded', cause: 'a revocation took the key' });
    });

    it('takes a token that nobody gave out for one that is closed', async () => {
      await executions.succeed('no-such-token');
      await executions.fail('no-such-token', 'Superseded', 'nobody waits');
    });
  });
}
