import { AwsError, type FakeService, serve } from './server.ts';

interface PublishedMessage {
  readonly topicArn: string;
  readonly message: string;
  readonly subject: string | undefined;
  /** `json`: the message holds one form for each kind of subscription. */
  readonly structure: string | undefined;
  readonly attributes: Record<string, string>;
}

export interface FakeTopic extends FakeService {
  readonly topicArn: string;
  readonly emergencies: string;
  readonly pages: string;
  readonly published: PublishedMessage[];
}

/**
 * Three standard SNS topics after the API reference: at most 256 KiB, attributes with a type and a value, a subject of at most 100
 * characters of ASCII, and with the structure `json` a form called `default`.
 */
export async function fakeTopic(): Promise<FakeTopic> {
  const arn = (name: string) => `arn:aws:sns:eu-central-1:123456789012:test-rekey-${name}`;
  const [topicArn, emergencies, pages] = [arn('notices'), arn('emergencies'), arn('pages')];
  const published: PublishedMessage[] = [];
  const service = await serve('query', ({ action, input }) => {
    if (action !== 'Publish') throw new AwsError('InvalidAction');
    const topic = String(input.TopicArn);
    if (![topicArn, emergencies, pages].includes(topic)) throw new AwsError('NotFound', 'Topic does not exist', 404);
    const message = String(input.Message ?? '');
    const attributes = attributesOf(input);
    const bytes = Buffer.byteLength(message) + Buffer.byteLength(JSON.stringify(attributes));
    if (!message || bytes > 262_144) throw new AwsError('InvalidParameter', 'Invalid parameter: Message');
    const subject = input.Subject === undefined ? undefined : String(input.Subject);
    if (subject !== undefined && !/^[A-Za-z0-9\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e][\x20-\x7e]{0,99}$/.test(subject))
      throw new AwsError('InvalidParameter', 'Invalid parameter: Subject');
    const structure = input.MessageStructure === undefined ? undefined : String(input.MessageStructure);
    if (structure === 'json' && typeof JSON.parse(message).default !== 'string')
      throw new AwsError('InvalidParameter', 'Invalid parameter: Message Structure - No default entry in JSON message body');
    published.push({ topicArn: topic, message, subject, structure, attributes });
    return `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>${published.length}</MessageId></PublishResult></PublishResponse>`;
  });
  return Object.assign(service, { topicArn, emergencies, pages, published });
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
