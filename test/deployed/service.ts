import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { secretsManagerValues, signedReceipts } from '../../consumer/aws.ts';
import { type ConsumerEvent, type RekeyConsumer, rekeyConsumer } from '../../consumer/consumer.ts';
import { trustedNotices } from '../../consumer/sns.ts';
import { sqsFeed } from '../../consumer/sqs.ts';
import { openSqs } from './clients.ts';
import type { Cloud } from './cloud.ts';
import type { Subscription } from './subscription.ts';
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
 * Starts a service that may read one secret, one queue, and send receipts, and nothing else. It hears the notices about one key that are for it or
 * for everybody, reads the secret when it is told to, and proves that it moved. Beside its queue is another, for the journeys to look into.
 * An emulator signs no message, so the queue's policy is what is trusted.
 */
export async function startService(
  cloud: Cloud,
  options: { readonly name: string; readonly keyId: string; readonly secret: string },
): Promise<Service> {
  const { stage, region, account } = cloud;
  const queue = `${options.name}-own`;
  const principal = await cloud.principal('consumer', {
    name: options.name,
    may: [
      { actions: ['secretsmanager:GetSecretValue'], resources: [`arn:aws:secretsmanager:${region}:${account}:secret:${options.secret}-*`] },
      { actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'], resources: [`arn:aws:sqs:${region}:${account}:${stage}-${queue}`] },
    ],
  });
  const filter = { key: [options.keyId], audience: [principal.name, '*'] };
  const subscription = await cloud.subscribe(options.name, filter);
  const { queueUrl } = await cloud.subscribe(queue, filter);
  const { credentials } = principal;
  const secrets = new SecretsManagerClient({ credentials });
  const sqs = openSqs(credentials);
  const values = secretsManagerValues({ client: secrets, secrets: { [options.keyId]: options.secret } });
  const events: ConsumerEvent[] = [];
  const consumer = rekeyConsumer({
    name: principal.name,
    feed: sqsFeed({ client: sqs, queueUrl, open: trustedNotices() }),
    receipts: signedReceipts({ url: cloud.apiUrl, region, credentials }),
    read: values.read,
    onEvent: (event) => events.push(event),
  });
  consumer.start();
  return {
    name: `${stage}-${options.name}`,
    consumer,
    subscription,
    events,
    read: () => values.read(options.keyId),
    saw: (what, version, takesSeconds, from = 0) =>
      until(
        `${principal.name} says "${what}" of version ${version}`,
        async () => events.slice(from).find((event) => event.what === what && event.version === version),
        takesSeconds,
      ),
    async stop() {
      await consumer.stop();
      secrets.destroy();
      sqs.destroy();
    },
  };
}
