import { DeleteMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KeyRefused, type RekeyConsumer, rekeyConsumer } from '../../consumer/consumer.ts';
import { lambdaHandler } from '../../consumer/lambda.ts';
import type { NoticeFeed, Receipt } from '../../consumer/notice.ts';
import { signedNotices } from '../../consumer/sns.ts';
import { sqsFeed } from '../../consumer/sqs.ts';
import { envelope, event, proofWith, snsSigner, topic } from './envelopes.ts';

const keyId = 'payments/stripe';
const open = signedNotices({ topics: [topic], fetchCertificate: async () => snsSigner.cert });
let value: string;
let sent: Receipt[];
let answers: () => string;
let consumer: RekeyConsumer;
let forged: string[];

beforeEach(() => {
  [value, sent, forged, answers] = ['one', [], [], () => 'accepted'];
});
afterEach(() => consumer.stop());

function service(feed?: NoticeFeed): RekeyConsumer {
  consumer = rekeyConsumer({
    name: 'checkout',
    ...(feed ? { feed } : {}),
    read: async () => value,
    receipts: {
      async send(receipt) {
        sent.push(receipt);
        return answers();
      },
    },
  });
  return consumer;
}

const issued = (id = 'a'.repeat(32), more: object = {}) => event('key.issued', { id, data: { version: 2, nonce: 'n', ...more } });
const outcomes = () => sent.map(({ outcome }) => outcome);

/** A queue as SQS keeps one: what was received is hidden, and comes again under another handle unless it was deleted. */
function queue(...bodies: string[]) {
  const messages = bodies.map((Body) => ({ Body, handle: '', hidden: false, received: 0 }));
  const client = {
    async send(command: { input: { ReceiptHandle?: string } }, options?: { abortSignal?: AbortSignal }) {
      const { input } = command;
      if (command instanceof DeleteMessageCommand) {
        const index = messages.findIndex(({ handle }) => handle === input.ReceiptHandle);
        if (index >= 0) messages.splice(index, 1);
        return {};
      }
      await new Promise((resolve) => setImmediate(resolve));
      options?.abortSignal?.throwIfAborted();
      const visible = messages.filter(({ hidden }) => !hidden);
      for (const message of visible)
        Object.assign(message, { hidden: true, handle: `h-${messages.indexOf(message)}-${++message.received}` });
      return { Messages: visible.map(({ Body, handle }) => ({ Body, ReceiptHandle: handle })) };
    },
  };
  return {
    feed: sqsFeed({ client: client as unknown as SQSClient, queueUrl: 'https://queue', open, onForged: (reason) => forged.push(reason) }),
    left: () => messages.length,
    put: (body: string) => messages.push({ Body: body, handle: '', hidden: false, received: 0 }),
    timeOut: () => {
      for (const message of messages) message.hidden = false;
    },
  };
}

describe('a service that hears through a queue', () => {
  test('proves its move, and the message is deleted only then', async () => {
    const sqs = queue(JSON.stringify(envelope(issued())));
    const move = Promise.withResolvers<string>();
    answers = () => (sent.at(-1)?.outcome === 'moved' ? (move.promise as never) : 'accepted');
    service(sqs.feed).start();
    await vi.waitFor(() => expect(outcomes()).toEqual(['heard', 'moved']));
    expect(sqs.left()).toBe(1);
    move.resolve('accepted');
    await vi.waitFor(() => expect(sqs.left()).toBe(0));
    const { operationId, proof } = sent[1] as Receipt;
    expect(proof).toBe(proofWith('one', operationId, 'n'));
  });

  test('that ends in the middle leaves the message to whoever runs next', async () => {
    const sqs = queue(JSON.stringify(envelope(issued())));
    answers = () => new Promise<string>(() => undefined) as never;
    service(sqs.feed).start();
    await vi.waitFor(() => expect(outcomes()).toEqual(['heard']));
    // It is ended while it waits: nobody hears its answer any more.
    void consumer.stop();
    expect(sqs.left()).toBe(1);
    sqs.timeOut();
    answers = () => 'accepted';
    sent = [];
    service(sqs.feed).start();
    await vi.waitFor(() => expect(outcomes()).toEqual(['heard', 'moved']));
    await vi.waitFor(() => expect(sqs.left()).toBe(0));
  });

  test('row 64: hears what comes twice, late and in the wrong order once, and all of it leaves the queue', async () => {
    const [second, third] = [issued('b'.repeat(32)), { ...issued('c'.repeat(32), { version: 3 }), time: '2099-01-01T00:00:00Z' }];
    const sqs = queue(JSON.stringify(envelope(third)));
    service(sqs.feed).start();
    await vi.waitFor(() => expect(outcomes()).toEqual(['heard', 'moved']));
    for (const late of [second, third, second]) sqs.put(JSON.stringify(envelope(late)));
    await vi.waitFor(() => expect(sqs.left()).toBe(0));
    expect(sent.map(({ version }) => version)).toEqual([3, 3]);
  });

  test('row 65: throws a forged message away, says so, and believes nothing of it', async () => {
    const sqs = queue(JSON.stringify({ ...envelope(issued()), Message: JSON.stringify(event('key.revoked')) }), 'nonsense');
    service(sqs.feed).start();
    await vi.waitFor(() => expect(sqs.left()).toBe(0));
    expect([sent, forged]).toEqual([[], ['its signature is not that of SNS', 'it is no notification of SNS']]);
  });
});

