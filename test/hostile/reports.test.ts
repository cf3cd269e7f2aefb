import { createHash, createHmac, generateKeyPairSync, sign as signed } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refused, refusals } from '../../core/errors.ts';
import type { Ports } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { receiveReport, senders } from '../../requests/senders/receive.ts';
import { readScan } from '../../requests/senders/scanners.ts';
import type { Message } from '../../requests/senders/sender.ts';
import { end } from '../support/operations.ts';
import { awsHealthEvent, githubAlert, githubPartnerAlert, gitleaksReport, guardDutyFinding, trufflehogReport } from '../support/samples.ts';
import { adopted, type World, world } from '../support/world.ts';
import { cpuSeconds, expectNoEcho, hostileText, hostileValue, mutationsOf, namedEnd, planted, saidBy } from './hostile.ts';

let ports: Ports;
vi.mock('../../functions/compose.ts', async (original) => ({
  ...(await original<typeof import('../../functions/compose.ts')>()),
  compose: () => () => ports,
}));
const { handler: awsEvent } = await import('../../functions/aws-event.ts');

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
  // What a report starts stands still: what changes was changed by the report.
  ports = { ...w.ports, executions: { ...w.ports.executions, start: async () => undefined } };
});
afterEach(() => end(w));

const stored = (): string => createHash('sha256').update(JSON.stringify(w.inventory.items())).digest('hex');
const state = async () => (await w.inventory.get({ pk: `KEY#${keyId}`, sk: 'META' }))?.['state'];

const secret = 'one secret for all of them';
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const secretOf = async (name: string) =>
  new Value(name === 'github-partner' ? JSON.stringify({ known: pair.publicKey.export({ type: 'spki', format: 'pem' }) }) : secret);

