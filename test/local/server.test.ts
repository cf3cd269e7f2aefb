import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Refused } from '../../core/errors.ts';
import type { Notice } from '../../core/notice.ts';
import { type ConsumerTokens, consumerTokens } from '../../local/consumer-tokens.ts';
import { type Feed, openFeed } from '../../local/feed.ts';
import { type LocalServer, startServer } from '../../local/server.ts';

let folder: string;
let feed: Feed;
let consumers: ConsumerTokens;
let server: LocalServer;
let answers: { name: string; input: unknown }[];
let receipts: { receipt: unknown; consumer: string }[];
let fail: Error | undefined;

const log = { info: () => undefined, warn: () => undefined, error: () => undefined, measure: () => undefined };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekey-server-'));
  [answers, receipts, fail] = [[], [], undefined];
  feed = await openFeed({ path: join(folder, 'feed'), stage: 'local' });
  consumers = await consumerTokens(join(folder, 'consumers'));
  server = await startServer({
    answer: async (name, input) => {
      if (fail) throw fail;
      answers.push({ name, input });
      return { done: name };
    },
    report: async () => ({}),
    awsEvent: async () => ({}),
    receive: async (receipt, consumer) => {
      receipts.push({ receipt, consumer });
      return { accepted: true };
    },
    feed,
    consumers,
    token: 'operator-token',
    log,
  });
});

afterEach(async () => {
  await server.stop();
  await feed.close();
  await rm(folder, { recursive: true });
});

