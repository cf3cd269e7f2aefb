import { stringify } from 'yaml';
import * as z from 'zod/mini';
import { proofOf } from '../../core/challenge.ts';
import { isEmergency, type Notice, toCloudEvent } from '../../core/notice.ts';
import { type NoticeData, type NoticeType, noticeContract, noticeFields } from '../../core/notice-contract.ts';
import { Value } from '../../core/value.ts';
import { receipt } from '../../requests/receipt.ts';

/** Everything under docs/events that is made from the definitions of the code, by its path there. */
export function documents(): Readonly<Record<string, string>> {
  const files: Record<string, string> = {
    'asyncapi.yaml': `${header}${stringify(asyncApi(), { lineWidth: 140, aliasDuplicateObjects: false })}`,
    'filter-policies.json': json(filterPolicies),
    'receipt.schema.json': json(z.toJSONSchema(receipt)),
    'receipt-vectors.json': json(vectors()),
  };
  for (const type of types) {
    files[`schemas/${type}.v1.json`] = json(schemaOf(type));
    files[`examples/${type}.v1.json`] = json(exampleOf(type));
  }
  return files;
}

export const types = Object.keys(noticeContract) as NoticeType[];

const header = '# Made from core/notice-contract.ts: npx vitest run test/events -u writes it anew.\n';
const json = (content: unknown): string => `${JSON.stringify(content, null, 2)}\n`;

const instant = { type: 'string', format: 'date-time' };
const instants: readonly string[] = ['previousValidUntil', 'dueAt', 'endsAt'];

/** A field as JSON Schema: its definition, closed, with the shape of what is an instant. */
function fieldSchema(field: keyof typeof noticeFields): object {
  return instants.includes(field) ? { ...noticeFields[field], format: 'date-time' } : closed(noticeFields[field]);
}

function closed(schema: object): object {
  const copy = structuredClone(schema) as Record<string, unknown>;
  if ('properties' in copy) {
    copy['additionalProperties'] = false;
    copy['properties'] = Object.fromEntries(Object.entries(copy['properties'] as object).map(([name, one]) => [name, closed(one)]));
  }
  if ('items' in copy) copy['items'] = closed(copy['items'] as object);
  if ('enum' in copy) copy['type'] = 'string';
  return copy;
}

/** The JSON Schema of the CloudEvent of one type. Closed: a field that is not in the contract is a mistake. */
export function schemaOf(type: NoticeType): object {
  const { says, severity, action, always, perhaps, to } = noticeContract[type];
  const audience = to.every((one) => one === 'everybody') ? { const: '*' } : { type: 'string', minLength: 1 };
  const common = {
    key: { type: 'string', description: 'The id of the key.' },
    audience: { ...audience, description: 'The consumer it is for; `*` for everybody who watches the key.' },
    environment: { type: 'string' },
    tier: { enum: ['high', 'medium', 'low'] },
    severity: { enum: severity },
    operation: { type: 'string', description: 'The rotation, revocation or review that it belongs to; the same as correlationid.' },
    action: { ...fieldSchema('action'), enum: action },
  };
  const own = Object.fromEntries([...always, ...perhaps].map((field) => [field, fieldSchema(field)]));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `dev.rekey.${type}.v1`,
    description: says,
    type: 'object',
    properties: {
      specversion: { const: '1.0' },
      id: { type: 'string', description: 'The same for every repetition: drop what you have seen.' },
      source: { type: 'string', description: '/rekey/<stage>' },
      type: { const: `dev.rekey.${type}.v1` },
      subject: { type: 'string', description: 'key/<id of the key>' },
      time: instant,
      datacontenttype: { const: 'application/json' },
      correlationid: { type: 'string' },
      severity: { enum: severity },
      data: {
        type: 'object',
        properties: { ...common, ...own },
        required: [...Object.keys(common), ...always],
        additionalProperties: false,
      },
    },
    required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'correlationid', 'severity', 'data'],
    additionalProperties: false,
  };
}

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/stripe-AbCdEf';
const samples: Required<NoticeData> = {
  action: 'refresh',
  version: 7,
  previousValidUntil: '2026-11-25T20:00:00.000Z',
  destinations: [
    { id: 'api', kind: 'secrets-manager', at: 'prod/stripe', secret: { arn, versionId: '6f1d2c3b-4a59-8e7f-a0b1-c2d3e4f5a6b7' } },
    { id: 'batch', kind: 'ssm-parameter', at: '/prod/batch/stripe' },
  ],
  nonce: '0123456789abcdef0123456789abcdef',
  dueAt: '2026-11-30T20:00:00.000Z',
  endsAt: '2026-11-25T20:00:00.000Z',
  atEnd: 'hold',
  reason: 'said in a sentence',
};

