import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type ConsumerEvent, type RekeyConsumer, rekeyConsumer } from '../../consumer/consumer.ts';
import { type NoticeFeed, noticeOf, type Receipts } from '../../consumer/notice.ts';
import type { Cloud } from './cloud.ts';
import type { Principal } from './principals.ts';
import type { Heard, Subscription } from './subscription.ts';
import { until } from './until.ts';

/** A downstream service as an organisation would run one: the library for consumers, a queue, and an IAM principal of its own. */
export interface Service {
  /** The name to register it under: its IAM user's. */
  readonly name: string;
  readonly consumer: RekeyConsumer;
  readonly subscription: Subscription;
  /** What happened to it so far, oldest first. */
  readonly events: readonly ConsumerEvent[];
  /** The value that its destination holds now, read with its own credentials. */
  read(): Promise<string>;
  /** The first event of that kind about a version, from the `from`th event on. Throws an Error when it does not come, see `until`. */
  saw(what: ConsumerEvent['what'], version: number, takesSeconds: number, from?: number): Promise<ConsumerEvent>;
  stop(): Promise<void>;
}

/**
 * Starts a service that may read one secret and send receipts, and nothing else. It hears the notices about one key that are for it or
 * for everybody, reads the secret when it is told to, and proves that it moved.
 */
export async function startService(
  cloud: Cloud,
  options: { readonly name: string; readonly keyId: string; readonly secret: string },
): Promise<Service> {
  const { stage, region, account } = cloud;
  const resources = [`arn:aws:secretsmanager:${region}:${account}:secret:${options.secret}-*`];
  const principal = await cloud.principal('consumer', {
    name: options.name,
    may: [{ actions: ['secretsmanager:GetSecretValue'], resources }],
  });
  const subscription = await cloud.subscribe(options.name, { key: [options.keyId], audience: [principal.name, '*'] });
  const secrets = new SecretsManagerClient({ credentials: principal.credentials });
  const read = async () => {
    const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: options.secret }));
    return SecretString;
  };
  const events: ConsumerEvent[] = [];
  const consumer = rekeyConsumer({
    name: principal.name,
    feed: feedOf(subscription),
    receipts: receiptsOf(cloud, principal),
    read,
    onEvent: (event) => events.push(event),
  });
  consumer.start();
  return {
    name: `${stage}-${options.name}`,
    consumer,
    subscription,
    events,
    read,
    saw: (what, version, takesSeconds, from = 0) =>
      until(
        `${principal.name} says "${what}" of version ${version}`,
        async () => events.slice(from).find((event) => event.what === what && event.version === version),
        takesSeconds,
      ),
    async stop() {
      await consumer.stop();
      secrets.destroy();
    },
  };
}

/** Hands each notice of the queue on once, in the order in which they came. */
function feedOf(subscription: Subscription): NoticeFeed {
  let handed = 0;
  return {
    async next(signal) {
      const fresh = await until<readonly Heard[]>(
        'a notice',
        async () => {
          if (signal.aborted) return [];
          const heard = await subscription.heard();
          return heard.length > handed && heard.slice(handed);
        },
        Number.POSITIVE_INFINITY,
        2,
      );
      handed += fresh.length;
      return fresh.map(noticeOf).filter((notice) => notice !== undefined);
    },
  };
}

function receiptsOf(cloud: Cloud, principal: Principal): Receipts {
  return {
    async send(receipt) {
      const { status, text } = await cloud.post('receipts', receipt, principal);
      if (status >= 500) throw new Error(`the receipt was answered ${status}`);
      if (status < 300) return 'accepted';
      return (JSON.parse(text) as { error?: { code?: string } }).error?.code ?? `HTTP ${status}`;
    },
  };
}
