import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiAnswer } from '../../functions/http-handler.ts';
import { secretNames } from '../../functions/secret-names.ts';
import { bundle, folderOf } from '../../infra/bundle.ts';
import { readInstallation } from '../../infra/installation.ts';
import { startDynamo } from '../../local/dynamodb.ts';
import { requests } from '../../requests/requests.ts';
import { pathOf } from '../../requests/routes.ts';
import { environment } from '../../workflows/environment.ts';
import { fakeIam } from '../support/aws/iam-sts.ts';
import { fakeSecretsManager } from '../support/aws/secrets-manager.ts';
import { clientSettings } from '../support/aws/server.ts';
import { fakeTopic } from '../support/aws/sns.ts';
import { fakeStepFunctions } from '../support/aws/step-functions.ts';
import { testFacts } from '../support/world.ts';

/**
 * The bundles as Lambda would run them: loaded by require, told where things are by the environment alone, against the real
 * DynamoDB API and against AWS services that speak the wire format.
 */
const account = '123456789012';
const prefix = 'rekey/test/';
const operator = `arn:aws:sts::${account}:assumed-role/platform/ada`;
const out = mkdtempSync(join(tmpdir(), 'rekey-deployed-test-'));
const before = { ...process.env };
const closing: (() => Promise<unknown>)[] = [];
let aws: {
  iam: Awaited<ReturnType<typeof fakeIam>>;
  secrets: Awaited<ReturnType<typeof fakeSecretsManager>>;
  workflows: Awaited<ReturnType<typeof fakeStepFunctions>>;
};

type Handler = (event: unknown, invocation: object) => Promise<unknown>;
const handlerOf = (entry: string, from = folderOf(out, entry)): Handler => createRequire(import.meta.url)(join(from, 'index.js')).handler;
const invocation = {
  awsRequestId: '00000000-0000-4000-8000-000000000001',
  invokedFunctionArn: `arn:aws:lambda:eu-central-1:${account}:function:f`,
};

beforeAll(async () => {
  await bundle(out, readInstallation('test'));
  const [iam, secrets, workflows, topic] = await Promise.all([
    fakeIam(['billing']),
    fakeSecretsManager(),
    fakeStepFunctions(),
    fakeTopic(),
  ]);
  const dynamo = await startDynamo({ table: 'deployed' });
  closing.push(iam.close, secrets.close, workflows.close, topic.close, dynamo.stop);
  aws = { iam, secrets, workflows };
  const pepper = { Name: secretNames.pepper(prefix), SecretString: 'x'.repeat(64) };
  await new SecretsManagerClient(clientSettings(secrets.endpoint)).send(new CreateSecretCommand(pepper));
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIATESTCLIENT234567',
    AWS_SECRET_ACCESS_KEY: 'not-a-real-secret',
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    AWS_ENDPOINT_URL_IAM: iam.endpoint,
    AWS_ENDPOINT_URL_STS: iam.endpoint,
    AWS_ENDPOINT_URL_SFN: workflows.endpoint,
    AWS_ENDPOINT_URL_SNS: topic.endpoint,
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    [environment.table]: 'deployed',
    [environment.topic]: topic.topicArn,
    [environment.emergencies]: topic.emergencies,
    [environment.pages]: topic.pages,
    [environment.prefix]: prefix,
    [environment.rotateWorkflow]: workflows.stateMachineArns.rotate,
    [environment.revokeWorkflow]: workflows.stateMachineArns.revoke,
  });
});

afterAll(async () => {
  for (const close of closing) await close();
  process.env = before;
  rmSync(out, { recursive: true });
});

