import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CapabilitySheet } from '../../core/capability.ts';
import { fakeSecretsManager } from '../support/aws/secrets-manager.ts';
import { keyDocument, rekey } from '../support/local-installation.ts';
import { type Asked, ok, page, refused, type StubDoor, stubDoor } from '../support/stub-door.ts';

/** Stands in for the API and for AWS's own identity service, which answers at the root. */
let aws: StubDoor;
beforeAll(async () => {
  aws = await stubDoor();
  const arn = 'arn:aws:sns:eu-west-1:111122223333:rekey-prod-notices';
  const outputs = {
    Rekey: { ApiUrl: `${aws.url}/api`, TopicArn: arn, SecretPrefix: 'rekey/prod/' },
  };
  writeFileSync(join(aws.workspace, 'rekey.prod.json'), JSON.stringify(outputs));
  writeFileSync(join(aws.workspace, 'one.yaml'), keyDocument('one'));
});
afterAll(() => aws.stop());

let account: string;
beforeEach(() => {
  account = '111122223333';
  aws.asked.length = 0;
  aws.reply = (asked) => identity(asked) ?? ok(page([]));
});

const identity = ({ path }: Asked) => (path === '/' ? { status: 200, body: stsAnswer(account) } : undefined);

const stsAnswer = (id: string) =>
  `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::${id}:user/ada</Arn><UserId>A</UserId><Account>${id}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;

const expired =
  '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>';

const sheet: CapabilitySheet = {
  ...{ provider: 'sandbox', title: 'Sandbox', pattern: 'additive', evidence: 'observed', checkedOn: '2026-01-01' },
  ...{ unverified: [], capabilities: [], cannot: [], params: {}, admin: {}, facts: [], docs: [] },
};

/** Made up; AWS's own documentation uses the id. */
const credentials = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-real-one' };
const run = (args: readonly string[], env: Record<string, string> = credentials, stdin = '') =>
  rekey([...args, '--stage', 'prod'], {
    cwd: aws.workspace,
    stdin,
    env: {
      ...env,
      AWS_ENDPOINT_URL_STS: aws.url,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
  });
const paths = () => aws.asked.map(({ path }) => path);

describe('a deployed installation', () => {
  test('is asked with requests that AWS can check: signed for its region and service', async () => {
    const { code, stdout } = await run(['key', 'list', '--json']);
    expect([code, stdout]).toEqual([0, '[]\n']);
    const [one] = aws.asked;
    expect(one?.path).toBe('/api/requests/read/key.list');
    expect(one?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/eu-west-1\/execute-api\/aws4_request, SignedHeaders=.*host.*, Signature=[0-9a-f]{64}$/,
    );
    expect(one?.headers['x-amz-date']).toMatch(/^\d{8}T\d{6}Z$/);
  });

  test('is told of a leak without asking anybody else first', async () => {
    const revoked = { keyId: 'a', operationId: '', versions: [], message: 'told', alreadyDead: true };
    aws.reply = (asked) => ok(asked.path.endsWith('show') ? { id: 'a' } : revoked);
    expect((await run(['revoke', 'a', '--confirm', 'a'])).code).toBe(0);
    expect(paths()).toEqual(['/api/requests/revoke/revoke', '/api/requests/read/key.show']);
  });

  test('row 8: another account stops a change before it is sent, and both are named', async () => {
    account = '999988887777';
    for (const args of [
      ['rotate', 'a', '--yes'],
      ['key', 'add', '-f', 'one.yaml'],
      ['hold', 'a', '--until', 'P1D', '--reason', 'x'],
    ]) {
      const { code, stderr } = await run(args);
      expect([code, stderr]).toEqual([4, expect.stringMatching(/^E_WRONG_ACCOUNT.*111122223333.*999988887777/)]);
    }
    expect(new Set(paths())).toEqual(new Set(['/']));
  });

  test('row 8: another region stops everything, and both are named', async () => {
    const { code, stderr } = await run(['status', '--region', 'us-east-1']);
    expect([code, stderr]).toEqual([4, expect.stringMatching(/^E_WRONG_ACCOUNT.*eu-west-1.*us-east-1/)]);
    expect(paths()).toEqual([]);
  });

  test('row 9: missing credentials are said, without a stack trace, and nothing is sent', async () => {
    for (const args of [['status'], ['rotate', 'a', '--yes'], ['revoke', 'a', '--confirm', 'a']]) {
      const { code, stderr } = await run(args, {});
      expect([code, stderr]).toEqual([4, expect.stringMatching(/^E_CREDENTIALS.*sign in/)]);
      expect(stderr).not.toMatch(/\n {4}at /);
    }
    expect(paths()).toEqual([]);
  });

  test('row 9: expired credentials are said, and others that may not are told who may', async () => {
    aws.reply = () => ({ status: 403, body: { Message: 'The security token included in the request is expired' } });
    expect(await run(['key', 'list'])).toMatchObject({ code: 4, stderr: expect.stringMatching(/^E_CREDENTIALS.*expired/) });
    aws.reply = (asked) => identity(asked) ?? { status: 403, body: { message: 'Forbidden' } };
    expect(await run(['key', 'list'])).toMatchObject({ code: 4, stderr: expect.stringMatching(/^E_FORBIDDEN.*who-can/) });
  });

  test('takes an existing value over by putting it where the functions look, under their encryption, and reads it back never', async () => {
    const store = await fakeSecretsManager();
    const adopts = [refused('E_INPUT_EMPTY'), ok({ version: 1 })];
    aws.reply = (asked) => {
      if (asked.path.endsWith('key.show')) return ok({ state: 'registered', current: null, operation: null });
      if (asked.path.endsWith('provider.show')) return ok(sheet);
      return identity(asked) ?? (asked.path.endsWith('key.adopt') ? adopts.shift() : undefined) ?? ok({ keyId: 'one', outcome: 'created' });
    };
    const env = { ...credentials, AWS_ENDPOINT_URL_SECRETS_MANAGER: store.endpoint };
    const { code, stdout } = await run(['key', 'add', '-f', 'one.yaml', '--value-from', '-', '--json'], env, 'made-up-value');
    expect([code, JSON.parse(stdout).added]).toEqual([0, [expect.objectContaining({ version: '1, adopted' })]]);
    expect([...store.secrets].map(([name, { kmsKeyId }]) => [name, kmsKeyId])).toEqual([
      ['rekey/prod/key/one', 'alias/prod-rekey-secrets'],
    ]);
    expect(store.calls.map(({ action }) => action)).not.toContain('GetSecretValue');
    await store.close();
  });

  test('row 8, row 9: a bare refusal is looked into: expired credentials and another account are said as such', async () => {
    aws.reply = (asked) => (asked.path === '/' ? { status: 403, body: expired } : { status: 403, body: { message: 'Forbidden' } });
    expect(await run(['key', 'list'])).toMatchObject({ code: 4, stderr: expect.stringMatching(/^E_CREDENTIALS.*ExpiredToken/) });
    account = '999988887777';
    aws.reply = (asked) => identity(asked) ?? { status: 403, body: { message: 'Forbidden' } };
    expect(await run(['key', 'list'])).toMatchObject({ code: 4, stderr: expect.stringMatching(/^E_WRONG_ACCOUNT.*999988887777/) });
  });

  test('that gave no answer in time may have done it: the message says so, and that repeating is harmless', async () => {
    for (const status of [500, 503, 504]) {
      aws.reply = (asked) => identity(asked) ?? { status, body: { message: 'Service Unavailable' } };
      const { code, stderr } = await run(['rotate', 'a', '--yes']);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^E_UNREACHABLE.*may have been done.*[Rr]epeat/)]);
    }
    aws.reply = (asked) => identity(asked) ?? { status: 429, body: { message: 'Too Many Requests' } };
    expect(await run(['rotate', 'a', '--yes'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^E_UNREACHABLE.*not done/) });
  });

  test('says a refusal as the laptop does', async () => {
    aws.reply = (asked) => identity(asked) ?? refused('E_BUSY');
    expect(await run(['rotate', 'a', '--yes'])).toMatchObject({ code: 5, stderr: expect.stringMatching(/^E_BUSY/) });
  });

  test('that nothing describes is a usage error', async () => {
    expect(await rekey(['status', '--stage', 'nowhere'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^E_USAGE.*rekey\.nowhere\.json/),
    });
    expect(await rekey(['status', '--url', 'https://example.test/'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/--region/) });
  });
});
