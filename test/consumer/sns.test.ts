import { afterEach, describe, expect, test, vi } from 'vitest';
import { ForgedNotice, signedNotices, trustedNotices } from '../../consumer/sns.ts';
import { makeCertificate, makeRsaCertificate } from '../support/certificate.ts';
import { certificateUrl, emergencies, envelope, event, snsSigner, topic } from './envelopes.ts';

const asked: string[] = [];
const open = signedNotices({
  topics: [topic, emergencies],
  fetchCertificate: async (url) => {
    asked.push(url);
    return snsSigner.cert;
  },
});
const opened = (message: object) => open(JSON.stringify(message));
afterEach(() => {
  vi.useRealTimers();
  asked.length = 0;
});

describe('a message that SNS signed', () => {
  test('is believed: the notice that the product published, from either topic', async () => {
    expect(await opened(envelope(event('key.issued')))).toMatchObject({ type: 'key.issued', audience: 'checkout', action: 'refresh' });
    expect(await opened(envelope(event('key.revoked'), { TopicArn: emergencies }))).toMatchObject({ type: 'key.revoked' });
    expect(await opened(envelope(event('key.issued'), { Subject: 'a subject' }))).toMatchObject({ type: 'key.issued' });
  });

  test('and is no notice is nothing, and its certificate is fetched once', async () => {
    const fetchCertificate = vi.fn(async () => snsSigner.cert);
    const fresh = signedNotices({ topics: [topic], fetchCertificate });
    for (let i = 0; i < 3; i++) expect(await fresh(JSON.stringify(envelope({ hello: 'world' })))).toBeUndefined();
    expect(fetchCertificate).toHaveBeenCalledTimes(1);
  });
});

describe('row 65: a message that SNS did not sign is refused, and nothing is fetched from where it points', () => {
  const good = envelope(event('key.issued'));
  const stranger = makeRsaCertificate('DNS:sns.amazonaws.com');

  test.each<[string, object, boolean]>([
    ['with another message than was signed', { ...good, Message: JSON.stringify(event('key.revoked')) }, true],
    ['with another time', { ...good, Timestamp: '2026-11-24T20:00:00.000Z' }, true],
    ['with a subject that was not signed', { ...good, Subject: 'urgent' }, true],
    ['without a signature', { ...good, Signature: '' }, true],
    ['signed with somebody else’s key', envelope(event('key.issued'), {}, stranger.key), true],
    ['of version 1, which is SHA-1', envelope(event('key.issued'), { SignatureVersion: '1' }), false],
    ['of no version', { ...good, SignatureVersion: undefined }, false],
    ['of another topic', envelope(event('key.issued'), { TopicArn: topic.replace('prod', 'evil') }), false],
    ['of a topic of that name in another account', envelope(event('key.issued'), { TopicArn: topic.replace('111122223333', '9') }), false],
    ['that is a confirmation of a subscription', envelope(event('key.issued'), { Type: 'SubscriptionConfirmation' }), false],
    ['that is only a notice', event('key.issued'), false],
  ])('%s', async (_what, message, mayFetch) => {
    await expect(opened(message)).rejects.toBeInstanceOf(ForgedNotice);
    if (!mayFetch) expect(asked).toEqual([]);
  });

  const pem = certificateUrl.split('/').at(-1);
  test.each([
    `http://sns.eu-west-1.amazonaws.com/${pem}`,
    `https://sns.eu-west-1.amazonaws.com.evil.example/${pem}`,
    `https://evil.example/sns.eu-west-1.amazonaws.com/${pem}`,
    `https://sns.us-east-1.amazonaws.com/${pem}`,
    `https://sns.eu-west-1.amazonaws.com:8443/${pem}`,
    `https://sns.eu-west-1.amazonaws.com@evil.example/${pem}`,
    `https://user@sns.eu-west-1.amazonaws.com/${pem}`,
    `https://sns.eu-west-1.amazonaws.com/../bucket/${pem}`,
    `https://sns.eu-west-1.amazonaws.com/${pem}?x=https://evil.example`,
    `https://sns.eu-west-1.amazonaws.com/evil.pem`,
    `https://s3.eu-west-1.amazonaws.com/${pem}`,
    '',
  ])('whose certificate is said to be at "%s"', async (SigningCertURL) => {
    await expect(opened(envelope(event('key.issued'), { SigningCertURL }, stranger.key))).rejects.toThrow('not at the host of SNS');
    expect(asked).toEqual([]);
  });

  test('when the certificate has expired, or is no RSA certificate', async () => {
    vi.useFakeTimers({ now: Date.now() + 5 * 86_400_000, toFake: ['Date'] });
    await expect(opened(good)).rejects.toThrow('not valid now');
    vi.useRealTimers();
    const ec = signedNotices({ topics: [topic], fetchCertificate: async () => makeCertificate('DNS:sns.amazonaws.com').cert });
    await expect(ec(JSON.stringify(good))).rejects.toThrow('not that of SNS');
  });

  test('a certificate that cannot be had is no forgery: the message is to come again', async () => {
    const away = signedNotices({ topics: [topic], fetchCertificate: () => Promise.reject(new Error('no answer')) });
    await expect(away(JSON.stringify(good))).rejects.not.toBeInstanceOf(ForgedNotice);
    const broken = signedNotices({ topics: [topic], fetchCertificate: async () => '<html>' });
    await expect(broken(JSON.stringify(good))).rejects.not.toBeInstanceOf(ForgedNotice);
  });

  test.each(['', 'null', '[]', '{"Type":7}', '{"Type":"Notification","TopicArn":null}'])('whatever it is: %s', async (text) => {
    await expect(open(text)).rejects.toBeInstanceOf(ForgedNotice);
  });
});

describe('raw delivery, which has no signature,', () => {
  test('is read as it is, and in an envelope too; what is no notice is nothing', async () => {
    const raw = trustedNotices();
    expect(await raw(JSON.stringify(event('key.issued')))).toMatchObject({ type: 'key.issued' });
    expect(await raw(JSON.stringify(envelope(event('key.issued'))))).toMatchObject({ type: 'key.issued' });
    for (const text of ['', '7', '{"Type":"Notification","Message":"x"}']) expect(await raw(text)).toBeUndefined();
  });
});
