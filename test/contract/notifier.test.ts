import { SNSClient } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { snsNotifier } from '../../adapters/aws/notifier.ts';
import { memoryNotifier } from '../../adapters/memory/notifier.ts';
import { DestinationUnavailable } from '../../core/errors.ts';
import type { Notifier } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { clientSettings } from '../support/aws/server.ts';
import { type FakeTopic, fakeTopic } from '../support/aws/sns.ts';
import { describeNotifier, noticeWith } from './notifier.ts';

describeNotifier('in memory', async () => {
  const notifier = memoryNotifier();
  return { notifier, received: () => notifier.published.map(({ id }) => id), close: async () => {} };
});

describeNotifier('SNS', async () => {
  const fake = await fakeTopic();
  const client = new SNSClient(clientSettings(fake.endpoint));
  return {
    notifier: snsNotifier({ client, topics: { notices: fake.topicArn, emergencies: fake.emergencies }, stage: 'test', callSeconds: 5 }),
    received: () => fake.published.map(({ message }) => JSON.parse(message).id),
    close: fake.close,
  };
});

describe('notifier: SNS in particular', () => {
  let fake: FakeTopic;
  let notifier: Notifier;

  beforeAll(async () => {
    fake = await fakeTopic();
    notifier = snsNotifier({
      client: new SNSClient(clientSettings(fake.endpoint)),
      topics: { notices: fake.topicArn, emergencies: fake.emergencies },
      stage: 'test',
      callSeconds: 1,
    });
  });
  afterAll(() => fake.close());

  it('publishes the CloudEvents document, and repeats as attributes what subscribers filter on', async () => {
    await notifier.publish(noticeWith());
    const [published] = fake.published;
    expect(JSON.parse(published?.message ?? '')).toMatchObject({
      specversion: '1.0',
      id: 'notice-1',
      source: '/rekey/test',
      type: 'dev.rekey.key.issued.v1',
      subject: 'key/payments/stripe',
      data: { key: 'payments/stripe', version: 2, action: 'refresh' },
    });
    expect(published?.attributes).toEqual({
      type: 'dev.rekey.key.issued.v1',
      key: 'payments/stripe',
      tier: 'high',
      environment: 'prod',
      severity: 'info',
      audience: 'checkout',
    });
  });

  it('gives emergencies a topic of their own, which no filter for the others can lose', async () => {
    await notifier.publish(noticeWith({ type: 'key.revoked', severity: 'critical', data: { action: 'stop-using' } }));
    await notifier.publish(noticeWith({ type: 'key.contained', severity: 'warning', data: { action: 'none' } }));
    expect(fake.published.slice(-2).map(({ topicArn }) => topicArn)).toEqual([fake.emergencies, fake.topicArn]);
  });

  it('leaves every failure to the outbox, under one name', async () => {
    for (const fault of [
      { kind: 'error', code: 'AuthorizationError', status: 403 },
      { kind: 'error', code: 'InternalError', status: 500 },
      { kind: 'lost-answer' },
      { kind: 'no-answer' },
    ] as const) {
      fake.fail('Publish', fault);
      await expect(notifier.publish(noticeWith())).rejects.toBeInstanceOf(DestinationUnavailable);
    }
  });
});

describe('notifier: in memory in particular', () => {
  it('refuses a notice that carries a value', async () => {
    const notifier = memoryNotifier();
    const leaky = noticeWith({ data: { action: 'look', reason: new Value('x') as unknown as string } });
    await expect(notifier.publish(leaky)).rejects.toThrow('carries a value');
    expect(notifier.published).toEqual([]);
  });
});
