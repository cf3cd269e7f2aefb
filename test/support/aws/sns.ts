import { AwsError, type FakeService, serve } from './server.ts';

interface PublishedMessage {
  readonly message: string;
  readonly attributes: Record<string, string>;
}

export interface FakeTopic extends FakeService {
  readonly topicArn: string;
  readonly published: PublishedMessage[];
}

/** One standard SNS topic after the API reference: at most 256 KiB, attributes with a type and a value. */
export async function fakeTopic(): Promise<FakeTopic> {
  const topicArn = 'arn:aws:sns:eu-central-1:123456789012:rekey-key-changes';
  const published: PublishedMessage[] = [];
  const service = await serve('query', ({ action, input }) => {
    if (action !== 'Publish') throw new AwsError('InvalidAction');
    if (input.TopicArn !== topicArn) throw new AwsError('NotFound', 'Topic does not exist', 404);
    const message = String(input.Message ?? '');
    const attributes = attributesOf(input);
    const bytes = Buffer.byteLength(message) + Buffer.byteLength(JSON.stringify(attributes));
    if (!message || bytes > 262_144) throw new AwsError('InvalidParameter', 'Invalid parameter: Message');
    published.push({ message, attributes });
    return `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>${published.length}</MessageId></PublishResult></PublishResponse>`;
  });
  return Object.assign(service, { topicArn, published });
}

function attributesOf(input: Record<string, unknown>): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (let i = 1; input[`MessageAttributes.entry.${i}.Name`] !== undefined; i++) {
    const at = (field: string) => String(input[`MessageAttributes.entry.${i}.${field}`] ?? '');
    if (!at('Value.StringValue')) throw new AwsError('InvalidParameterValue', 'An attribute must have a value');
    if (at('Value.DataType') !== 'String') throw new AwsError('InvalidParameterValue', 'An attribute must have a type');
    attributes[at('Name')] = at('Value.StringValue');
  }
  return attributes;
}
