import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { httpProvider } from '../../adapters/providers/http.ts';
import { bundledSpecs, loadSpec } from '../../adapters/providers/load-spec.ts';
import { judge } from '../../adapters/providers/verdict.ts';
import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import { Value } from '../../core/value.ts';

/** Specs in forms that the sandbox vendor does not have, against a server that answers from a script and keeps what it was sent. */
const sandbox = readFileSync(join(bundledSpecs, 'sandbox.yaml'), 'utf8');
const subject = { keyId: 'team/key', account: 'default', params: { principal: 'robot' } };

interface Sent {
  readonly line: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

let server: Server;
let url: string;
let sent: Sent[];
let script: { status: number; json?: unknown; headers?: Record<string, string> }[];
beforeEach(async () => {
  [sent, script] = [[], []];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    sent.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    const { status, json, headers = {} } = script.shift() ?? { status: 599 };
    response.writeHead(status, headers).end(json === undefined ? '' : JSON.stringify(json));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

function provider(...changes: [RegExp | string, string][]) {
  const yaml = changes.reduce((text, [from, to]) => {
    const changed = text.replace(from, () => to);
    if (changed === text) throw new Error(`nothing matches ${from}`);
    return changed;
  }, sandbox);
  const spec = loadSpec(yaml, 'vendor.yaml', { allowLoopback: true });
  return httpProvider({
    spec,
    admin: async () => ({ apiKey: new Value('admin-secret') }),
    callSeconds: 2,
    allowLoopback: true,
    origins: { 'http://127.0.0.1:4010': url },
  });
}
const steps = (operation: string) => new RegExp(`(?<= {2}${operation}:\\n {4}auth: \\w+\\n {4}steps:\\n)( {6}.*\\n)+`);
const thrownBy = async (work: Promise<unknown>) => await work.then(() => undefined).catch((error: unknown) => error);

const twoSteps = `      - id: account
        request: { method: POST, url: '{{base}}/accounts', form: { name: '{{key.label}}' } }
        expect: { status: [201] }
        outputs: { number: { pointer: /number } }
      - id: create
        request: { method: POST, url: '{{base}}/accounts/{{account.number|uri}}/keys', json: { n: '{{account.number}}', scopes: '{{params.scopes}}' } }
        expect: { status: [200], equals: { /success: true }, absent: [/errors/0] }
        outputs: { id: { pointer: /id }, value: { pointer: /value, sensitive: true } }
`;

it('hands outputs from step to step, keeps their JSON type, and leaves out what is not given', async () => {
  script = [
    { status: 201, json: { number: 7 } },
    { status: 200, json: { success: true, id: 42, value: 'v', errors: [] } },
  ];
  const { credentialId, value } = await provider([steps('create'), twoSteps]).create(subject, 'a b');
  expect([credentialId, value.reveal()]).toEqual(['42', 'v']);
  expect(sent.map(({ line, body }) => [line, body])).toEqual([
    ['POST /accounts', 'name=a+b'],
    ['POST /accounts/7/keys', '{"n":7}'],
  ]);
  expect(sent[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
});

it('does not promise "no effect" when a later step of create is refused', async () => {
  script = [{ status: 201, json: { number: 7 } }, { status: 403 }];
  expect(await thrownBy(provider([steps('create'), twoSteps]).create(subject, 'a'))).toBeInstanceOf(ProviderUnavailable);
  script = [{ status: 403 }];
  expect(await thrownBy(provider([steps('create'), twoSteps]).create(subject, 'a'))).toBeInstanceOf(ProviderRefused);
});

it('calls a 200 that reports errors in its body unknown, not success', async () => {
  script = [
    { status: 201, json: { number: 7 } },
    { status: 200, json: { success: true, id: 1, value: 'v', errors: [{ message: 'secret text' }] } },
  ];
  const error = await thrownBy(provider([steps('create'), twoSteps]).create(subject, 'a'));
  expect(error).toBeInstanceOf(ProviderUnavailable);
  expect(String(error)).not.toContain('secret text');
});

const readThenWrite = `      - id: read
        request: { method: GET, url: '{{base}}/keys/{{key.credentialId|uri}}' }
        expect: { status: [200], treatAsDone: [404] }
        outputs: { policies: { pointer: /policies } }
      - id: write
        request: { method: PUT, url: '{{base}}/keys/{{key.credentialId|uri}}', json: { policies: '{{read.policies}}', status: disabled } }
        expect: { status: [200] }
`;

it('ends a disable at the step that finds nothing, where later steps need what it would have read', async () => {
  script = [{ status: 404 }];
  expect(await provider([steps('disable'), readThenWrite]).disable(subject, 'k/1')).toBe('gone');
  script = [{ status: 200, json: { policies: [{ a: 1 }] } }, { status: 200 }];
  expect(await provider([steps('disable'), readThenWrite]).disable(subject, 'k/1')).toBe('disabled');
  expect(sent.map(({ line }) => line)).toEqual(['GET /keys/k%2F1', 'GET /keys/k%2F1', 'PUT /keys/k%2F1']);
  expect(sent.at(-1)?.body).toBe('{"policies":[{"a":1}],"status":"disabled"}');
});

const deactivateThenDelete = `      - id: off
        request: { method: POST, url: '{{base}}/keys/{{key.credentialId|uri}}/off' }
        expect: { status: [200], treatAsDone: [400, 404] }
      - id: remove
        request: { method: DELETE, url: '{{base}}/keys/{{key.credentialId|uri}}' }
        expect: { status: [204], treatAsDone: [404] }
`;

it('goes on with a deletion whose first step was done before', async () => {
  script = [{ status: 400 }, { status: 204 }];
  expect(await provider([steps('delete'), deactivateThenDelete]).delete(subject, 'k')).toBe('deleted');
  script = [{ status: 404 }, { status: 404 }];
  expect(await provider([steps('delete'), deactivateThenDelete]).delete(subject, 'k')).toBe('gone');
});

const key = (id: number) => ({ id: `k${id}`, name: `n${id}`, enabled: id !== 2, createdAt: '2026-01-01T00:00:00Z' });

it.each([
  [
    'next',
    'next: { pointer: /next }',
    [
      { keys: [key(1)], next: '/v1/more?page=2' },
      { keys: [key(2)], next: null },
    ],
    'GET /v1/more?page=2',
  ],
  [
    'offset',
    'offset: { param: from, size: 1 }',
    [{ keys: [key(1)] }, { keys: [key(2)] }, { keys: [] }],
    'GET /v1/principals/robot/keys?from=1',
  ],
  [
    'cursor',
    'cursor: { param: after, pointer: /next }',
    [
      { keys: [key(1)], next: 'a&b' },
      { keys: [key(2)], next: '' },
    ],
    'GET /v1/principals/robot/keys?after=a%26b',
  ],
])('reads a whole list by %s', async (_kind, page, pages, second) => {
  script = pages.map((json) => ({ status: 200, json }));
  const list = await provider([/page: .*/, `page: { ${page} }`]).list(subject);
  expect(list.map(({ credentialId, enabled }) => [credentialId, enabled])).toEqual([
    ['k1', true],
    ['k2', false],
  ]);
  expect(sent[1]?.line).toBe(second);
});

it.each([
  ['leads to another host', { keys: [key(1)], next: 'https://evil.example/keys' }, ProviderRefused],
  ['leads to another port of this machine', { keys: [key(1)], next: 'http://127.0.0.1:9/keys' }, ProviderRefused],
  ['leads back to itself', { keys: [key(1)], next: '/v1/again' }, ProviderUnavailable],
  ['has an entry without an id', { keys: [{ name: 'x', enabled: true }] }, ProviderUnavailable],
  ['has an entry without a state', { keys: [{ id: 'x', name: 'x' }] }, ProviderUnavailable],
  ['is no list', { keys: 'none' }, ProviderUnavailable],
])('gives no half list when it %s', async (_what, json, error) => {
  script = [1, 2, 3].map(() => ({ status: 200, json }));
  expect(await thrownBy(provider([/page: .*/, 'page: { next: { pointer: /next } }']).list(subject))).toBeInstanceOf(error);
  expect(sent.every(({ headers }) => headers.host === new URL(url).host)).toBe(true);
});

const signIn = `      - id: login
        request: { method: POST, url: '{{base}}/token', json: { secret: '{{key.secret}}' } }
        auth: none
        expect: { status: [200] }
        outputs: { token: { pointer: /token, sensitive: true }, who: { pointer: /who } }
      - id: whoami
        request: { method: GET, url: '{{base}}/v1/whoami', headers: { X-Token: '{{login.token}}' } }
        auth: none
`;
const identity: [string, string] = ["equals: '{{params.principal}}'", "equals: '{{login.who}}'"];

it('probes in two steps, and takes a refused sign-in for an answer', async () => {
  const probing = provider([steps('probe'), signIn], identity);
  script = [
    { status: 200, json: { token: 't', who: 'me' } },
    { status: 200, json: { vendor: 'rekey-sandbox', principal: 'me' } },
  ];
  expect((await probing.probe(subject, new Value('v'))).verdict).toBe('alive');
  expect(sent[1]?.headers['x-token']).toBe('t');
  script = [{ status: 401, json: { vendor: 'rekey-sandbox', error: { code: 'invalid_key' } } }];
  expect((await probing.probe(subject, new Value('v'))).verdict).toBe('denied');
  script = [{ status: 200, json: { token: 't', who: 'me' } }, { status: 500 }];
  expect((await probing.probe(subject, new Value('v'))).verdict).toBe('inconclusive');
});

it.each([
  [
    'basic',
    "{ scheme: basic, username: api, password: '{{admin.apiKey}}' }",
    'authorization',
    `Basic ${Buffer.from('api:admin-secret').toString('base64')}`,
  ],
  ['header', "{ scheme: header, headers: { X-Key: '{{admin.apiKey}}' } }", 'x-key', 'admin-secret'],
])('signs in by %s', async (_scheme, scheme, header, content) => {
  script = [{ status: 204 }];
  await provider(["admin: { scheme: bearer, token: '{{admin.apiKey}}' }", `admin: ${scheme}`]).delete(subject, 'k');
  expect(sent[0]?.headers[header] === content).toBe(true);
});

it.each([302, 408, 429, 500, 503])('never judges a key by status %i, whatever the body says', (status) => {
  const fits = [{ equals: { '/a': 1 } }];
  const answer = { status, headers: {}, text: '{"a":1}', json: { a: 1 } };
  const probe = (alive: typeof fits, denied: typeof fits) => ({
    auth: 'none' as const,
    steps: [],
    verdict: { alive, denied },
    require: { alive: 1, denied: 1 },
  });
  const never = [{ status: [499] }] as unknown as typeof fits;
  expect(judge(probe(never, fits), answer, () => undefined).verdict).toBe('inconclusive');
  expect(judge(probe(fits, never), { ...answer, status: 200 }, () => undefined).verdict).toBe('alive');
  expect(judge(probe(fits, fits), { ...answer, status: 200 }, () => undefined).verdict).toBe('inconclusive');
});
