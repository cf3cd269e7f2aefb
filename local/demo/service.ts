import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KeyRefused, KeyStopped, rekeyConsumer } from '../../consumer/consumer.ts';
import { httpFeed, httpReceipts } from '../../consumer/http.ts';

/**
 * A service of the demo, in a process of its own. It knows its name and token, the key it uses, the file it may read, and the vendor it
 * calls all the time with `/v1/work`. It learns of rotations from notices alone. What it does is printed as lines of JSON.
 */
const { values } = parseArgs({
  options: {
    name: { type: 'string', default: '' },
    key: { type: 'string', default: '' },
    /** The file that the key's value is delivered to. */
    file: { type: 'string', default: '' },
    'token-file': { type: 'string', default: '' },
    rekey: { type: 'string', default: '' },
    vendor: { type: 'string', default: '' },
    /** How long this service takes to pick up a new value, in milliseconds. */
    delay: { type: 'string', default: '0' },
    /** Between two calls of the vendor, in milliseconds. */
    pace: { type: 'string', default: '200' },
  },
});

const say = (what: string, version?: number) => console.log(JSON.stringify({ what, ...(version === undefined ? {} : { version }) }));
const http = { url: values.rekey, token: () => readFile(values['token-file'], 'utf8') };
const consumer = rekeyConsumer({
  name: values.name,
  feed: httpFeed(http),
  receipts: httpReceipts(http),
  read: () => readFile(values.file, 'utf8'),
  delayMs: () => Number(values.delay),
  onEvent: ({ what, version }) => say(what, version),
});

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ending.abort());
// Whoever started this service is gone when its end of the pipe closes.
process.stdin.on('end', () => ending.abort()).resume();

consumer.start();
let last = '';
while (!ending.signal.aborted) {
  const now = await work();
  if (now !== last) say(now);
  last = now;
  await pause(Number(values.pace), undefined, { signal: ending.signal }).catch(() => undefined);
}
await consumer.stop();
process.stdin.destroy();

/** One call of the vendor with the key as it is now. */
async function work(): Promise<'working' | 'refused' | 'waiting' | 'vendor away'> {
  try {
    return await consumer.withKey(values.key, async (value) => {
      const response = await fetch(`${values.vendor}/v1/work`, { headers: { authorization: `Bearer ${value}` }, signal: ending.signal });
      await response.text();
      if (response.status === 401) throw new KeyRefused(`${values.key} was refused`);
      return response.ok ? 'working' : 'vendor away';
    });
  } catch (error) {
    if (error instanceof KeyRefused) return 'refused';
    return error instanceof KeyStopped ? 'waiting' : 'vendor away';
  }
}
