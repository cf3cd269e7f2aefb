import { createHash, createHmac, createSign } from 'node:crypto';
import { toCloudEvent } from '../../core/notice.ts';
import { noticeOf } from '../events/documents.ts';
import { makeRsaCertificate } from '../support/certificate.ts';

/** The key and certificate with which SNS signs in these tests. */
export const snsSigner = makeRsaCertificate('DNS:sns.amazonaws.com');

export const topic = 'arn:aws:sns:eu-west-1:111122223333:prod-rekey-notices';
export const emergencies = 'arn:aws:sns:eu-west-1:111122223333:prod-rekey-emergencies';
export const certificateUrl = `https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-${'0a'.repeat(16)}.pem`;

const fields = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];

export type Envelope = Readonly<Record<string, unknown>>;

/** A message as SNS delivers it, signed as SNS signs it, with fields changed before that. */
export function envelope(event: object, change: Envelope = {}, key = snsSigner.key): Envelope {
  const plain: Envelope = {
    Type: 'Notification',
    MessageId: createHash('sha256').update(JSON.stringify(event)).digest('hex').slice(0, 32),
    TopicArn: topic,
    Message: JSON.stringify(event),
    Timestamp: '2026-11-23T20:00:00.000Z',
    SignatureVersion: '2',
    SigningCertURL: certificateUrl,
    ...change,
  };
  const text = fields.flatMap((name) => (plain[name] === undefined ? [] : [`${name}\n${plain[name]}\n`])).join('');
  const algorithm = plain['SignatureVersion'] === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  return { ...plain, Signature: createSign(algorithm).update(text).sign(key, 'base64') };
}

/** A notice of the product itself, to the consumer `checkout` or to whom it is said. */
export function event(type: Parameters<typeof noticeOf>[0], change: { readonly id?: string; readonly data?: object } = {}): object {
  const notice = noticeOf(type);
  return toCloudEvent({ ...notice, ...change, audience: 'checkout', data: { ...notice.data, ...change.data } }, 'prod');
}

export const proofWith = (value: string, operationId: string, nonce: string): string =>
  createHmac('sha256', value).update(`${operationId}|checkout|${nonce}`).digest('hex');
