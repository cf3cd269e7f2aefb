import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ports } from '../../core/ports.ts';
import type { ApiEvent } from '../../functions/http-handler.ts';
import { startServer } from '../../local/server.ts';
import { answer } from '../../requests/answer.ts';
import { requests } from '../../requests/requests.ts';
import { routes } from '../../requests/routes.ts';
import { steps } from '../../workflows/steps.ts';
import { beginsRotation, end } from '../support/operations.ts';
import { adopted, type World, world } from '../support/world.ts';
import { expectNoEcho, hostileText, hostileValue, mutationsOf, planted } from './hostile.ts';

let ports: Ports;
vi.mock('../../functions/compose.ts', async (original) => ({
  ...(await original<typeof import('../../functions/compose.ts')>()),
  compose: () => () => ports,
}));
const { handler: operate } = await import('../../functions/operate.ts');
const { handler: intake } = await import('../../functions/intake.ts');
const { handler: acknowledge } = await import('../../functions/acknowledge.ts');
const { handler: scheduled } = await import('../../functions/sweep.ts');
const { stepHandler } = await import('../../functions/handler.ts');

const account = '123456789012';
const invocation = {
  awsRequestId: '00000000-0000-4000-8000-000000000001',
  invokedFunctionArn: `arn:aws:lambda:eu-central-1:${account}:function:f`,
};

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world({ reconciler: false });
  keyId = await adopted(w);
  ports = { ...w.ports, executions: { ...w.ports.executions, start: async () => undefined } };
});
afterEach(() => end(w));

const stored = () => JSON.stringify(w.inventory.items());

const event = (body: string, path: string): ApiEvent => ({
  rawPath: path,
  headers: { 'content-type': 'application/json' },
  body,
  isBase64Encoded: false,
  requestContext: { http: { method: 'POST' }, authorizer: { iam: { accountId: account, userArn: `arn:aws:iam::${account}:user/ada` } } },
});

describe.each([
  ['operators', operate],
  ['responders', intake],
  ['consumers', acknowledge],
] as const)('the door of the %s, whatever is sent to it,', (_who, handler) => {
  const body = fc.oneof(
    hostileText,
    hostileValue.map((value) => JSON.stringify(value) ?? ''),
  );
  const path = fc.oneof(fc.constantFrom(...routes.map((route) => `/${route.path}`)), hostileText);

  it('answers with a named code, repeats nothing and stores nothing', async () => {
    // As API Gateway sends it: texts, whatever is in them.
    const sent = fc.record({
      path,
      body,
      type: fc.oneof({ weight: 4, arbitrary: fc.constant('application/json') }, { weight: 1, arbitrary: hostileText }),
      isBase64Encoded: fc.boolean(),
      method: fc.constantFrom('POST', 'POST', 'GET', ''),
      accountId: fc.constantFrom(account, account, '210987654321', ''),
      userArn: fc.oneof(fc.constant(`arn:aws:iam::${account}:user/ada`), hostileText),
    });
    await fc.assert(
      fc.asyncProperty(sent, async ({ method, accountId, userArn, type, isBase64Encoded, ...given }) => {
        const requestContext = { http: { method }, authorizer: { iam: { accountId, userArn } } };
        const whole = { ...event(given.body, given.path), headers: { 'content-type': type }, isBase64Encoded, requestContext };
        const before = stored();
        const { statusCode, body: said } = await handler(whole, invocation);
        const { error } = JSON.parse(said) as { error?: { code: string } };
        if (statusCode === 200) return;
        expect(error?.code).toMatch(/^E_(?!INTERNAL)[A-Z_]+$/);
        expectNoEcho(said);
        expect(stored()).toBe(before);
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ['another content type', { headers: { 'content-type': 'text/xml' } }],
    ['no content type', { headers: {} }],
    ['another charset', { headers: { 'content-type': 'application/json; charset=utf-16' } }],
    ['a compressed body', { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }],
  ])('row 30: refuses %s with 415', async (_what, more) => {
    const { statusCode, body: said } = await handler({ ...event('{}', '/requests/read/status'), ...more }, invocation);
    expect([statusCode, JSON.parse(said)]).toEqual([415, { error: expect.objectContaining({ code: 'E_MEDIA_TYPE' }) }]);
  });

  it('row 30: refuses a body that is larger than it may be with 413, and one that is no UTF-8 with 400', async () => {
    const large = await handler(event(`"${'x'.repeat(300_000)}"`, '/requests/read/status'), invocation);
    const bytes = { ...event(Buffer.from([0x22, 0xff, 0xfe, 0x22]).toString('base64'), '/requests/read/status'), isBase64Encoded: true };
    expect([large.statusCode, (await handler(bytes, invocation)).statusCode]).toEqual([413, 400]);
  });
});

describe('rows 63 and 68: the function of the schedules, whoever calls it and with whatever event,', () => {
  it('starts nothing that is not due, repeats nothing, and takes no more of the event than a tier', async () => {
    const forged = fc.oneof(
      mutationsOf({ tier: 'medium', keyId, force: true, detail: { keyId, reason: 'x'.repeat(300_000) } }),
      fc.record({
        source: fc.constant('rekey'),
        'detail-type': hostileText,
        tier: fc.constantFrom('high', 'medium', 'low'),
        keyId: hostileText,
      }),
      hostileValue,
    );
    // What the schedule itself records the first time: the policy that is in force.
    for (const tier of ['high', 'medium', 'low']) await scheduled({ tier }, invocation);
    await fc.assert(
      fc.asyncProperty(forged, async (event) => {
        const before = stored();
        const error = await scheduled(event, invocation).then(
          () => undefined,
          (thrown: Error) => thrown,
        );
        if (error) expect(error.name).toBe('Refused');
        expectNoEcho(`${error?.message}`);
        expect(stored()).toBe(before);
      }),
      { numRuns: 150 },
    );
  });
});

describe('a step, whatever its payload is,', () => {
  it('ends with a named error, repeats nothing and stores nothing', async () => {
    const { operationId } = await beginsRotation({ ...w, ports }, keyId);
    const good = { keyId: 'another/key', operationId, startSeq: 1, taskToken: 'x', error: 'x' };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...steps), fc.oneof(mutationsOf(good), hostileValue), async ({ state, run }, given) => {
        const before = stored();
        const error = await stepHandler(
          state,
          run,
          [],
        )(given, invocation).then(
          () => undefined,
          (thrown: Error) => thrown,
        );
        expect(error?.name).toMatch(/^(Refused|Superseded|IllegalMove|Fenced)$/);
        expectNoEcho(`${error?.message} ${error?.stack}`);
        expect(stored()).toBe(before);
      }),
      { numRuns: 400 },
    );
  });
});

