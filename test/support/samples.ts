import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { Message } from '../../requests/senders/sender.ts';

/** Messages as their senders document them, signed as they sign them. */

export const githubSecret = 'the webhook’s own secret';

/** docs.github.com/webhooks/webhook-events-and-payloads#secret_scanning_alert, shortened to one repository. */
export function githubAlert(
  secret: string,
  more: { readonly action?: string; readonly number?: number; readonly signedWith?: string } = {},
): Message {
  const { action = 'created', number = 42, signedWith = githubSecret } = more;
  const body = {
    action,
    alert: {
      number,
      created_at: '2026-01-05T07:59:00Z',
      updated_at: null,
      url: `https://api.github.com/repos/octo-org/app/secret-scanning/alerts/${number}`,
      html_url: `https://github.com/octo-org/app/security/secret-scanning/${number}`,
      locations_url: `https://api.github.com/repos/octo-org/app/secret-scanning/alerts/${number}/locations`,
      state: 'open',
      resolution: null,
      secret_type: 'sandbox_api_key',
      secret_type_display_name: 'Sandbox API Key',
      secret,
      push_protection_bypassed: false,
    },
    repository: { id: 1, name: 'app', full_name: 'octo-org/app', private: true },
    organization: { login: 'octo-org' },
    sender: { login: 'github', type: 'Bot' },
  };
  const raw = Buffer.from(JSON.stringify(body));
  return {
    raw,
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'secret_scanning_alert',
      'x-github-delivery': '0b989ba4-242f-11e5-81e1-c7b6966d2516',
      'x-hub-signature-256': `sha256=${createHmac('sha256', signedWith).update(raw).digest('hex')}`,
    },
  };
}

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
/** What is pinned: GET https://api.github.com/meta/public_keys/secret_scanning, as PEM by identifier. */
export const githubPartnerKeys = JSON.stringify({
  f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d: pair.publicKey.export({ type: 'spki', format: 'pem' }),
});

/** docs.github.com/code-security/secret-scanning-partner-program: an array of what was found. */
export function githubPartnerAlert(tokens: readonly string[], more: { readonly identifier?: string; readonly raw?: Buffer } = {}): Message {
  const body = tokens.map((token, i) => ({
    token,
    type: 'sandbox_api_key',
    url: `https://github.com/octocat/Hello-World/blob/12345600b9cbe38a219f39a9941c9319b600c002/foo/bar${i}.txt`,
    source: 'content',
  }));
  const raw = Buffer.from(JSON.stringify(body));
  return {
    raw: more.raw ?? raw,
    headers: {
      'content-type': 'application/json',
      'github-public-key-identifier': more.identifier ?? 'f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d',
      'github-public-key-signature': sign('sha256', raw, { key: pair.privateKey, dsaEncoding: 'der' }).toString('base64'),
    },
  };
}

/** docs/reports.md: the generic event. */
export function genericEvent(
  body: object,
  more: { readonly sender?: string; readonly secret?: string; readonly nowMs: number; readonly lateSeconds?: number },
): Message {
  const { sender = 'hr', secret = 'hr’s own secret', nowMs, lateSeconds = 0 } = more;
  const raw = Buffer.from(JSON.stringify(body));
  const timestamp = String(Math.floor(nowMs / 1000) - lateSeconds);
  const signature = createHmac('sha256', secret).update(`${timestamp}.`).update(raw).digest('hex');
  return { raw, headers: { 'rekey-sender': sender, 'rekey-timestamp': timestamp, 'rekey-signature': `v1=${signature}` } };
}

