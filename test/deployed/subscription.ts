import { type SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { until } from './until.ts';

/** A notice as it came out of the queue: the CloudEvents document that a service would read. */
export interface Heard {
  readonly id: string;
  /** Such as `dev.rekey.key.issued.v1`. */
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>> & { readonly key: string; readonly operation: string };
  /** The message's attributes, by name. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** An SQS queue that hears what topics say, as a downstream service would. */
export interface Subscription {
  readonly queueUrl: string;
  /** Everything heard so far; looks again first. */
  heard(): Promise<readonly Heard[]>;
  /** The first notice that fits. Throws an Error when it does not come, see `until`. */
  hear(what: string, fits: (notice: Heard) => boolean, takesSeconds: number): Promise<Heard>;
}

/** Subscribes a new queue to topics; `filter` is a filter policy on message attributes. */
export async function subscribe(options: {
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
  readonly topicArns: readonly string[];
  readonly name: string;
  readonly filter?: Readonly<Record<string, readonly string[]>>;
}): Promise<Subscription> {
  const { sqs, sns, topicArns, name, filter } = options;
  const { QueueUrl: queueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }));
  const arn = Attributes!['QueueArn']!;
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: arn,
    Condition: { ArnEquals: { 'aws:SourceArn': topicArns } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queueUrl, Attributes: { Policy } }));
  const filterPolicy = filter ? { FilterPolicy: JSON.stringify(filter) } : {};
  for (const TopicArn of topicArns)
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arn, Attributes: filterPolicy }));

  const all: Heard[] = [];
  const look = async () => {
    for (;;) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return;
      all.push(...Messages.map(read));
      const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    }
  };
  return {
    queueUrl: queueUrl!,
    async heard() {
      await look();
      return all;
    },
    async hear(what, fits, takesSeconds) {
      const found = async () => {
        await look();
        return all.find(fits);
      };
      return until(`${what}, in ${name}`, found, takesSeconds);
    },
  };
}

/** SNS wraps a message unless raw delivery was asked for. */
function read({ Body = '' }: Message): Heard {
  const { Message, MessageAttributes = {} } = JSON.parse(Body) as {
    Message: string;
    MessageAttributes?: Record<string, { Value: string }>;
  };
  const attributes = Object.fromEntries(Object.entries(MessageAttributes).map(([key, { Value }]) => [key, Value]));
  return { ...JSON.parse(Message), attributes };
}
