import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { everyChannel } from '../../adapters/channels/every-channel.ts';
import { pagerDutyChannel } from '../../adapters/channels/pagerduty.ts';
import { slackChannel } from '../../adapters/channels/slack.ts';
import { DestinationUnavailable } from '../../core/errors.ts';
import type { Page } from '../../core/page.ts';
import { Value } from '../../core/value.ts';
import { pageOf } from '../../requests/page-message.ts';

const page: Page = {
  ...{ id: 'page-1', time: '2026-01-02T03:04:05.000Z', action: 'trigger', severity: 'critical', level: 'on-call', to: 'on-call' },
  ...{ thread: 'rotate-1', title: 'payments/stripe: ConsumersNotConfirmed', more: 2 },
  lines: [
    {
      ...{ escalation: 'silence/rotate-1/2', keyId: 'payments/stripe', reason: 'ConsumersNotConfirmed', since: '2026-01-02T03:00:00.000Z' },
      text: 'batch (<!channel> & friends) has not proved that it uses version 2',
    },
  ],
};

let server: Server;
let origin: string;
let got: { path: string; body: Record<string, unknown> }[];
let status: number;

beforeEach(async () => {
  [got, status] = [[], 202];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      got.push({ path: request.url ?? '', body: JSON.parse(Buffer.concat(chunks).toString()) });
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const secrets = (held: Record<string, string>) => ({
  secretOf: async (name: string) => (held[name] === undefined ? undefined : new Value(held[name])),
  stage: 'prod',
  callSeconds: 1,
});

describe('PagerDuty', () => {
  const channel = () => pagerDutyChannel({ ...secrets({ pagerduty: 'canary-routing-key' }), origin });

  it('gets an event for each page to on-call, and what takes it back resolves it under the same key', async () => {
    await channel().page(page);
    await channel().page({ ...page, id: 'page-2', action: 'resolve' });
    expect(got.map(({ path }) => path)).toEqual(['/v2/enqueue', '/v2/enqueue']);
    expect(got[0]?.body).toMatchObject({
      ...{ routing_key: 'canary-routing-key', event_action: 'trigger', dedup_key: 'rekey/prod/rotate-1' },
      payload: { summary: '[prod] payments/stripe: ConsumersNotConfirmed', source: 'payments/stripe', severity: 'critical', group: 'prod' },
    });
    expect(got[1]?.body).toEqual({ routing_key: 'canary-routing-key', event_action: 'resolve', dedup_key: 'rekey/prod/rotate-1' });
  });

  it('is not woken for owners and teams, nor where nobody set it up', async () => {
    await channel().page({ ...page, level: 'owner' });
    await pagerDutyChannel({ ...secrets({}), origin }).page(page);
    expect(got).toEqual([]);
  });

  it('that refuses, redirects or does not answer is named without its key', async () => {
    for (const answer of [400, 429, 500, 302]) {
      status = answer;
      const error = await channel()
        .page(page)
        .catch((thrown: Error) => thrown);
      expect(error).toBeInstanceOf(DestinationUnavailable);
      expect(String((error as Error).stack)).not.toContain('canary');
    }
  });
});

describe('Slack', () => {
  const channel = (url = `${origin}/services/canary`) => slackChannel({ ...secrets({ slack: url }), origins: [origin] });

  it('is told every page, its incident named and nothing in it read as markup', async () => {
    await channel().page({ ...page, level: 'owner', to: 'team-batch' });
    const text = JSON.stringify(got[0]?.body);
    expect(got[0]?.path).toBe('/services/canary');
    expect(text).toContain('&lt;!channel&gt; &amp; friends');
    expect(text).not.toContain('<!channel>');
    expect(text).toContain('For team-batch (owner) · incident rotate-1');
    expect(text).toContain('and 2 more');
  });

  it('is posted to at its own hosts only, and no error says where', async () => {
    const elsewhere = slackChannel(secrets({ slack: `${origin}/services/canary` }));
    await expect(elsewhere.page(page)).rejects.toThrow('is not one of Slack’s');
    status = 404;
    const error = (await channel()
      .page(page)
      .catch((thrown: Error) => thrown)) as Error;
    expect([error.name, error.message]).toEqual(['DestinationUnavailable', 'Slack answered 404']);
    expect(got).toHaveLength(1);
  });
});

describe('several channels', () => {
  it('are all told, though one fails; when the page comes again only that one is', async () => {
    let down = true;
    const told: string[] = [];
    const channel = (name: string) => ({
      async page() {
        if (name === 'bad' && down) throw new DestinationUnavailable('no answer');
        told.push(name);
      },
    });
    const all = everyChannel({ bad: channel('bad'), good: channel('good') });
    await expect(all.page(page)).rejects.toBeInstanceOf(DestinationUnavailable);
    down = false;
    await all.page(page);
    expect(told).toEqual(['good', 'bad']);
  });
});

describe('a message of the pages topic', () => {
  it('is a page of ours, or an alarm, which is over when it is OK', () => {
    expect(pageOf(JSON.stringify({ stage: 'prod', ...page }))).toEqual(page);
    const alarm = (NewStateValue: string) =>
      pageOf(
        JSON.stringify({
          AlarmName: 'prod-rekey-x',
          NewStateValue,
          NewStateReason: 'too many',
          StateChangeTime: '2026-01-02T03:04:05.000+0000',
        }),
      );
    expect(alarm('ALARM')).toMatchObject({
      action: 'trigger',
      level: 'on-call',
      thread: 'alarm/prod-rekey-x',
      lines: [{ text: 'too many' }],
    });
    expect(alarm('OK')).toMatchObject({ action: 'resolve', thread: 'alarm/prod-rekey-x' });
  });

  it.each(['', 'plain text', '{}', '[]', 'null', '{"AlarmName":7}'])('or nothing: %s', (message) => {
    expect(pageOf(message)).toBeUndefined();
  });
});