/** Any body, signed as the sender signs: whoever stole the secret may send it. */
const signing: Readonly<Record<string, (raw: Buffer) => Message>> = {
  github: (raw) => ({
    raw,
    headers: {
      'x-github-event': 'secret_scanning_alert',
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(raw).digest('hex')}`,
    },
  }),
  'github-partner': (raw) => ({
    raw,
    headers: {
      'github-public-key-identifier': 'known',
      'github-public-key-signature': signed('sha256', raw, { key: pair.privateKey, dsaEncoding: 'der' }).toString('base64'),
    },
  }),
  event: (raw) => {
    const timestamp = String(Math.floor(w.ports.clock.now() / 1000));
    const signature = createHmac('sha256', secret).update(`${timestamp}.`).update(raw).digest('hex');
    return { raw, headers: { 'rekey-sender': 'hr', 'rekey-timestamp': timestamp, 'rekey-signature': `v1=${signature}` } };
  },
};

const bodyOf = ({ raw }: Message): unknown => JSON.parse(Buffer.from(raw).toString('utf8'));
const good: Readonly<Record<string, unknown>> = {
  github: bodyOf(githubAlert(planted)),
  'github-partner': bodyOf(githubPartnerAlert([planted, 'x'])),
  event: { id: 'e-1', source: 'leak', subject: { leaked: planted }, says: 'found', where: 'chat', evidence: 'https://example.com/1' },
};

describe('a report from outside, whatever is in it,', () => {
  it.each(senders.map(({ name }) => name))(
    'from %s: is taken and counted, or refused by name; no value is kept or repeated',
    async (name) => {
      const body = fc.oneof(
        { weight: 4, arbitrary: mutationsOf(good[name]).map((value) => JSON.stringify(value) ?? '') },
        { weight: 1, arbitrary: hostileValue.map((value) => JSON.stringify(value) ?? '') },
        { weight: 1, arbitrary: hostileText },
      );
      await fc.assert(
        fc.asyncProperty(body, async (text) => {
          const before = stored();
          let counts: unknown;
          const error = await namedEnd(async () => {
            counts = await receiveReport(ports, secretOf, name, signing[name]!(Buffer.from(text)));
          });
          expectNoEcho(error ? saidBy(error) : JSON.stringify(counts));
          if (error) expect(stored()).toBe(before);
        }),
        { numRuns: 150 },
      );
      expectNoEcho(JSON.stringify(w.inventory.items()));
      expect(await state()).toBe('active');
      expect(Reflect.get({}, 'a')).toBeUndefined();
    },
  );

  it.each(senders.map(({ name }) => name))(
    'row 60: from %s, with any headers that do not sign it, is refused before it is read',
    async (name) => {
      const right = signing[name]!(Buffer.from(JSON.stringify(good[name])));
      const before = stored();
      await fc.assert(
        fc.asyncProperty(mutationsOf(right.headers), async (headers) => {
          fc.pre(typeof headers === 'object' && headers !== null && JSON.stringify(headers) !== JSON.stringify(right.headers));
          // An HTTP server hands on texts.
          const texts = Object.fromEntries(Object.entries(headers).filter(([, value]) => typeof value === 'string')) as Message['headers'];
          const still = Object.entries(right.headers).every(([header, value]) => texts[header] === value);
          fc.pre(!still && (name !== 'github' || texts['x-hub-signature-256'] !== right.headers['x-hub-signature-256']));
          const error = await namedEnd(() => receiveReport(ports, secretOf, name, { raw: right.raw, headers: texts }));
          // Another name of the same secret is as good.
          if (name === 'event' && !error) return;
          expect(error).toMatchObject({ code: 'E_CREDENTIALS' });
          expectNoEcho(saidBy(error));
        }),
        { numRuns: 100 },
      );
      if (name !== 'event') expect(stored()).toBe(before);
    },
  );

  it('row 60: to an address of nobody is refused', async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, async (name) => {
        const error = await namedEnd(() => receiveReport(ports, secretOf, name, { raw: Buffer.from('{}'), headers: {} }));
        expect(error).toMatchObject({ code: 'E_NOT_FOUND' });
        expectNoEcho(saidBy(error));
      }),
    );
  });
});

describe('row 63: an event of AWS, whatever is in it,', () => {
  it('names nothing but access keys, ends nothing that it does not name, and repeats nothing', async () => {
    const known = ['AKIA', 'IOSFODNN7EXAMPLE'].join('');
    const event = fc.oneof(mutationsOf(awsHealthEvent(known)), mutationsOf(guardDutyFinding(known)), hostileValue);
    await fc.assert(
      fc.asyncProperty(event, async (given) => {
        const before = stored();
        const error = await awsEvent(given, invocation).then(
          () => undefined,
          (thrown: Error) => thrown,
        );
        if (!error) return;
        expect(error.name).toBe('Refused');
        if (error instanceof Refused) expect(Object.keys(refusals)).toContain(error.code);
        expectNoEcho(`${error.message} ${error.stack}`);
        expect(stored()).toBe(before);
      }),
      { numRuns: 250 },
    );
    expectNoEcho(JSON.stringify(w.inventory.items()));
    expect(await state()).toBe('active');
  });
});

describe('a report of a scanner, whatever is in it,', () => {
  const whole = [gitleaksReport(planted, 'x'), trufflehogReport(planted)];
  const cut = fc
    .tuple(fc.constantFrom(...whole), fc.nat(), fc.nat(), hostileText)
    .map(([text, from, many, piece]) => text.slice(0, from % text.length) + piece + text.slice((from % text.length) + (many % 200)));
  const mutated = fc.oneof(
    mutationsOf(JSON.parse(whole[0] as string)).map((value) => JSON.stringify(value) ?? ''),
    mutationsOf(JSON.parse((whole[1] as string).split('\n')[1] as string)).map((value) => JSON.stringify(value) ?? ''),
  );

  it('is a list of findings, or refused by name and not repeated', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, mutated, hostileText), async (text) => {
        const error = await namedEnd(() => {
          for (const { leaked: _leaked, ...rest } of readScan(text).findings)
            expect(Object.values(rest).every((field) => typeof field === 'string' || typeof field === 'boolean')).toBe(true);
        });
        expectNoEcho(saidBy(error));
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['brackets', '['.repeat(200_000)],
    ['maps', '{"a":'.repeat(100_000)],
    ['empty findings', `[${'{},'.repeat(200_000)}{}]`],
    ['lines', '{}\n'.repeat(200_000)],
    ['one long line', `{"a":"${'x'.repeat(3_000_000)}"}`],
  ])('of very many %s is refused within a second of work', async (_what, text) => {
    const since = process.cpuUsage();
    expect(await namedEnd(() => readScan(text))).toMatchObject({ code: 'E_INPUT_INVALID' });
    expect(cpuSeconds(since)).toBeLessThan(1);
  });
});
