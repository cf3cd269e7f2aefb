import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpProvider } from '../../adapters/providers/http.ts';
import { loadSpec } from '../../adapters/providers/load-spec.ts';
import { RekeyError } from '../../core/errors.ts';
import type { Provider } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { changed, good, sandbox } from '../support/good-spec.ts';

/** A vendor that means harm, or was taken over by somebody who does, over real HTTP: what it can answer, and what becomes of it. */
type Answers = (request: IncomingMessage & { readonly text: string }, response: ServerResponse) => unknown;

const admin = ['adm', 'q7RkZ2mV9xTbW4nYc8LpD3hJ5sFg1a'].join('_');
const value = ['sbx', '0123456789abcdef0123456789abcdef01234567'].join('_');
const subject = { keyId: 'team/key', account: 'default', params: { principal: 'robot' } };

/** Every call of the port, each with its outcome as a text in which everything that anybody could see of it stands. */
const calls: Readonly<Record<string, (provider: Provider) => Promise<unknown>>> = {
  create: (provider) => provider.create(subject, 'label'),
  list: (provider) => provider.list(subject),
  probe: (provider) => provider.probe(subject, new Value(value)),
  disable: (provider) => provider.disable(subject, 'k1'),
  delete: (provider) => provider.delete(subject, 'k1'),
  lastUsed: (provider) => provider.lastUsed?.(subject, 'k1') ?? Promise.reject(new Error('the spec has lastUsed')),
};
const each = Object.entries(calls);

interface Ended {
  readonly error?: Error;
  readonly answer?: unknown;
  /** All that can be seen: message, stack, every own field, the answer. */
  readonly seen: string;
}

async function ended(work: Promise<unknown>): Promise<Ended> {
  try {
    const answer = await work;
    return { answer, seen: JSON.stringify(answer) ?? '' };
  } catch (thrown) {
    const error = thrown as Error;
    return { error, seen: [String(error), error.stack, JSON.stringify({ ...error, cause: error.cause })].join('\n') };
  }
}

let answers: Answers;
let provider: Provider;
let asked: string[];
let close: () => Promise<void>;
beforeEach(async () => {
  asked = [];
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.headers.host} ${request.url}`);
    let text = '';
    for await (const chunk of request) text += chunk;
    await answers(Object.assign(request, { text }), response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const spec = loadSpec(sandbox, 'sandbox.yaml', { allowLoopback: true });
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  provider = httpProvider({
    ...{ spec, callSeconds: 5, allowLoopback: true, origins: { [spec.base?.default ?? '']: at } },
    admin: async () => ({ apiKey: new Value(admin) }),
  });
  close = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
});
afterEach(() => close());

describe('a vendor that redirects to a private address', () => {
  const targets = [
    'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
    'http://[fd00:ec2::254]/',
    'http://10.0.0.1/',
    'https://localhost/',
    '//127.0.0.1/',
  ];

  it.each(each)('is not followed by %s: one request, and neither success nor a verdict', async (name, call) => {
    for (const status of [301, 302, 303, 307, 308]) {
      for (const location of targets) {
        asked = [];
        answers = (_request, response) => response.writeHead(status, { location }).end();
        const { error, answer } = await ended(call(provider));
        expect(asked).toHaveLength(1);
        if (name === 'probe') expect(answer).toMatchObject({ verdict: 'inconclusive' });
        else expect(error).toBeInstanceOf(RekeyError);
      }
    }
  });

  it('is not followed to the machine itself: what listens there is never asked', async () => {
    let reached = 0;
    const inside = createServer((_request, response) => response.end(String(reached++)));
    inside.listen(0, '127.0.0.1');
    await once(inside, 'listening');
    const location = `http://127.0.0.1:${(inside.address() as AddressInfo).port}/`;
    answers = (_request, response) => response.writeHead(302, { location }).end();
    for (const [, call] of each) await ended(call(provider));
    expect(reached).toBe(0);
    await new Promise((done) => inside.close(done));
  });

  it.each([
    ['a URL in the body', '{ next: { pointer: /next } }', (url: string) => ({ json: { keys: [], next: url }, headers: {} })],
    ['a Link header', '{ link: { rel: next } }', (url: string) => ({ json: { keys: [] }, headers: { link: `<${url}>; rel="next"` } })],
  ])('is not followed to the next page of a list either: %s', async (_what, page, answer) => {
    for (const url of targets) {
      const spec = loadSpec(changed([/page: .*/, `page: ${page}`]), 'vendor.yaml');
      const sent: string[] = [];
      const paged = httpProvider({
        ...{ spec, callSeconds: 5, admin: async () => ({ apiKey: new Value(admin) }) },
        async send(outgoing) {
          sent.push(outgoing.url.href);
          const { json, headers } = answer(url);
          return { status: 200, headers, json, text: '' };
        },
      });
      expect((await ended(paged.list(subject))).error).toBeInstanceOf(RekeyError);
      expect(sent).toHaveLength(1);
    }
  });
});