describe('the local server, whatever is sent to it,', () => {
  it('answers, names the code, repeats nothing, and goes on', async () => {
    // Real sockets need the real clock.
    await end(w);
    const server = await startServer({
      answer: (name, input) => answer(ports, name, input, { actor: 'ada', via: 'operate' }),
      report: async () => ({}),
      awsEvent: async () => ({}),
      receive: async () => ({}),
      feed: { next: async () => [] },
      consumers: { consumerOf: () => undefined },
      token: 'right',
      log: w.ports.log,
    });
    const sent = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'),
      path: fc.oneof(
        fc.constantFrom(
          ...Object.keys(requests).map((name) => `requests/${name}`),
          'receipts',
          'notices?after=-1',
          'notices?after=1e9&wait=x',
        ),
        hostileText,
      ),
      body: fc.oneof(
        hostileText,
        hostileValue.map((value) => JSON.stringify(value) ?? ''),
      ),
      token: fc.constantFrom('right', 'wrong', planted, ''),
    });
    try {
      await fc.assert(
        fc.asyncProperty(sent, async ({ method, path, body, token }) => {
          const response = await fetch(new URL(`/${encodeURI(path.toWellFormed()).slice(0, 4000)}`, server.url), {
            method,
            headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
            ...(method === 'GET' ? {} : { body }),
          });
          const said = await response.text();
          if (response.status === 200) return;
          expect((JSON.parse(said) as { error: { code: string } }).error.code).toMatch(/^E_(?!INTERNAL)[A-Z_]+$/);
          expectNoEcho(said);
        }),
        { numRuns: 200 },
      );
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
      const gzip = { authorization: 'Bearer right', 'content-type': 'application/json', 'content-encoding': 'gzip' };
      const packed = await fetch(`${server.url}/requests/status`, { method: 'POST', headers: gzip, body: '{}' });
      expect(packed.status).toBe(415);
    } finally {
      await server.stop();
    }
  });
});