/** One notice of a type with every field that it may have, as it is published to a consumer, or to everybody where no other is told. */
export function noticeOf(type: NoticeType): Notice {
  const { severity, action, always, perhaps, to } = noticeContract[type];
  const fields = [...always, ...perhaps].map((field) => [field, samples[field]]);
  return {
    id: '8c7b6a5f4e3d2c1b0a9f8e7d6c5b4a3f',
    type,
    keyId: 'payments/stripe',
    audience: to.some((one) => one === 'each') ? 'checkout' : '*',
    time: '2026-11-23T20:00:00.000Z',
    operationId:
      type.startsWith('key.rev') || type === 'key.reissued' ? 'revoke-abcdefghijklmnopqrstuvwxyz' : 'rotate-abcdefghijklmnopqrstuvwxyz',
    severity: severity[0],
    environment: 'prod',
    tier: 'high',
    data: { action: action[0], ...Object.fromEntries(fields) } as NoticeData,
  };
}

const exampleOf = (type: NoticeType): object => toCloudEvent(noticeOf(type), 'prod');

/** The name of a message in the AsyncAPI document, and the channel that it is on. */
const messageName = (type: NoticeType): string => type.replaceAll(/\.(\w)/g, (_, letter: string) => letter.toUpperCase());
const channelOf = (type: NoticeType): 'notices' | 'emergencies' => (isEmergency({ type }) ? 'emergencies' : 'notices');

const attributes = ['type', 'key', 'tier', 'environment', 'severity', 'audience'];

function asyncApi(): object {
  const on = (channel: string) => types.filter((type) => channelOf(type) === channel);
  const channel = (name: 'notices' | 'emergencies', description: string) => ({
    address: `{stage}-rekey-${name}`,
    description,
    parameters: { stage: { description: 'The deployed stage.' } },
    messages: Object.fromEntries(on(name).map((type) => [messageName(type), { $ref: `#/components/messages/${messageName(type)}` }])),
  });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Rekey: notices about keys',
      version: '1.0.0',
      license: { name: 'Apache-2.0' },
      description: [
        'CloudEvents 1.0 in structured JSON, published to SNS at least once and in no order: drop an id that was seen, and a version that is',
        'lower than the newest unless it was announced later. The type, the key, the tier, the environment, the severity and the audience are',
        'repeated as message attributes. Nothing carries a value.',
      ].join('\n'),
    },
    defaultContentType: 'application/json',
    channels: {
      notices: channel('notices', 'What changes about keys.'),
      emergencies: channel(
        'emergencies',
        'Keys that must not be used any more. A topic of its own, so that no filter for the other one loses it.',
      ),
      receipts: {
        address: 'POST /receipts',
        description:
          'What a consumer answers: over HTTPS to the API of the stage, signed with SigV4 by its own IAM role; locally with its own token.',
        messages: { receipt: { $ref: '#/components/messages/receipt' } },
      },
    },
    operations: {
      hearNotices: { action: 'send', channel: { $ref: '#/channels/notices' }, summary: 'Rekey tells consumers.' },
      hearEmergencies: { action: 'send', channel: { $ref: '#/channels/emergencies' }, summary: 'Rekey tells consumers to stop.' },
      answer: { action: 'receive', channel: { $ref: '#/channels/receipts' }, summary: 'A consumer says that it heard, moved or failed.' },
    },
    components: {
      messages: {
        ...Object.fromEntries(
          types.map((type) => [
            messageName(type),
            {
              name: `dev.rekey.${type}.v1`,
              summary: noticeContract[type].says,
              contentType: 'application/cloudevents+json',
              headers: { type: 'object', properties: Object.fromEntries(attributes.map((name) => [name, { type: 'string' }])) },
              payload: { $ref: `./schemas/${type}.v1.json` },
              examples: [{ name: type, payload: exampleOf(type) }],
            },
          ]),
        ),
        receipt: { name: 'receipt', contentType: 'application/json', payload: { $ref: './receipt.schema.json' } },
      },
    },
  };
}

