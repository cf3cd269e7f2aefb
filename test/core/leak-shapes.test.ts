import { describe, expect, it } from 'vitest';
import { looksLike, providersOfRule, type Recognisable, redactingLog } from '../../core/leak-shapes.ts';
import type { Log, LogFields } from '../../core/ports.ts';

const provider = (
  name: string,
  secretPattern: string,
  aliases: Recognisable['about']['aliases'] = {},
  commonShape = false,
): Recognisable => ({
  name,
  traits: { secretPattern, commonShape },
  about: { title: name, docs: [], facts: [], cannot: [], aliases, params: {}, admin: {} },
});
const mail = provider('mail', '^ml_[0-9a-f]{20}$', { gitleaks: ['mail-api-key'], github: ['mail_api_key', 'mail_key_v2'] });
const metrics = provider('metrics', '^[0-9a-f]{32}$', { trufflehog: ['MetricsToken'] }, true);
const carrier = {
  ...provider('carrier', '^never$'),
  credentialIdOf: (value: { reveal(): string }) => /^CID\d{6}/.exec(value.reveal())?.[0],
};
const all = [mail, metrics, carrier];
const ofMail = `ml_${'0f'.repeat(10)}`;
const ofMetrics = '0f'.repeat(16);

describe('which vendor an unknown string looks like', () => {
  it.each([
    ['by itself', ofMail],
    ['with a line break', `${ofMail}\n`],
    ['in a settings file', `MAIL_KEY="${ofMail}" # prod`],
    ['in JSON', JSON.stringify({ mail: { key: ofMail } })],
    ['in YAML, without a space', `key:${ofMail}`],
    ['at the end of a sentence', `it was ${ofMail}.`],
    ['in an address', `https://api.mail.example/v1?key=${ofMail}`],
  ])('is said of a value %s', (_, text) => {
    expect(looksLike(text, all)).toEqual({ surely: ['mail'], perhaps: [] });
  });

  it('is only guessed where ids have that shape too, until the scanner’s rule says so', () => {
    expect(looksLike(ofMetrics, all)).toEqual({ surely: [], perhaps: ['metrics'] });
    expect(looksLike(ofMetrics, all, { scanner: 'trufflehog', name: 'metricstoken' })).toEqual({ surely: ['metrics'], perhaps: [] });
    expect(looksLike(ofMetrics, all, { scanner: 'gitleaks', name: 'MetricsToken' })).toEqual({ surely: [], perhaps: ['metrics'] });
  });

  it('is sure where it carries one of the vendor’s ids', () => {
    expect(looksLike('CID123456.abc', all).surely).toEqual(['carrier']);
  });

  it('is nobody for an honest text, a part of a value and a word without an end', () => {
    for (const text of ['', 'deploy the mail service', ofMail.slice(0, -1), `${ofMail}0`, 'ml_'.repeat(20_000)])
      expect(looksLike(text, all)).toEqual({ surely: [], perhaps: [] });
  });
});

describe('a scanner’s rule', () => {
  it('names a provider by the scanner’s own word for its keys, whatever its case', () => {
    expect(providersOfRule({ scanner: 'github', name: ' MAIL_key_V2' }, all)).toEqual(['mail']);
    expect(providersOfRule({ scanner: 'gitleaks', name: 'mail-api-key' }, all)).toEqual(['mail']);
    expect(providersOfRule({ scanner: 'gitleaks', name: 'mail_api_key' }, all)).toEqual([]);
    expect(providersOfRule({ scanner: 'constructor' as 'github', name: 'name' }, all)).toEqual([]);
  });
});

describe('a log', () => {
  const lines: [string, LogFields | undefined][] = [];
  const plain: Log = {
    info: (message, fields) => void lines.push([message, fields]),
    warn: (message, fields) => void lines.push([message, fields]),
    error: (message, fields) => void lines.push([message, fields]),
    measure: () => undefined,
  };
  const log = redactingLog(
    plain,
    all.map(({ traits }) => traits),
  );
  const written = (message: string, fields?: LogFields) => {
    lines.length = 0;
    log.error(message, fields);
    return lines[0];
  };

  it('never holds a value, in a message or in a field, whatever it is given', () => {
    expect(
      written(`the vendor said: bad key ${ofMail}.`, { seen: `"${ofMail}"`, at: `https://a.example/${ofMail}/x`, status: 401 }),
    ).toEqual(['the vendor said: bad key [value]', { seen: '"[value]"', at: 'https://a.example/[value]/x', status: 401 }]);
  });

  it('holds no value of the vendors that are known anyhow: pairs, tokens, private keys with all that follows', () => {
    const secret = `${'A1b2'.repeat(9)}/x+y`;
    const pair = JSON.stringify({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: secret });
    const pem = ['-----BEGIN OPENSSH PRIVATE', ' KEY-----\n', secret].join('');
    const jwt = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'c2lnbmF0dXJl'].join('.');
    for (const text of [pair, pem, jwt]) {
      const [message] = written(`seen: ${text}`) ?? [];
      expect(message).toContain('[value]');
      expect(message).not.toContain(secret);
      expect(message).not.toContain('c2lnbmF0dXJl');
    }
  });

  it('keeps ids, hashes, addresses and sentences as they are', () => {
    const fields = {
      operation: '0f8fad5b-d9cb-469f-a165-70867728950e',
      hash: ofMetrics,
      arn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/payments-AbCdEf',
      place: 'https://dash.example.com/d/abc123/payments-overview?orgId=1',
      empty: undefined,
    };
    expect(written('key payments/stripe: disabled', fields)).toEqual(['key payments/stripe: disabled', fields]);
  });
});