describe('a service in a Lambda function', () => {
  const sns = (message: Record<string, unknown>) => {
    const { SigningCertURL: SigningCertUrl, ...same } = message;
    return { Records: [{ EventSource: 'aws:sns', Sns: { Subject: null, SigningCertUrl, ...same } }] };
  };
  const sqs = (...bodies: object[]) => ({ Records: bodies.map((body, i) => ({ messageId: `m-${i}`, body: JSON.stringify(body) })) });
  const handler = () => lambdaHandler({ consumer: service(), open, onForged: (reason) => forged.push(reason) });

  test('has proved its move when the call of a topic returns', async () => {
    await handler()(sns(envelope(issued())));
    expect(outcomes()).toEqual(['heard', 'moved']);
  });

  test('of a queue, names the messages that are to come again and does the rest', async () => {
    const unreadable = signedNotices({ topics: [topic], fetchCertificate: () => Promise.reject(new Error('no answer')) });
    const first = lambdaHandler({ consumer: service(), open: (text) => (text.includes('"again"') ? unreadable : open)(text) });
    const answer = await first(sqs(envelope({ again: 'again', ...issued('d'.repeat(32)) }, { Subject: 'again' }), envelope(issued())));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-0' }] });
    expect(outcomes()).toEqual(['heard', 'moved']);
  });

  test('row 65: drops what is forged, and is not called again for it', async () => {
    const answer = await handler()(sqs({ ...envelope(issued()), Signature: 'AAAA' }, event('key.revoked')));
    expect([answer, sent, forged.length]).toEqual([{ batchItemFailures: [] }, [], 2]);
    await handler()(sns({ ...envelope(issued()), Timestamp: 'now' }));
    expect([sent, forged.length]).toEqual([[], 3]);
  });
});

describe('an instance that hears no notice', () => {
  test('looks at its destination again after its refresh time, once for all calls, and goes on with what it has when it cannot', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let reads = 0;
    let away = false;
    consumer = rekeyConsumer({
      ...{ name: 'checkout', refreshSeconds: 60, receipts: { send: async () => 'accepted' } },
      read: async () => {
        reads++;
        if (away) throw new Error('no answer');
        return value;
      },
    });
    const use = () => consumer.withKey(keyId, async (held) => held);
    expect([await use(), await use(), reads]).toEqual(['one', 'one', 1]);
    value = 'two';
    vi.setSystemTime(Date.now() + 61_000);
    expect([await Promise.all([use(), use(), use()]), reads]).toEqual([['two', 'two', 'two'], 2]);
    away = true;
    vi.setSystemTime(Date.now() + 61_000);
    expect(await use()).toBe('two');
    vi.useRealTimers();
  });
});

describe('a service that accepts keys', () => {
  const accepts = (presented: string) => consumer.accepts(keyId, presented);
  const hear = (type: Parameters<typeof event>[0], id: string, data: object = {}) =>
    open(JSON.stringify(envelope(event(type, { id, data })))).then((notice) => consumer.hear(notice!));

  test('accepts both during the overlap, and only the new one once the old is retired', async () => {
    service();
    expect([await accepts('one'), await accepts('two')]).toEqual(['current', 'no']);
    value = 'two';
    await consumer.hear((await open(JSON.stringify(envelope(issued()))))!);
    expect([await accepts('two'), await accepts('one'), await accepts('three')]).toEqual(['current', 'previous', 'no']);
    await hear('key.retired', 'e'.repeat(32), { version: 2 });
    expect([await accepts('two'), await accepts('one')]).toEqual(['current', 'no']);
  });

  test('accepts nothing that was revoked', async () => {
    service();
    await accepts('one');
    value = 'two';
    await consumer.hear((await open(JSON.stringify(envelope(issued()))))!);
    await hear('key.revoked', 'f'.repeat(32), { version: undefined });
    expect([await accepts('one'), await accepts('two')]).toEqual(['no', 'no']);
  });

  test('that starts in the middle of an overlap takes the value before from where it is kept', async () => {
    value = 'two';
    consumer = rekeyConsumer({
      ...{ name: 'checkout', receipts: { send: async () => 'accepted' } },
      read: async () => value,
      readPrevious: async () => 'one',
    });
    expect([await accepts('one'), await accepts('two')]).toEqual(['previous', 'current']);
    await hear('key.retired', 'e'.repeat(32), { version: 2 });
    expect(await accepts('one')).toBe('no');
  });

  test('looks again for a caller that moved first, but not for every stranger', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let reads = 0;
    consumer = rekeyConsumer({
      ...{ name: 'checkout', receipts: { send: async () => 'accepted' } },
      read: async () => {
        reads++;
        return value;
      },
    });
    expect(await accepts('one')).toBe('current');
    value = 'two';
    expect([await accepts('two'), await accepts('x'), reads]).toEqual(['no', 'no', 1]);
    vi.setSystemTime(Date.now() + 5001);
    expect([await accepts('two'), await accepts('one'), await accepts('x'), reads]).toEqual(['current', 'previous', 'no', 2]);
    vi.useRealTimers();
  });

  test('an unknown value is no refusal of the vendor', async () => {
    service();
    await expect(consumer.withKey(keyId, () => Promise.reject(new KeyRefused('401')))).rejects.toBeInstanceOf(KeyRefused);
    expect(await accepts('one')).toBe('current');
  });
});
