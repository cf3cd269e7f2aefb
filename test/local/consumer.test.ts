import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ConsumerEvent, KeyRefused, KeyStopped, type RekeyConsumer, rekeyConsumer } from '../../consumer/consumer.ts';
import { httpFeed, httpReceipts } from '../../consumer/http.ts';
import type { Receipt } from '../../consumer/notice.ts';
import { Refused } from '../../core/errors.ts';
import type { Notice } from '../../core/notice.ts';
import { type ConsumerTokens, consumerTokens } from '../../local/consumer-tokens.ts';
import { type Feed, openFeed } from '../../local/feed.ts';
import { type LocalServer, startServer } from '../../local/server.ts';

const keyId = 'payments/stripe';
let folder: string;
let file: string;
let feed: Feed;
let consumers: ConsumerTokens;
let server: LocalServer;
let receipts: Receipt[];
/** What the other side answers to a receipt; throws to refuse. */
let judge: (receipt: Receipt) => void;
let events: ConsumerEvent[];
/** The values that the vendor accepts. */
let accepted: Set<string>;
let consumer: RekeyConsumer;
let ids = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekey-consumer-'));
  file = join(folder, 'value');
  [receipts, events, accepted] = [[], [], new Set(['one'])];
  judge = () => undefined;
  await writeFile(file, 'one');
  feed = await openFeed({ path: join(folder, 'feed'), stage: 'local' });
  consumers = await consumerTokens(join(folder, 'consumers'));
  await consumers.ensure('checkout');
  server = await startServer({
    answer: async () => ({}),
    report: async () => ({}),
    awsEvent: async () => ({}),
    receive: async (receipt) => {
      receipts.push(receipt as Receipt);
      judge(receipt as Receipt);
      return {};
    },
    feed,
    consumers,
    token: 'operator',
    log: { info: () => undefined, warn: () => undefined, error: () => undefined, measure: () => undefined },
  });
  consumer = start();
});

afterEach(async () => {
  await consumer.stop();
  await server.stop();
  await feed.close();
  await rm(folder, { recursive: true });
});

function start(): RekeyConsumer {
  const http = { url: server.url, token: () => readFile(join(folder, 'consumers', 'checkout.token'), 'utf8') };
  const started = rekeyConsumer({
    name: 'checkout',
    feed: httpFeed(http),
    receipts: httpReceipts(http),
    read: () => readFile(file, 'utf8'),
    onEvent: (event) => events.push(event),
  });
  started.start();
  return started;
}

/** Uses the key at a vendor that refuses what it does not know. */
const work = () =>
  consumer.withKey(keyId, async (value) => {
    if (!accepted.has(value)) throw new KeyRefused('401');
    return value;
  });

function publish(type: Notice['type'], data: Partial<Notice['data']> & { action: Notice['data']['action'] }, more: Partial<Notice> = {}) {
  const id = `notice-${++ids}`;
  const time = new Date(Date.parse('2026-11-23T20:00:00Z') + ids * 1000).toISOString();
  return feed.publish({
    id,
    type,
    keyId,
    audience: 'checkout',
    time,
    operationId: 'op',
    severity: 'info',
    environment: 'prod',
    tier: 'high',
    data,
    ...more,
  });
}

const proofWith = (value: string, nonce: string) => createHmac('sha256', value).update(`op|checkout|${nonce}`).digest('hex');
const moved = () => receipts.filter((receipt) => receipt.outcome === 'moved');
const until = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 10 });