/** docs.aws.amazon.com/health: an event of the service RISK, as EventBridge delivers it. */
export const awsHealthEvent = (accessKeyId: string, code = 'AWS_RISK_CREDENTIALS_EXPOSED', account = '123456789012') => ({
  version: '0',
  id: '7bf73129-1428-4cd3-a780-95db273d1602',
  'detail-type': 'AWS Health Event',
  source: 'aws.health',
  account,
  time: '2026-01-05T07:58:00Z',
  region: 'us-east-1',
  resources: [],
  detail: {
    eventArn: `arn:aws:health:us-east-1::event/RISK/${code}/${code}_1`,
    service: 'RISK',
    eventTypeCode: code,
    eventTypeCategory: 'issue',
    startTime: 'Mon, 5 Jan 2026 07:58:00 GMT',
    eventDescription: [{ language: 'en_US', latestDescription: 'A description of the event will be provided here' }],
    affectedEntities: [{ entityValue: accessKeyId }],
    affectedAccount: account,
  },
});

/** docs.aws.amazon.com/guardduty: a finding about an access key. */
export const guardDutyFinding = (accessKeyId: string, severity = 8) => ({
  version: '0',
  id: '8e5f9c7a-1d2b-4a6f-9f0e-3c1b2a4d5e6f',
  'detail-type': 'GuardDuty Finding',
  source: 'aws.guardduty',
  account: '123456789012',
  time: '2026-01-05T07:58:00Z',
  region: 'us-east-1',
  resources: [],
  detail: {
    schemaVersion: '2.0',
    accountId: '123456789012',
    region: 'us-east-1',
    id: '16afba5c5c43e07c9e3e5e2e544e95df',
    type: 'CredentialAccess:IAMUser/AnomalousBehavior',
    severity,
    resource: {
      resourceType: 'AccessKey',
      accessKeyDetails: { accessKeyId, principalId: 'AIDACKCEVSQ6C2EXAMPLE', userName: 'deploy', userType: 'IAMUser' },
    },
  },
});

/** github.com/gitleaks/gitleaks: `gitleaks detect --report-format json`. */
export const gitleaksReport = (...secrets: readonly string[]) =>
  JSON.stringify(
    secrets.map((secret, i) => ({
      RuleID: 'sandbox-api-key',
      Description: 'Found a Sandbox key',
      StartLine: 20,
      EndLine: 20,
      StartColumn: 19,
      EndColumn: 38,
      Match: `key = "${secret}"`,
      Secret: secret,
      File: 'config/production.env',
      SymlinkFile: '',
      Commit: 'f6e9e9bd5d1b8b4a8d3c5f1f2f0b0d3d1c2b3a4f',
      Link: 'https://github.com/octo-org/app/blob/f6e9e9bd5d1b8b4a8d3c5f1f2f0b0d3d1c2b3a4f/config/production.env#L20',
      Entropy: 3.9,
      Author: 'A Person',
      Email: 'person@example.com',
      Date: '2026-01-04T10:00:00Z',
      Message: 'config',
      Tags: [],
      Fingerprint: `f6e9e9bd5d1b8b4a8d3c5f1f2f0b0d3d1c2b3a4f:config/production.env:sandbox-api-key:${20 + i}`,
    })),
  );

/** github.com/trufflesecurity/trufflehog: `trufflehog git --json`, one document a line, log lines between them. */
export const trufflehogReport = (secret: string, verified = true) =>
  [
    JSON.stringify({ level: 'info-0', ts: '2026-01-05T08:00:00Z', logger: 'trufflehog', msg: 'running source' }),
    JSON.stringify({
      SourceMetadata: {
        Data: {
          Git: {
            commit: 'fbc14303ffbf8fb1c2c1914e8dda7d0121633aca',
            file: 'keys',
            email: 'a@example.com',
            repository: 'https://github.com/octo-org/app',
            timestamp: '2026-01-04 10:00:00 +0000',
            line: 4,
          },
        },
      },
      SourceID: 1,
      SourceType: 16,
      SourceName: 'trufflehog - git',
      DetectorType: 2,
      DetectorName: 'Sandbox',
      DecoderName: 'PLAIN',
      Verified: verified,
      Raw: secret,
      RawV2: '',
      Redacted: secret.slice(0, 6),
      ExtraData: { rotation_guide: 'https://howtorotate.com/docs/tutorials/sandbox/' },
      StructuredData: null,
    }),
  ].join('\n');