describe("a key's file that names another host for the vendor", () => {
  const vendor = loadSpec(good, 'vendor.yaml');

  it.each([
    'https://evil.example',
    'https://api.vendor.example.evil.example',
    'https://api.vendor.example@evil.example',
    'https://169.254.169.254',
    'https://[::ffff:a9fe:a9fe]',
    'https://2852039166',
    'http://api.vendor.example',
    'https://api.vendor.example:8443',
    'https://localhost',
    'https://api.vendor.example/v1/../../',
    'file:///etc/passwd',
    '{{admin.apiKey}}',
  ])('gets nothing sent, and no name looked up: %s', async (baseUrl) => {
    let lookups = 0;
    const strict = httpProvider({
      ...{ spec: vendor, callSeconds: 5, admin: async () => ({ apiKey: new Value(admin) }) },
      resolve: async () => [{ address: `8.8.8.${lookups++}`, family: 4 }],
    });
    const misled = { ...subject, params: { ...subject.params, baseUrl } };
    for (const work of [strict.create(misled, 'label'), strict.list(misled), strict.disable(misled, 'k1'), strict.delete(misled, 'k1')])
      expect((await ended(work)).error).toMatchObject({ name: 'ProviderRefused' });
    expect(await strict.probe(misled, new Value(value))).toMatchObject({ verdict: 'inconclusive' });
    expect(lookups).toBe(0);
  });
});

describe('a vendor that answers 10 MB', () => {
  const json = (bytes: number) => JSON.stringify({ keys: [], padding: 'x'.repeat(bytes) });

  it.each(each)('is cut off by %s', async (name, call) => {
    for (const status of [200, 400]) {
      answers = (_request, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(json(10 * 1024 * 1024));
      const { error, answer, seen } = await ended(call(provider));
      if (name === 'probe') expect(answer).toMatchObject({ verdict: 'inconclusive' });
      // Whether it took effect is unknown: the answer was not read to its end.
      else expect(error).toMatchObject({ name: 'ProviderUnavailable' });
      expect(seen.length).toBeLessThan(5000);
    }
  });

  it('or never ends is left: the connection is closed, and nothing is kept in memory', async () => {
    let written = 0;
    const left = new Promise<number>((done) => {
      answers = (_request, response) => {
        const chunk = Buffer.alloc(64 * 1024, 'x');
        response.writeHead(200).on('close', () => done(written));
        const more = () => {
          while (!response.destroyed && response.write(chunk)) written += chunk.length;
          written += chunk.length;
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      };
    });
    expect((await ended(provider.list(subject))).error).toMatchObject({ name: 'ProviderUnavailable' });
    // What the two ends of a connection hold for each other; without a limit it would go on until the deadline.
    expect(await left).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('a vendor that echoes the secret in an error', () => {
  /** Whatever was sent, everywhere where an answer can hold a text. */
  const echo =
    (status: number): Answers =>
    (request, response) => {
      const { authorization = '' } = request.headers;
      const said = `${authorization} ${request.text} ${value} ${admin}`;
      response.writeHead(status, `no ${said.replace(/[^\x20-\x7e]/g, '')}`, {
        ...{ 'content-type': 'application/json', 'retry-after': said.slice(0, 200), 'x-error': authorization, location: `/${said.length}` },
      });
      response.end(JSON.stringify({ error: said, message: said, code: value, id: value, keys: said, next: value }));
    };

  const statuses = [200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503];

  it.each(each)('tells nobody by %s: neither in the error nor in the answer', async (_name, call) => {
    for (const status of statuses) {
      answers = echo(status);
      const { seen } = await ended(call(provider));
      expect(asked.length).toBeGreaterThan(0);
      expect(seen).not.toContain(value);
      expect(seen).not.toContain(admin);
    }
  });

  it('in a body that is no JSON, or breaks off, tells nobody either', async () => {
    for (const status of statuses) {
      for (const destroy of [false, true]) {
        answers = (_request, response) => {
          response.writeHead(status, { 'content-length': 500 }).write(`{"error":"${admin} ${value}`);
          if (destroy) response.destroy();
          else response.end(' '.repeat(500 - `{"error":"${admin} ${value}`.length));
        };
        for (const [, call] of each) {
          const { seen } = await ended(call(provider));
          expect(seen).not.toContain(value);
          expect(seen).not.toContain(admin);
        }
      }
    }
  });

  it('as the id of what it made is not believed: an id goes where no value may be', async () => {
    answers = (_request, response) =>
      response
        .writeHead(201, { 'content-type': 'application/json' })
        .end(JSON.stringify({ id: value, value, name: 'label', enabled: true }));
    const { error, seen } = await ended(provider.create(subject, 'label'));
    expect(error).toMatchObject({ name: 'ProviderUnavailable', message: expect.stringContaining('as its id') });
    expect(seen).not.toContain(value);
  });
});