describe('a consumer', () => {
  test('hears of a new version, uses it from then on, and proves that it holds it', async () => {
    expect(await work()).toBe('one');
    accepted.add('two');
    await writeFile(file, 'two');
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n' });
    await until(() =>
      expect(moved()).toEqual([
        { keyId, operationId: 'op', version: 2, outcome: 'moved', noticeId: `notice-${ids}`, nonce: 'n', proof: proofWith('two', 'n') },
      ]),
    );
    expect(receipts[0]).toEqual({ keyId, operationId: 'op', version: 2, outcome: 'heard', noticeId: `notice-${ids}` });
    accepted.delete('one');
    expect(await work()).toBe('two');
  });

  test('says that it moved only when no call with the old value is under way', async () => {
    const underWay = Promise.withResolvers<void>();
    const long = consumer.withKey(keyId, () => underWay.promise);
    await work();
    await writeFile(file, 'two');
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n' });
    await until(() => expect(receipts).toHaveLength(1));
    accepted.add('two');
    await until(async () => expect(await work()).toBe('two'));
    expect(moved()).toEqual([]);
    underWay.resolve();
    await long;
    await until(() => expect(moved()).toHaveLength(1));
  });

  test('reads again while the destination still holds the old value', async () => {
    await work();
    judge = (receipt) => {
      if (receipt.outcome === 'moved' && receipt.proof !== proofWith('two', 'n')) throw new Refused('E_PROOF_INVALID', 'no');
    };
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n' });
    await until(() => expect(moved()).toHaveLength(1));
    await writeFile(file, 'two');
    await until(() => expect(events.map((event) => event.what)).toContain('moved'));
  });

  test('says that it failed when its proof is refused for another reason', async () => {
    judge = (receipt) => {
      if (receipt.outcome === 'moved') throw new Refused('E_NOT_FOUND', 'not a consumer of it');
    };
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n' });
    await until(() => expect(receipts.at(-1)).toMatchObject({ outcome: 'failed', version: 2 }));
  });

  test('a refusal of the vendor makes it read the destination, without any notice', async () => {
    await work();
    accepted = new Set(['two']);
    await writeFile(file, 'two');
    expect(await work()).toBe('two');
  });

  test('falls back to the previous value until it is retired', async () => {
    await work();
    await writeFile(file, 'two');
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n', previousValidUntil: '2999-01-01T00:00:00.000Z' });
    await until(() => expect(moved()).toHaveLength(1));
    expect(await work()).toBe('one');
    await publish('key.retired', { action: 'none', version: 2 });
    await until(async () => await expect(work()).rejects.toBeInstanceOf(KeyRefused));
  });

  test('does not fall back to a previous value after its end', async () => {
    await work();
    await writeFile(file, 'two');
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n', previousValidUntil: '2020-01-01T00:00:00.000Z' });
    await until(() => expect(moved()).toHaveLength(1));
    await expect(work()).rejects.toBeInstanceOf(KeyRefused);
  });

  test('an error that is no refusal goes to the caller as it is, and nothing is tried again', async () => {
    let calls = 0;
    const use = () => {
      calls++;
      return Promise.reject(new RangeError('mine'));
    };
    await expect(consumer.withKey(keyId, use)).rejects.toThrow(RangeError);
    expect(calls).toBe(1);
  });

  test('after a revocation it uses nothing until another value arrives', async () => {
    await work();
    await publish('key.revoked', { action: 'stop-using' });
    await until(() => expect(events.map((event) => event.what)).toContain('stopped'));
    await expect(work()).rejects.toBeInstanceOf(KeyStopped);
    accepted = new Set(['two']);
    await writeFile(file, 'two');
    await publish('key.reissued', { action: 'refresh', version: 2, nonce: 'n' });
    await until(() => expect(moved()).toHaveLength(1));
    expect(await work()).toBe('two');
  });

  test('after a revocation it never falls back to the value that was revoked', async () => {
    await work();
    await publish('key.revoked', { action: 'stop-using' });
    await until(() => expect(events.map((event) => event.what)).toContain('stopped'));
    await writeFile(file, 'two');
    const used: string[] = [];
    const use = (value: string) => {
      used.push(value);
      return Promise.reject(new KeyRefused('401'));
    };
    await expect(consumer.withKey(keyId, use)).rejects.toBeInstanceOf(KeyRefused);
    expect(used).toEqual(['two']);
  });

  test('a notice that arrives twice is answered once', async () => {
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n' }, { id: 'same' });
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n' }, { id: 'same' });
    await until(() => expect(events).toContainEqual({ what: 'dropped', keyId, version: 2 }));
    await until(() => expect(moved()).toHaveLength(1));
  });

  test('a notice of an older version that arrives late is dropped, one of a rollback is followed', async () => {
    const late = new Date(0).toISOString();
    await publish('key.issued', { action: 'refresh', version: 3, nonce: 'n3' });
    await until(() => expect(moved()).toHaveLength(1));
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n2' }, { time: late });
    await until(() => expect(events).toContainEqual({ what: 'dropped', keyId, version: 2 }));
    await publish('key.restored', { action: 'refresh', version: 2, nonce: 'n1' });
    await until(() => expect(moved().map((receipt) => receipt.nonce)).toEqual(['n3', 'n1']));
  });

  test('a service that was down finds the newest notice, and a server that was down is asked again', async () => {
    await consumer.stop();
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n2' });
    await publish('key.issued', { action: 'refresh', version: 3, nonce: 'n3' });
    await writeFile(file, 'three');
    consumer = start();
    await until(() => expect(moved().map((receipt) => receipt.nonce)).toContain('n3'));
    const port = Number(new URL(server.url).port);
    await server.stop();
    await until(() => expect(events.map((event) => event.what)).toContain('feed failed'));
    await publish('key.issued', { action: 'refresh', version: 4, nonce: 'n4' });
    server = await startServer({
      answer: async () => ({}),
      report: async () => ({}),
      awsEvent: async () => ({}),
      receive: async (receipt) => receipts.push(receipt as Receipt),
      feed,
      consumers,
      token: 'operator',
      log: { info: () => undefined, warn: () => undefined, error: () => undefined, measure: () => undefined },
      port,
    });
    await until(() => expect(moved().map((receipt) => receipt.nonce)).toContain('n4'));
  });

  test('nothing it reports, sends or prints contains the value', async () => {
    const value = 'canary-5f1d2c';
    accepted = new Set();
    await writeFile(file, value);
    await work().catch((error) => events.push({ what: 'dropped', detail: String(error.stack) }));
    await publish('key.issued', { action: 'refresh', version: 2, nonce: 'n' });
    await until(() => expect(moved()).toHaveLength(1));
    await publish('key.revoked', { action: 'stop-using' });
    await until(() => expect(events.map((event) => event.what)).toContain('stopped'));
    expect(JSON.stringify([events, receipts, consumer])).not.toContain(value);
  });
});
