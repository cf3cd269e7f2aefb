import { SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { snsPager } from '../../adapters/aws/pager.ts';
import { DestinationUnavailable } from '../../core/errors.ts';
import type { Page } from '../../core/page.ts';
import type { Pager } from '../../core/ports.ts';
import { clientSettings } from '../support/aws/server.ts';
import { type FakeTopic, fakeTopic } from '../support/aws/sns.ts';

const page: Page = {
  id: 'page-1',
  time: '2026-01-02T03:04:05.000Z',
  action: 'trigger',
  severity: 'critical',
  level: 'on-call',
  to: 'on-call',
  thread: 'revoke-1',
  title: 'zahlung/größe: ContainmentIncomplete',
  lines: [
    {
      escalation: 'attention/payments/stripe/x',
      keyId: 'payments/stripe',
      text: 'CONTAINMENT INCOMPLETE: no answer',
      reason: 'ContainmentIncomplete',
      since: '2026-01-02T03:00:00.000Z',
    },
  ],
  more: 3,
};

let fake: FakeTopic;
let pager: Pager;

beforeAll(async () => {
  fake = await fakeTopic();
  pager = snsPager({ client: new SNSClient(clientSettings(fake.endpoint)), topicArn: fake.pages, stage: 'test', callSeconds: 1 });
});
afterAll(() => fake.close());

describe('a page on SNS', () => {
  it('goes to the topic for people in the form that each kind of subscription reads', async () => {
    await pager.page(page);
    const sent = fake.published.at(-1);
    expect(sent).toMatchObject({ topicArn: fake.pages, structure: 'json' });
    const forms = JSON.parse(sent?.message ?? '{}') as Record<string, string>;
    expect(JSON.parse(forms['default'] ?? '')).toEqual({ stage: 'test', ...page });
    expect(forms['email']).toContain('- payments/stripe: CONTAINMENT INCOMPLETE: no answer (since 2026-01-02T03:00:00.000Z');
    expect(forms['email']).toContain('and 3 more');
    expect(JSON.parse(forms['https'] ?? '')).toMatchObject({
      version: '1.0',
      source: 'custom',
      content: { textType: 'client-markdown', title: ':rotating_light: zahlung/größe: ContainmentIncomplete' },
      metadata: { threadId: 'revoke-1', eventType: 'page.trigger' },
    });
  });

  it('has one subject for all messages of an incident, in letters that SNS takes', async () => {
    await pager.page(page);
    await pager.page({ ...page, id: 'page-2', action: 'resolve' });
    const [one, other] = fake.published.slice(-2).map(({ subject }) => subject);
    expect(one).toBe(other);
    expect(one).toMatch(/^\[test CRITICAL\] zahlung\/gr/);
    await pager.page({ ...page, title: 'x'.repeat(300) });
    expect(fake.published.at(-1)?.subject).toHaveLength(100);
  });

  it('says with attributes for whom it is, so that a team can filter', async () => {
    await pager.page(page);
    expect(fake.published.at(-1)?.attributes).toEqual({ action: 'trigger', level: 'on-call', to: 'on-call', severity: 'critical' });
  });

  it('leaves every failure to the outbox', async () => {
    fake.fail('Publish', { kind: 'error', code: 'InternalError', status: 500 });
    await expect(pager.page(page)).rejects.toBeInstanceOf(DestinationUnavailable);
  });
});
