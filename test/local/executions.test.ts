import { install } from '@sinonjs/fake-timers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fenced, Superseded, VerificationFailed } from '../../core/errors.ts';
import type { ExecutionPayload } from '../../core/ports.ts';
import { type ExecutionEvent, type LocalExecutions, localExecutions } from '../../local/executions.ts';
import revoke from '../../workflows/revoke.asl.json' with { type: 'json' };
import rotate from '../../workflows/rotate.asl.json' with { type: 'json' };
import type { Step, StepPayload, StepResult } from '../../workflows/steps.ts';

const payload: ExecutionPayload = { keyId: 'payments/stripe', operationId: 'op', startSeq: 1 };
const overlapSeconds = 100;

interface Call {
  readonly state: string;
  readonly payload: StepPayload;
  readonly attemptId: string;
  readonly at: number;
}

/** What a step does on its n-th attempt; without an entry it returns what its Wait or Choice needs. */
type Behaviour = (attempt: number, payload: StepPayload) => Promise<StepResult>;

describe('local executions', () => {
  let clock: ReturnType<typeof install>;
  let calls: Call[];
  let events: ExecutionEvent[];
  let behaviour: Record<string, Behaviour>;
  let executions: LocalExecutions;

  beforeEach(() => {
    clock = install({ now: Date.parse('2026-11-23T20:00:00Z'), toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    [calls, events, behaviour] = [[], [], {}];
    executions = start();
  });
  afterEach(() => clock.uninstall());

  function start(definitions: { rotate: object; revoke: object } = { rotate, revoke }, atOnce?: number): LocalExecutions {
    let ids = 0;
    return localExecutions({
      steps: rows,
      ...(atOnce === undefined ? {} : { atOnce }),
      definitions,
      functionSeconds: 11,
      randomId: () => `id-${++ids}`,
      onEvent: (event) => events.push(event),
      run: (step, given, attemptId) => {
        calls.push({ state: step.state, payload: given, attemptId, at: clock.now });
        const attempt = calls.filter((call) => call.state === step.state).length;
        return behaviour[step.state]?.(attempt, given) ?? Promise.resolve(results(step.state));
      },
    });
  }

  function results(state: string): StepResult {
    if (state === 'Distribute') return { overlapUntil: new Date(clock.now + overlapSeconds * 1000).toISOString() };
    if (state === 'Abort' || state === 'Validate') return { quiesceSeconds: 13 };
    if (state === 'Attribute') return { next: 'reissue' };
    return {};
  }

  /** Lets virtual time pass until nothing happens any more, or until `done`. */
  async function settle(done: () => boolean = () => false): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (done() || clock.countTimers() === 0) return;
      clock.next();
    }
  }

  const states = () => calls.map((call) => call.state);
  const ended = () => events.filter((event) => event.kind === 'ended');
  const tokenOf = (attempt: number) => calls.filter((call) => call.state === 'Confirm')[attempt - 1]?.payload.taskToken ?? '';

  test('a rotation runs its steps in the order of the file and waits for the overlap and for the token', async () => {
    await executions.start('rotate', payload);
    await settle(() => states().includes('Confirm'));
    expect(states()).toEqual(['Issue', 'Distribute', 'Confirm']);
    expect(calls[2]!.at - calls[1]!.at).toBe(overlapSeconds * 1000);
    expect(await executions.state('rotate', payload)).toBe('running');

    await executions.succeed(tokenOf(1));
    await settle();
    expect(states()).toEqual(['Issue', 'Distribute', 'Confirm', 'Verify', 'Retire']);
    expect(await executions.state('rotate', payload)).toBe('ended');
    expect(ended()).toEqual([{ execution: 'op-r1', kind: 'ended' }]);
  });

  test('no more attempts run side by side than there are places; the others begin in turn, each with its whole time, and none after a stop', async () => {
    executions = start({ rotate, revoke }, 2);
    behaviour.Issue = () => new Promise((resolve) => setTimeout(() => resolve({}), 10_000));
    const from = clock.now;
    for (const operationId of ['a', 'b', 'c', 'd', 'e']) await executions.start('rotate', { ...payload, operationId });
    await settle(() => calls.filter(({ state }) => state === 'Issue').length === 4);
    const begun = () => calls.filter(({ state }) => state === 'Issue');
    expect(begun().map(({ payload: { operationId }, at }) => [operationId, at - from])).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 10_000],
      ['d', 10_000],
    ]);
    expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]);
    const stopping = executions.stop();
    await settle();
    await stopping;
    expect(begun()).toHaveLength(4);
  });

  test('a step receives ids and numbers only, and each attempt has an id of its own', async () => {
    behaviour.Issue = async (attempt) => (attempt < 3 ? Promise.reject(new Fenced('again')) : {});
    await executions.start('rotate', payload);
    await settle(() => states().includes('Distribute'));
    const issues = calls.filter((call) => call.state === 'Issue');
    expect(issues.map((call) => call.payload)).toEqual([payload, payload, payload]);
    expect(new Set(issues.map((call) => call.attemptId)).size).toBe(3);
    expect(issues.map((call) => call.at - issues[0]!.at)).toEqual([0, 1000, 2500]);
  });

  test('a second start under the same name changes nothing, also after the execution ended', async () => {
    await executions.start('revoke', payload);
    await executions.start('revoke', payload);
    await settle();
    await executions.start('revoke', payload);
    await settle();
    expect(states()).toEqual(['Disable', 'Notify', 'Validate', 'Attribute', 'Issue', 'Distribute', 'Verify', 'Close']);
  });

  test('an execution that nobody started is unknown', async () => {
    expect(await executions.state('rotate', { ...payload, startSeq: 2 })).toBe('unknown');
  });

  test('an attempt that outlives its function ends with States.Timeout and is tried again', async () => {
    behaviour.Issue = (attempt) => (attempt === 1 ? new Promise(() => undefined) : Promise.resolve({}));
    await executions.start('rotate', payload);
    await settle(() => states().includes('Distribute'));
    expect(events).toContainEqual({ execution: 'op-r1', kind: 'failed', state: 'Issue', error: 'States.Timeout' });
    expect(calls[1]!.at - calls[0]!.at).toBe(12_000);
  });

  test('a named failure goes to Abort, waits out the quiesce and fails with the first cause', async () => {
    behaviour.Verify = () => Promise.reject(new VerificationFailed('refused'));
    behaviour.Confirm = async (_, given) => {
      await executions.succeed(given.taskToken ?? '');
      return {};
    };
    await executions.start('rotate', payload);
    await settle();
    expect(states()).toEqual(['Issue', 'Distribute', 'Confirm', 'Verify', 'Abort', 'RollBack']);
    expect(calls[5]!.at - calls[4]!.at).toBe(13_000);
    expect(ended()).toEqual([{ execution: 'op-r1', kind: 'ended', error: 'VerificationFailed' }]);
  });

  test('Superseded ends the execution with no further step', async () => {
    behaviour.Distribute = () => Promise.reject(new Superseded('revoked'));
    await executions.start('rotate', payload);
    await settle();
    expect(states()).toEqual(['Issue', 'Distribute']);
    expect(ended()).toEqual([{ execution: 'op-r1', kind: 'ended' }]);
  });

  test('Confirm that nobody answers comes back with a new token, and the old token is harmless', async () => {
    await executions.start('rotate', payload);
    await settle(() => states().filter((state) => state === 'Confirm').length === 2);
    expect(tokenOf(1)).not.toBe(tokenOf(2));
    await executions.succeed(tokenOf(1));
    await executions.fail(tokenOf(1), 'Superseded', 'late');
    await executions.succeed('never opened');
    await settle(() => states().filter((state) => state === 'Confirm').length === 3);
    expect(states()).not.toContain('Verify');
    await executions.succeed(tokenOf(3));
    await executions.succeed(tokenOf(3));
    await settle();
    expect(states().at(-1)).toBe('Retire');
  });

  test('a token that is failed ends Confirm with that error, by name', async () => {
    await executions.start('rotate', payload);
    await settle(() => states().includes('Confirm'));
    await executions.fail(tokenOf(1), 'AdoptionTimedOut', 'nobody moved');
    await settle();
    expect(states().slice(-2)).toEqual(['Abort', 'RollBack']);
    expect(ended()[0]!.error).toBe('AdoptionTimedOut');
  });

  test('a token may be answered while its own attempt is still under way', async () => {
    behaviour.Confirm = async (_, given) => {
      await executions.succeed(given.taskToken ?? '');
      return await new Promise(() => undefined);
    };
    await executions.start('rotate', payload);
    await settle();
    expect(states().at(-1)).toBe('Retire');
    expect(events.filter((event) => event.kind === 'failed')).toEqual([]);
  });

  test('stop ends every execution, waits for the attempts under way, and nothing runs or starts afterwards', async () => {
    const underWay = Promise.withResolvers<StepResult>();
    behaviour.Issue = () => underWay.promise;
    behaviour.Disable = () => Promise.reject(new Fenced('again'));
    await executions.start('rotate', payload);
    await executions.start('revoke', { ...payload, operationId: 'other' });
    await executions.start('rotate', { ...payload, operationId: 'third' });
    const before = states().length;
    let stopped = false;
    const stopping = executions.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    underWay.resolve({});
    await stopping;
    await executions.start('rotate', { ...payload, startSeq: 2 });
    await settle();
    expect(states().length).toBe(before);
    expect(await executions.state('revoke', { ...payload, operationId: 'other' })).toBe('ended');
  });

  test('a wait of 90 days takes 90 days', async () => {
    behaviour.Distribute = async () => ({ overlapUntil: new Date(clock.now + 90 * 86_400_000).toISOString() });
    await executions.start('rotate', payload);
    await settle(() => states().includes('Confirm'));
    expect(Math.round((calls[2]!.at - calls[1]!.at) / 1000)).toBe(90 * 86_400);
  });

  test('the same history twice gives the same log', async () => {
    const history = async () => {
      await executions.stop();
      clock.reset();
      [calls, events] = [[], []];
      executions = start();
      behaviour.Issue = async (attempt) => (attempt < 4 ? Promise.reject(new Fenced('again')) : {});
      const from = clock.now;
      for (let n = 0; n < 20; n++) await executions.start(n % 2 ? 'rotate' : 'revoke', { ...payload, operationId: `op-${n}` });
      await settle(() => states().filter((state) => state === 'Confirm').length === 30);
      return calls.map((call) => [call.state, call.payload.operationId, call.attemptId, call.at - from]);
    };
    expect(await history()).toEqual(await history());
  });
});

/** The rows as the workflow files name them, without the steps themselves. */
const rows: Step[] = [...stateNames('rotate', rotate), ...stateNames('revoke', revoke)];

function stateNames(workflow: 'rotate' | 'revoke', definition: { States: Record<string, { Type: string }> }): Step[] {
  return Object.entries(definition.States)
    .filter(([, state]) => state.Type === 'Task')
    .map(([state]) => ({ state, workflows: [workflow], entry: '', may: [], run: async () => ({}) }));
}