function signed(path: string, body: unknown, more: { arn?: string; accountId?: string; method?: string; type?: string } = {}) {
  return {
    // Tests say the request; its action stands in the path.
    rawPath: path.replace(/^\/requests\/(.+)$/, (_, request) => `/${pathOf(request, requests[request]?.action ?? 'read')}`),
    headers: { 'content-type': more.type ?? 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    isBase64Encoded: false,
    requestContext: {
      http: { method: more.method ?? 'POST' },
      authorizer: { iam: { accountId: more.accountId ?? account, userArn: more.arn ?? operator } },
    },
  };
}

async function post(door: 'operate' | 'intake' | 'acknowledge', event: object) {
  const { statusCode, body } = (await handlerOf(`functions/${door}.ts`)(event, invocation)) as ApiAnswer;
  return { status: statusCode, ...(JSON.parse(body) as { result?: unknown; error?: { code: string; message: string } }) };
}

const facts = testFacts({
  id: 'billing/aws',
  provider: 'aws-iam',
  params: { userName: 'billing' },
  destinations: [{ id: 'api', kind: 'secrets-manager', at: 'test/billing', environment: 'staging' }],
});

describe('a key in the cloud', () => {
  test('is registered through the operators’ door, under the name of the principal that signed', async () => {
    expect(await post('operate', signed('/requests/key.register', { facts }))).toMatchObject({
      status: 200,
      result: { outcome: 'created' },
    });
    const { result } = await post('operate', signed('/requests/key.history', { keyId: facts.id }));
    expect((result as { actor: string }[])[0]!.actor).toBe(operator);
  });

  test('is minted by the Issue function, which is told the execution’s own payload and ends with the name that the workflow retries', async () => {
    const minting = await post('operate', signed('/requests/key.mint', { keyId: facts.id, requestId: 'request-1' }));
    expect(minting).toMatchObject({ status: 200, result: { started: true, newVersion: 1 } });
    const payload = JSON.parse([...aws.workflows.executions.values()][0]!.input);
    const failure = await handlerOf('functions/rotate/issue.ts')(payload, invocation).catch((error: Error) => error);
    expect(failure).toMatchObject({ name: 'ProbeAgain', stack: '' });
    expect((failure as Error).cause).toBeUndefined();
    expect(aws.iam.keys).toHaveLength(1);
    const stored = aws.secrets.calls.filter(({ action }) => action === 'PutSecretValue').map(({ input }) => input.SecretId);
    expect(stored).toEqual([`${secretNames.keys(prefix)}${facts.id}`]);
  });

  test('is found by its leaked string and disabled through the responders’ door, in the caller’s own request', async () => {
    const [key] = aws.iam.keys;
    const found = await post('intake', signed('/requests/revoke.find', { leaked: key!.secretAccessKey }));
    expect(found).toMatchObject({ status: 200, result: { match: { keyId: facts.id, version: 1 } } });
    const answer = await post('intake', signed('/requests/revoke', { keyId: facts.id, reason: 'seen in a log', requestId: 'request-2' }));
    expect(answer).toMatchObject({ status: 200, result: { versions: [{ number: 1, firstDisable: 'disabled' }], workflow: 'started' } });
    expect(key!.active).toBe(false);
    expect([...aws.workflows.executions.keys()].at(-1)).toContain(':execution:rekey-revoke:revoke-');
  });
});

describe('a door', () => {
  const show = { keyId: facts.id };

  test.each([
    ['without a signature', { ...signed('/requests/status', {}), requestContext: { http: { method: 'POST' } } }, 401, 'E_CREDENTIALS'],
    ['signed in another account', signed('/requests/status', {}, { accountId: '999999999999' }), 403, 'E_WRONG_ACCOUNT'],
    ['that is no POST', signed('/requests/status', {}, { method: 'GET' }), 400, 'E_USAGE'],
    ['that is not JSON by its type', signed('/requests/status', {}, { type: 'text/plain' }), 415, 'E_MEDIA_TYPE'],
    ['whose body is not JSON', signed('/requests/status', '{"a'), 400, 'E_INPUT_INVALID'],
    ['without a body', signed('/requests/status', ''), 400, 'E_INPUT_EMPTY'],
    ['with 257 KiB', signed('/requests/status', JSON.stringify('x'.repeat(257 * 1024))), 413, 'E_TOO_LARGE'],
    ['to another path', signed('/elsewhere', {}), 404, 'E_NOT_FOUND'],
    ['with an unknown field', signed('/requests/key.show', { ...show, more: 1 }), 400, 'E_INPUT_INVALID'],
  ])('refuses a request %s', async (_, event, status, code) => {
    expect(await post('operate', event)).toMatchObject({ status, error: { code } });
  });

  test('of the responders does not register, rotate or confirm', async () => {
    for (const name of ['key.register', 'rotate', 'confirm']) {
      expect(await post('intake', signed(`/requests/${name}`, {}))).toMatchObject({ status: 404, error: { code: 'E_NOT_FOUND' } });
    }
  });

  test('of the consumers knows a sender by the exact name of its role or user', async () => {
    const receipt = { keyId: facts.id, operationId: `rotate-${'a'.repeat(26)}`, version: 1, outcome: 'heard' };
    const as = (arn: string) => post('acknowledge', signed('/receipts', receipt, { arn }));
    // Nobody was told anything yet: a consumer that is known hears that, another one that it is none.
    const known = { status: 404, error: { message: 'no notice of that operation was sent to this consumer' } };
    expect(await as(`arn:aws:sts::${account}:assumed-role/api/i-0123`)).toMatchObject(known);
    expect(await as(`arn:aws:iam::${account}:user/services/batch`)).toMatchObject(known);
    expect(await as(`arn:aws:sts::${account}:assumed-role/api-2/api`)).toMatchObject({
      status: 404,
      error: { message: `api-2 is not a registered consumer of ${facts.id}` },
    });
    expect(await as(`arn:aws:iam::${account}:root`)).toMatchObject({ status: 403 });
  });

  test('answers an unexpected error with its request’s id and nothing else', async () => {
    const bare = join(out, 'bare');
    mkdirSync(bare);
    copyFileSync(join(folderOf(out, 'functions/operate.ts'), 'index.js'), join(bare, 'index.js'));
    const answer = (await handlerOf('functions/operate.ts', bare)(signed('/requests/status', {}), invocation)) as ApiAnswer;
    expect([answer.statusCode, answer.body.includes('installation'), answer.body.includes(out)]).toEqual([500, false, false]);
    expect(JSON.parse(answer.body).error).toMatchObject({ code: 'E_INTERNAL', message: expect.stringContaining(invocation.awsRequestId) });
  });
});

describe('a step’s function', () => {
  const payload = { keyId: facts.id, operationId: `rotate-${'b'.repeat(26)}`, startSeq: 1 };
  const failureOf = (entry: string, event: unknown) => handlerOf(entry)(event, invocation).catch((error: Error) => error) as Promise<Error>;

  test.each([
    ['with an unknown field', { ...payload, value: 'x' }],
    ['without a field', { keyId: facts.id, startSeq: 1 }],
    ['with a field of another type', { ...payload, startSeq: '1' }],
    ['that is nothing', null],
  ])('refuses a payload %s', async (_, event) => {
    expect(await failureOf('functions/rotate/verify.ts', event)).toMatchObject({
      name: 'Refused',
      message: 'the payload is not that of a step',
    });
  });

  test('takes the task token only where the workflow waits, and the first cause only where it aborts', async () => {
    const own = [
      ['functions/rotate/confirm.ts', { taskToken: 'token' }],
      ['functions/rotate/abort.ts', { error: 'VerificationFailed' }],
    ] as const;
    for (const [entry, more] of own) {
      expect((await failureOf(entry, { ...payload, ...more })).name).toBe('Superseded');
      expect((await failureOf(entry, payload)).name).toBe('Refused');
      expect((await failureOf('functions/rotate/verify.ts', { ...payload, ...more })).name).toBe('Refused');
    }
  });

  test('ends with an error that carries a name and a message, and no stack, cause or field', async () => {
    const error = await failureOf('functions/rotate/verify.ts', payload);
    expect(error).toMatchObject({ name: 'Superseded', stack: '', message: expect.stringContaining(facts.id) });
    expect(Object.keys(error).filter((field) => field !== 'name')).toEqual([]);
  });
});

describe('a schedule’s function', () => {
  test('looks and ends when it is fired with its tier', async () => {
    await expect(handlerOf('functions/sweep.ts')({ tier: 'high' }, invocation)).resolves.toBeUndefined();
    await expect(handlerOf('functions/reconcile.ts')({}, invocation)).resolves.toBeUndefined();
  });

  test('refuses to sweep without a tier', async () => {
    await expect(handlerOf('functions/sweep.ts')({}, invocation)).rejects.toMatchObject({ name: 'Refused' });
  });
});