const call = async (path: string, token: string | undefined, body?: string) => {
  const response = await fetch(server.url + path, {
    ...(body === undefined ? {} : { method: 'POST', body }),
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
  const answer = (await response.json()) as {
    error?: { code: string; message: string };
    result?: unknown;
    notices?: { seq: number; event: { id: string } }[];
  };
  return { status: response.status, ...answer };
};

const tokenOf = async (name: string) => (await readFile(join(folder, 'consumers', `${name}.token`), 'utf8')).trim();

const notice = (id: string, audience: string): Notice => ({
  id,
  type: 'key.issued',
  keyId: 'payments/stripe',
  audience,
  time: '2026-11-23T20:00:00.000Z',
  operationId: 'op',
  severity: 'info',
  environment: 'prod',
  tier: 'high',
  data: { action: 'refresh', version: 2 },
});

describe('the local server', () => {
  test('listens on the loopback address only', () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('answers a request of the operator', async () => {
    expect(await call('/requests/key.show', 'operator-token', '{"keyId":"a/b"}')).toEqual({ status: 200, result: { done: 'key.show' } });
    expect(answers).toEqual([{ name: 'key.show', input: { keyId: 'a/b' } }]);
  });

  test.each(['', 'wrong', 'operator-token2', undefined])('refuses a request with the token "%s" before it is read', async (token) => {
    expect(await call('/requests/revoke', token, '{}')).toMatchObject({ status: 401, error: { code: 'E_CREDENTIALS' } });
    expect(answers).toEqual([]);
  });

  test('a consumer may not send requests, and the operator is not a consumer', async () => {
    await consumers.ensure('checkout');
    expect((await call('/requests/revoke', await tokenOf('checkout'), '{}')).status).toBe(401);
    expect((await call('/receipts', 'operator-token', '{}')).status).toBe(401);
    expect((await call('/notices?wait=0', 'operator-token')).status).toBe(401);
    expect(receipts).toEqual([]);
  });

  test('who sent a receipt is told by the token, never by the body', async () => {
    await consumers.ensure('checkout');
    const body = JSON.stringify({ keyId: 'payments/stripe', consumer: 'ledger' });
    expect((await call('/receipts', await tokenOf('checkout'), body)).status).toBe(200);
    expect(receipts).toEqual([{ receipt: JSON.parse(body), consumer: 'checkout' }]);
  });

  test('a body above 256 KiB is refused, with and without a declared length', async () => {
    const large = JSON.stringify({ text: 'x'.repeat(256 * 1024) });
    expect(await call('/requests/key.show', 'operator-token', large)).toMatchObject({ status: 413, error: { code: 'E_TOO_LARGE' } });
    const stream = new Blob([large]).stream();
    const response = await fetch(`${server.url}/requests/key.show`, {
      method: 'POST',
      headers: { authorization: 'Bearer operator-token' },
      body: stream,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(answers).toEqual([]);
  });

  test('a body that is not JSON is refused without being repeated', async () => {
    const answer = await call('/requests/revoke.find', 'operator-token', '{"leaked": very-secret');
    expect(answer).toMatchObject({ status: 400, error: { code: 'E_INPUT_INVALID' } });
    expect(JSON.stringify(answer)).not.toContain('very-secret');
  });

  test('a refusal keeps its code and problems; anything unexpected says nothing', async () => {
    fail = new Refused('E_HELD', 'held until tomorrow', [{ path: 'keyId', message: 'is held' }]);
    expect(await call('/requests/rotate', 'operator-token', '{}')).toMatchObject({
      status: 409,
      error: { code: 'E_HELD', name: 'Refused', message: 'held until tomorrow', problems: [{ path: 'keyId', message: 'is held' }] },
    });
    fail = new TypeError('cannot read very-secret');
    const answer = await call('/requests/rotate', 'operator-token', '{}');
    expect(answer).toMatchObject({ status: 500, error: { code: 'E_INTERNAL' } });
    expect(JSON.stringify(answer)).not.toContain('very-secret');
  });

  test('an unknown address is refused', async () => {
    expect((await call('/', 'operator-token')).status).toBe(404);
    expect((await call('/requests/', 'operator-token', '{}')).status).toBe(404);
    expect((await call('/requests/rotate', 'operator-token')).status).toBe(404);
  });

  test('a waiting consumer hears a notice as it is published, and only its own', async () => {
    await Promise.all([consumers.ensure('checkout'), consumers.ensure('ledger')]);
    const waiting = call('/notices?after=0', await tokenOf('checkout'));
    await feed.publish(notice('one', 'ledger'));
    await feed.publish(notice('two', 'checkout'));
    const answer = await waiting;
    expect(answer.notices).toMatchObject([{ seq: 2, event: { id: 'two', data: { key: 'payments/stripe', version: 2 } } }]);
    expect((await call('/notices?after=2&wait=0', await tokenOf('checkout'))).notices).toEqual([]);
    expect((await call('/notices?after=-1', await tokenOf('checkout'))).status).toBe(400);
  });

  test('stopping lets a waiting consumer go', async () => {
    await consumers.ensure('checkout');
    const waiting = call('/notices?after=0', await tokenOf('checkout'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.stop();
    expect((await waiting).notices).toEqual([]);
    server = { url: '', stop: async () => undefined };
  });
});

describe('the tokens of consumers', () => {
  test('are kept across restarts, readable by their owner only', async () => {
    await consumers.ensure('checkout');
    const token = await tokenOf('checkout');
    const again = await consumerTokens(join(folder, 'consumers'));
    await again.ensure('checkout');
    expect(await tokenOf('checkout')).toBe(token);
    expect(again.consumerOf(token)).toBe('checkout');
    expect(again.consumerOf('')).toBeUndefined();
    expect((await stat(join(folder, 'consumers', 'checkout.token'))).mode & 0o777).toBe(0o600);
  });

  test('a name never leaves the folder', async () => {
    await consumers.ensure('../../evil');
    expect((await consumerTokens(join(folder, 'consumers'))).consumerOf(await tokenOf(encodeURIComponent('../../evil')))).toBe(
      '../../evil',
    );
  });
});

describe('the feed', () => {
  test('an accepted notice survives the process, and a torn last line does not harm the next', async () => {
    const path = join(folder, 'other');
    const first = await openFeed({ path, stage: 'local' });
    await Promise.all(['a', 'b', 'c'].map((id) => first.publish(notice(id, 'checkout'))));
    await first.close();
    await appendFile(path, '{"seq":4,"audience":"checkout","eve');
    const second = await openFeed({ path, stage: 'local' });
    await second.publish(notice('d', 'checkout'));
    await second.close();
    const third = await openFeed({ path, stage: 'local' });
    const entries = await third.next('checkout', 1, 0);
    expect(entries.map((entry) => [entry.seq, entry.event.id])).toEqual([
      [2, 'b'],
      [3, 'c'],
      [4, 'd'],
    ]);
    await third.close();
  });

  test('a notice after the feed was closed is not accepted', async () => {
    await feed.close();
    await expect(feed.publish(notice('late', 'checkout'))).rejects.toMatchObject({ name: 'DestinationUnavailable' });
  });
});
