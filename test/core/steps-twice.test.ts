import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { getKey } from '../../core/items.ts';
import type { ExecutionPayload, Ports } from '../../core/ports.ts';
import { type Step, type StepPayload, steps } from '../../workflows/steps.ts';
import { beginsRotation, end, revokes } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
afterEach(() => end(w));

/** The payload of the execution that would have been started last: here steps run by hand, one after the other. */
let started: ExecutionPayload;
const byHand = (ports: Ports): Ports => ({
  ...ports,
  executions: {
    ...ports.executions,
    start: async (_workflow, payload) => {
      started = payload;
    },
  },
});

/** Steps in an order that an operation can take, by state name; each history begins with a request. */
const histories: readonly {
  readonly name: string;
  readonly begin: (keyId: string) => Promise<unknown>;
  readonly workflow: 'rotate' | 'revoke';
  readonly order: readonly string[];
}[] = [
  {
    name: 'a rotation',
    begin: (keyId) => beginsRotation(w, keyId),
    workflow: 'rotate',
    order: ['Issue', 'Distribute', 'Confirm', 'Verify', 'Retire'],
  },
  {
    name: 'a rotation that is taken back',
    begin: (keyId) => beginsRotation(w, keyId),
    workflow: 'rotate',
    order: ['Issue', 'Distribute', 'Abort', 'RollBack'],
  },
  {
    name: 'a revocation',
    begin: (keyId) => revokes(w, keyId),
    workflow: 'revoke',
    order: ['Disable', 'Notify', 'Validate', 'Attribute', 'Issue', 'Distribute', 'Verify', 'Close'],
  },
];

const stepOf = (state: string): Step => {
  const step = steps.find((one) => one.state === state);
  if (!step) throw new Error(`the table has no step ${state}`);
  return step;
};

let attempts = 0;
const run = (state: string, payload: StepPayload, attemptId = `attempt-${++attempts}`) => stepOf(state).run(w.ports, payload, attemptId);

/** Runs a step until it succeeds, as its workflow's retries would; returns the attempt that did. */
async function succeed(state: string, payload: StepPayload): Promise<string> {
  for (let i = 0; i < 100; i++) {
    const attemptId = `attempt-${++attempts}`;
    const error: Error | null = await run(state, payload, attemptId).then(
      () => null,
      (fault: Error) => fault,
    );
    if (!error) return attemptId;
    await w.pass(2);
    if (!['ProbeAgain', 'Unfinished', 'ConsumersNotBack'].includes(error.name)) throw error;
  }
  throw new Error(`${state} did not succeed`);
}

/** Waits as the workflow would before a step. */
async function waitBefore(state: string, keyId: string): Promise<void> {
  if (state === 'Confirm') await w.pass(30);
  if (state === 'RollBack' || state === 'Attribute') await w.pass(15);
  expect((await getKey(w.ports, keyId)).facts.id).toBe(keyId);
}

/** Everything that a step could have changed; values as digests. */
async function everything(keyId: string): Promise<string> {
  const digest = (text: string | undefined) => (text === undefined ? 'nothing' : createHash('sha256').update(text).digest('hex'));
  const facts = testFacts();
  const listed = await w.provider.list({ keyId, account: '', params: {} });
  return JSON.stringify(
    {
      items: w.inventory.items(),
      provider: listed.map((one) => ({ ...one, accepted: w.provider.accepts(one.credentialId) })),
      destinations: await Promise.all(
        facts.destinations.map(async (spec) => digest((await w.ports.destination(spec.kind).read(spec))?.reveal())),
      ),
      labels: await w.ports.secrets.labels(keyId),
      notices: w.notices.map(({ id }) => id),
    },
    null,
    1,
  );
}

describe.each(histories)('in $name', ({ begin, order, workflow }) => {
  it.each(order)('%s run a second time changes nothing, right afterwards and when the workflow has moved on', async (state) => {
    w = world({ wrap: byHand, reconciler: false });
    const facts = testFacts();
    const keyId = await adopted(w, facts);
    services(w, facts);
    await begin(keyId);
    const payload: StepPayload = { ...started, ...(state === 'Confirm' ? { taskToken: 'token' } : {}), error: 'test' };
    for (const one of order.slice(0, order.indexOf(state))) {
      await waitBefore(one, keyId);
      await succeed(one, one === 'Confirm' ? { ...payload, taskToken: 'token' } : payload);
    }
    await waitBefore(state, keyId);
    const attemptId = await succeed(state, payload);
    const once = await everything(keyId);
    expect(stepOf(state).workflows).toContain(workflow);

    await again(state, payload, attemptId);
    expect(await everything(keyId), 'the same attempt again').toBe(once);
    await again(state, payload);
    expect(await everything(keyId), 'a new attempt').toBe(once);

    for (const one of order.slice(order.indexOf(state) + 1)) {
      await waitBefore(one, keyId);
      await succeed(one, one === 'Confirm' ? { ...payload, taskToken: 'token' } : payload);
      const moved = await everything(keyId);
      await again(state, payload);
      expect(await everything(keyId), `a new attempt after ${one}`).toBe(moved);
    }
  });
});

/** A second run of a step ends well, or says by name that its operation is past it. */
async function again(state: string, payload: StepPayload, attemptId?: string): Promise<void> {
  const outcome = await run(state, payload, attemptId).then(
    () => 'done',
    (error: Error) => error.name,
  );
  expect(['done', 'Superseded', 'RollingBack']).toContain(outcome);
}

describe('the table of steps', () => {
  it('has no row without a history above, in each of its workflows', () => {
    const covered = new Set(histories.flatMap(({ workflow, order }) => order.map((state) => `${workflow} ${state}`)));
    // Accept comes before there is an operation; test/core/accept.test.ts tries it several times.
    const rows = steps.filter(({ state }) => state !== 'Accept');
    expect(rows.flatMap(({ state, workflows }) => workflows.map((workflow) => `${workflow} ${state}`)).sort()).toEqual([...covered].sort());
  });
});
