import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { getKey, listVersions } from '../../core/items.ts';
import { history } from '../../core/show.ts';
import definition from '../../workflows/revoke.asl.json' with { type: 'json' };
import { type StepPayload, steps } from '../../workflows/steps.ts';
import { limited } from '../support/limited.ts';
import { end } from '../support/operations.ts';
import { adopted, type World, world } from '../support/world.ts';

const arn = 'arn:aws:states:eu-central-1:111122223333:execution:prod-rekey-revoke:5e0b1c9a-0000-4000-8000-00000000000a';
const row = steps.find(({ state }) => state === 'Accept');

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
});
afterEach(() => end(w));

interface Outcome {
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
  /** How often a step other than Accept ran in this very execution. */
  readonly others: number;
}

/** StartExecution on the revoke workflow with an input of one's own: the file as it is, in the interpreter, with the row's rights only. */
async function startsBare(input: unknown, execution = arn, attempts: (() => void)[] = []): Promise<Outcome> {
  let others = 0;
  const handler = async (parameters: unknown) => {
    const result = await row?.run(limited(w.ports, row.may), parameters as StepPayload, 'attempt');
    attempts.shift()?.();
    return result ?? null;
  };
  const elsewhere = Object.fromEntries(steps.filter(({ state }) => state !== 'Accept').map(({ state }) => [state, async () => others++]));
  const machine = new StateMachine(definition as unknown as StateMachineDefinition, { validationOptions: { noValidate: true } });
  const run = machine.run(input as never, {
    context: { Execution: { Id: execution } },
    overrides: { taskResourceLocalHandlers: { ...elsewhere, Accept: handler } },
  });
  let settled: Outcome | undefined;
  run.result.then(
    (output: unknown) => {
      settled = { output, others };
    },
    (error: Error & { cause?: { name?: string; message?: string } }) => {
      const inner = error.cause ?? error;
      settled = { error: inner.name ?? '', cause: inner.message ?? '', others };
    },
  );
  await w.until(() => settled !== undefined);
  return settled as unknown as Outcome;
}

const requests = async () => (await history(w.ports, keyId)).filter(({ event }) => event === 'revocation.requested');

describe('an execution of the revoke workflow that somebody started with a key alone', () => {
  it('has raised the fence and told the provider in its first state, and the revocation then runs by itself until its reissue is held', async () => {
    const { output, others } = await startsBare({ keyId });
    expect(output).toMatchObject({ keyId, workflow: 'started', fence: 2 });
    expect(others).toBe(0);
    expect((await w.provider.list({ keyId, account: 'default', params: {} })).filter(({ enabled }) => enabled)).toEqual([]);
    expect((await getKey(w.ports, keyId)).revocation?.id).toBe((output as { operationId: string }).operationId);
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    expect(await listVersions(w.ports, keyId)).toMatchObject([{ number: 1, state: 'disabled', compromised: true }]);
  });

  it('is on record by its own ARN, because its input proves nobody', async () => {
    await startsBare({ keyId, reason: 'seen in a log', source: 'log', scope: [1] });
    const [line] = await requests();
    expect(line).toMatchObject({ detail: { reason: 'seen in a log', source: 'log', scope: '1', request: arn } });
    expect(line?.actor).toBe(`states:StartExecution of ${arn} (CloudTrail's StartExecution event of this ARN names who)`);
  });

  it('begins one revocation, however often its first state is tried', async () => {
    let failures = 2;
    const lost = () => {
      if (failures-- > 0) throw Object.assign(new Error('the answer was lost'), { name: 'Lambda.Unknown' });
    };
    const { output } = await startsBare({ keyId }, arn, [lost, lost]);
    expect(failures).toBe(0);
    expect(output).toMatchObject({ keyId });
    expect(await requests()).toHaveLength(1);
    expect(await startsBare({ keyId }, `${arn}b`)).toMatchObject({
      output: { operationId: (output as { operationId: string }).operationId },
    });
  });

  it('fails by name when there is no such key', async () => {
    expect(await startsBare({ keyId: 'payments/nobody' })).toMatchObject({ error: 'Refused', cause: expect.stringContaining('no key') });
  });

  test.each([
    ['nothing', {}, 'keyId: must be the id of a key'],
    ['a text', 'payments/stripe', 'keyId: must be the id of a key'],
    ['a list', ['payments/stripe'], 'keyId: must be the id of a key'],
    ['a key that can be none', { keyId: 'Payments/Stripe' }, 'write payments/stripe'],
    ['an actor', { keyId: 'payments/stripe', actor: 'root' }, 'a field is none of'],
    ['half an operation', { keyId: 'payments/stripe', operationId: 'revoke-x' }, 'a field is none of'],
    ['a source that nobody knows', { keyId: 'payments/stripe', source: 'moon' }, 'source: must be one of'],
    ['a scope of no version', { keyId: 'payments/stripe', scope: [] }, 'scope: must be'],
    ['a reason of two lines', { keyId: 'payments/stripe', reason: 'a\nb' }, 'reason: must be one line'],
  ])('ends in one named error and changes nothing when the input is %s', async (_what, input, cause) => {
    const before = await getKey(w.ports, keyId);
    expect(await startsBare(input)).toMatchObject({ error: 'Refused', cause: expect.stringContaining(cause), others: 0 });
    expect(await getKey(w.ports, keyId)).toEqual(before);
  });

  test.each([
    ['the reason', (value: string) => ({ keyId: 'payments/stripe', reason: `leaked ${value}` })],
    ['the id', (value: string) => ({ keyId: value })],
    ['a field of its own', (value: string) => ({ keyId: 'payments/stripe', more: [{ [value]: 1 }] })],
  ])('refuses what looks like a value in %s, and does not repeat it', async (_where, inputOf) => {
    const value = `sk_live_${'4eC39HqLyjWDarjtT1'}`;
    const { error, cause } = await startsBare(inputOf(value));
    expect(error).toBe('Refused');
    expect(cause).toContain('treat the value as leaked');
    expect(cause).not.toContain(value.slice(8, 20));
    expect((await getKey(w.ports, keyId)).revocation).toBeNull();
  });
});

describe('an execution of an operation that is on record', () => {
  it('goes on as always', async () => {
    expect((await startsBare({ keyId, operationId: 'revoke-x', startSeq: 1 })).others).toBeGreaterThan(0);
  });
});
