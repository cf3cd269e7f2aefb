import { verify, X509Certificate } from 'node:crypto';
import { type KeyNotice, noticeOf } from './notice.ts';

/** A message that did not come from one of the topics that this service listens to. Nothing in it was believed. */
export class ForgedNotice extends Error {
  override readonly name = 'ForgedNotice';
}

/** Reads the notice in a message; undefined for a message that is none. Throws ForgedNotice; any other error means: try again later. */
export type OpenNotice = (text: string) => Promise<KeyNotice | undefined>;

export interface SignedOptions {
  /** The ARNs of the two topics: the stack's outputs `TopicArn` and `EmergenciesTopicArn`. Nothing else is believed. */
  readonly topics: readonly string[];
  /** Reads a certificate from an address that was checked before; over HTTPS by default. */
  readonly fetchCertificate?: (url: string) => Promise<string>;
}

/** What SNS signs of a notification, in its order (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html). */
const signedFields = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'] as const;

/** Longest time to wait for a certificate, in milliseconds; the largest that is read; how many are kept. */
const certificate = { callMs: 5000, bytes: 20_000, kept: 8 };

/**
 * Opens what SNS delivers to a queue, an HTTPS endpoint or a function, and believes only what SNS signed: version 2 of its signatures
 * (SHA-256), with a certificate of SNS's own host in the region of a topic that is known here.
 */
export function signedNotices({ topics, fetchCertificate = overHttps }: SignedOptions): OpenNotice {
  const certificates = new Map<string, X509Certificate>();

  async function certificateAt(url: string): Promise<X509Certificate> {
    const known = certificates.get(url);
    if (known) return known;
    const read = certificateOf(await fetchCertificate(url));
    if (certificates.size >= certificate.kept) certificates.clear();
    certificates.set(url, read);
    return read;
  }

  return async (text) => {
    const envelope = envelopeOf(text);
    const { TopicArn: topic = '', SigningCertURL: url = '', Signature: signature = '' } = envelope;
    if (envelope.Type !== 'Notification') throw new ForgedNotice('it is no notification of SNS');
    if (!topics.includes(topic)) throw new ForgedNotice('it is of another topic');
    if (envelope.SignatureVersion !== '2') throw new ForgedNotice('its signature is not of version 2');
    if (!isOfSns(url, topic)) throw new ForgedNotice('its certificate is not at the host of SNS');
    const { publicKey, validFrom, validTo } = await certificateAt(url);
    const now = Date.now();
    if (now < Date.parse(validFrom) || now > Date.parse(validTo)) throw new ForgedNotice('its certificate is not valid now');
    const signed = signedFields.flatMap((name) => (envelope[name] === undefined ? [] : [`${name}\n${envelope[name]}\n`])).join('');
    if (publicKey.asymmetricKeyType !== 'rsa' || !verify('sha256', Buffer.from(signed), publicKey, Buffer.from(signature, 'base64')))
      throw new ForgedNotice('its signature is not that of SNS');
    return noticeOf(parsed(envelope.Message ?? ''));
  };
}

/**
 * Opens what a queue holds without looking at signatures: for raw message delivery, which has none. Then whoever may put messages into the queue
 * is believed, so its policy must let SNS alone do it, and for these topics only.
 */
export function trustedNotices(): OpenNotice {
  return async (text) => {
    const document = parsed(text);
    const { Type, Message } = isRecord(document) ? document : {};
    return noticeOf(Type === 'Notification' && typeof Message === 'string' ? parsed(Message) : document);
  };
}

/** Whether an address is SNS's own in the region of a topic: an attacker's certificate would make any message look right. */
function isOfSns(address: string, topic: string): boolean {
  const [, partition = '', , region = ''] = topic.split(':');
  const start = `https://sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}/`;
  const isRegion = /^[a-z0-9-]{4,40}$/.test(region);
  return isRegion && address.startsWith(start) && /^SimpleNotificationService-[0-9a-f]{32}\.pem$/.test(address.slice(start.length));
}

function certificateOf(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error('the certificate of SNS could not be read');
  }
}

async function overHttps(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(certificate.callMs) });
  if (!response.ok) throw new Error(`the certificate of SNS was answered ${response.status}`);
  const text = await response.text();
  if (text.length > certificate.bytes) throw new Error('the certificate of SNS is too large');
  return text;
}

type Envelope = Readonly<Record<(typeof signedFields)[number] | 'SignatureVersion' | 'Signature' | 'SigningCertURL', string | undefined>>;

function envelopeOf(text: string): Envelope {
  const document = parsed(text);
  const fields = isRecord(document) ? document : {};
  const textOf = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined);
  const names = [...signedFields, 'SignatureVersion', 'Signature', 'SigningCertURL'] as const;
  return Object.fromEntries(names.map((name) => [name, textOf(name)])) as Envelope;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