const eventType = (type: NoticeType): string => `dev.rekey.${type}.v1`;
const asksForProof = types.filter((type) =>
  ([...noticeContract[type].always, ...noticeContract[type].perhaps] as string[]).includes('nonce'),
);

/** SNS filter policies on message attributes, ready to be copied; the names in them are examples. */
export const filterPolicies = {
  'everything for one service': { topic: 'notices', policy: { audience: ['checkout'] } },
  'one key of one service': { topic: 'notices', policy: { key: ['payments/stripe'], audience: ['checkout'] } },
  'only what a service must answer': { topic: 'notices', policy: { audience: ['checkout'], type: asksForProof.map(eventType) } },
  'only production': { topic: 'notices', policy: { environment: [{ prefix: 'prod' }], audience: ['checkout'] } },
  'a team that watches its keys': {
    topic: 'notices',
    policy: { key: [{ prefix: 'payments/' }], audience: ['*'], severity: ['warning', 'critical'] },
  },
  'only the highest tier': { topic: 'notices', policy: { tier: ['high'], audience: ['*'] } },
  'emergencies of one service': { topic: 'emergencies', policy: { audience: ['checkout'] } },
  'every emergency': { topic: 'emergencies', policy: { audience: ['*'] } },
} as const;

/** What a service in any language can check its proofs against. */
export function vectors(): object {
  const proof = (value: string, operationId: string, consumer: string, nonce: string) => ({
    ...{ value, operationId, consumer, nonce },
    text: `${operationId}|${consumer}|${nonce}`,
    proof: proofOf(new Value(value), operationId, consumer, nonce),
  });
  const operation = 'rotate-abcdefghijklmnopqrstuvwxyz';
  const nonce = '0123456789abcdef0123456789abcdef';
  const right = proof('not-a-real-key-1', operation, 'checkout', nonce);
  const { text: _text, ...given } = right;
  return {
    says: 'proof = lower-case hex of HMAC-SHA-256 with the UTF-8 bytes of the value as the key, over the UTF-8 bytes of operationId|consumer|nonce',
    proofs: [
      right,
      proof('not-a-real-key-2', operation, 'checkout', nonce),
      proof('not-a-real-key-1', operation, 'batch', nonce),
      proof('not-a-real-key-1', 'revoke-abcdefghijklmnopqrstuvwxyz', 'checkout', 'fedcba9876543210fedcba9876543210'),
      proof('größe & "quotes"\\n', operation, 'checkout', nonce),
      proof('x'.repeat(200), operation, 'a-service-with-a-long-name.of-some-team_1', nonce),
    ],
    refused: [
      { why: 'upper case', ...given, proof: right.proof.toUpperCase() },
      { why: 'another value', ...given, proof: proofOf(new Value('not-a-real-key-2'), operation, 'checkout', nonce) },
      { why: 'another consumer', ...given, proof: proofOf(new Value('not-a-real-key-1'), operation, 'batch', nonce) },
      {
        why: 'a line end at the end of the value',
        ...given,
        proof: proofOf(new Value('not-a-real-key-1\n'), operation, 'checkout', nonce),
      },
      { why: 'cut off', ...given, proof: right.proof.slice(0, 63) },
    ],
    receipts: [
      { keyId: 'payments/stripe', operationId: operation, version: 7, outcome: 'heard', noticeId: nonce },
      { keyId: 'payments/stripe', operationId: operation, version: 7, outcome: 'moved', noticeId: nonce, nonce, proof: right.proof },
      {
        keyId: 'payments/stripe',
        operationId: operation,
        version: 7,
        outcome: 'failed',
        noticeId: nonce,
        message: 'the vendor answers 403',
      },
    ],
  };
}
