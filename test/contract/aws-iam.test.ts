import { IAMClient } from '@aws-sdk/client-iam';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { iamProvider } from '../../adapters/providers/aws-iam.ts';
import { NoFreeSlot, ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Provider } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { type FakeIam, fakeIam } from '../support/aws/iam-sts.ts';
import { clientSettings } from '../support/aws/server.ts';
import { describeProvider } from './provider.ts';

const subject = { keyId: 'team/iam', account: 'default', params: { userName: 'robot' } };
const keyValue = ({ accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string }) =>
  new Value(JSON.stringify({ accessKeyId, secretAccessKey }));

let fake: FakeIam;
let provider: Provider;

const make = ({ endpoint }: FakeIam, settings = {}) =>
  iamProvider({
    client: new IAMClient({ ...clientSettings(endpoint), ...settings }),
    sts: { endpoint, region: 'eu-central-1' },
    callSeconds: 1,
  });

beforeEach(async () => {
  fake = await fakeIam(['robot', 'person']);
  provider = make(fake);
});
afterEach(async () => {
  // Whatever a test does: nothing of ours ever turns a key on.
  expect(fake.enableCalls).toEqual([]);
  await fake.close();
});

describe('aws-iam: create', () => {
  it('mints a key whose value carries its id and is accepted', async () => {
    const { credentialId, value } = await provider.create(subject, 'label');
    expect(provider.credentialIdOf?.(value)).toBe(credentialId);
    expect(await provider.probe(subject, value)).toEqual({ verdict: 'alive', detail: 'GetCallerIdentity 200' });
    expect(await provider.list(subject)).toEqual([{ credentialId, enabled: true, createdAt: '2026-01-01T00:00:00.000Z' }]);
  });

  it('finds no free slot beside two keys, disabled ones included', async () => {
    const first = await provider.create(subject, 'a');
    await provider.create(subject, 'b');
    await expect(provider.create(subject, 'c')).rejects.toBeInstanceOf(NoFreeSlot);
    await provider.disable(subject, first.credentialId);
    await expect(provider.create(subject, 'c')).rejects.toBeInstanceOf(NoFreeSlot);
    await provider.delete(subject, first.credentialId);
    await provider.create(subject, 'c');
  });

  it('is sent once, although its answer was lost', async () => {
    fake.fail('CreateAccessKey', { kind: 'lost-answer' });
    await expect(provider.create(subject, 'label')).rejects.toBeInstanceOf(ProviderUnavailable);
    expect(fake.calls.filter(({ action }) => action === 'CreateAccessKey')).toHaveLength(1);
    expect(await provider.list(subject)).toHaveLength(1);
  });

  it('is not sent at all through a client that repeats requests by itself', async () => {
    await expect(make(fake, { maxAttempts: 3 }).create(subject, 'label')).rejects.toBeInstanceOf(ProviderRefused);
    expect(fake.calls).toEqual([]);
  });
});

describe('aws-iam: list', () => {
  it('reads every page', async () => {
    fake.knobs.pageSize = 1;
    const ids = [fake.addKey('robot'), fake.addKey('robot')].map(({ accessKeyId }) => accessKeyId);
    fake.addKey('person');
    expect((await provider.list(subject)).map(({ credentialId }) => credentialId)).toEqual(ids);
  });

  it('throws rather than answer with a part', async () => {
    fake.knobs.pageSize = 1;
    fake.addKey('robot');
    fake.addKey('robot');
    fake.fail('ListAccessKeys', { kind: 'meanwhile', happens: () => fake.fail('ListAccessKeys', { kind: 'no-answer' }) });
    await expect(provider.list(subject)).rejects.toBeInstanceOf(ProviderUnavailable);
  });

  it('refuses a user that does not exist', async () => {
    await expect(provider.list({ ...subject, params: { userName: 'nobody' } })).rejects.toThrow(
      new ProviderRefused('IAM ListAccessKeys for nobody: NoSuchEntityException 404'),
    );
  });
});

describe('aws-iam: probe', () => {
  it('sees a new key only when AWS has spread it', async () => {
    fake.knobs.propagation = 2;
    const { value } = await provider.create(subject, 'label');
    const verdicts = [];
    for (let i = 0; i < 3; i++) verdicts.push((await provider.probe(subject, value)).verdict);
    expect(verdicts).toEqual(['denied', 'denied', 'alive']);
  });

  it('sees a disabled key accepted until AWS has spread that, then denied', async () => {
    const { credentialId, value } = await provider.create(subject, 'label');
    fake.knobs.propagation = 2;
    expect(await provider.disable(subject, credentialId)).toBe('disabled');
    const verdicts = [];
    for (let i = 0; i < 3; i++) verdicts.push((await provider.probe(subject, value)).verdict);
    expect(verdicts).toEqual(['alive', 'alive', 'denied']);
    expect(fake.stsLog.at(-1)).toEqual({ accessKeyId: credentialId, answer: 'InvalidClientTokenId' });
  });

  it('does not call a key dead whose signature AWS doubts', async () => {
    const key = fake.addKey('robot');
    fake.knobs.falseSignatureErrors = 1;
    expect(await provider.probe(subject, keyValue(key))).toEqual({
      verdict: 'inconclusive',
      detail: 'GetCallerIdentity SignatureDoesNotMatch 403',
    });
    const wrong = await provider.probe(subject, keyValue({ ...key, secretAccessKey: 'wrong' }));
    expect(wrong.verdict).toBe('inconclusive');
    expect((await provider.probe(subject, keyValue(key))).verdict).toBe('alive');
  });

  it('denies a key that was never issued', async () => {
    const value = provider.neverIssued('5a0c');
    expect(provider.credentialIdOf?.(value)).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(new RegExp(provider.traits.secretPattern ?? '').test(value.reveal())).toBe(true);
    expect(provider.neverIssued('5a0c').equals(value)).toBe(true);
    expect(provider.neverIssued('5a0d').equals(value)).toBe(false);
    expect((await provider.probe(subject, value)).verdict).toBe('denied');
  });

  it('does not take the key of another user for alive', async () => {
    const stranger = fake.addKey('person');
    expect((await provider.probe(subject, keyValue(stranger))).verdict).toBe('inconclusive');
  });

  it('knows nothing after a 5xx, a throttle, a lost answer, silence, or with a value that is no key', async () => {
    const key = fake.addKey('robot');
    for (const fault of [
      { kind: 'error', code: 'InternalFailure', status: 500 },
      { kind: 'error', code: 'Throttling', status: 400 },
      { kind: 'error', code: 'AccessDenied', status: 403 },
      { kind: 'lost-answer' },
      { kind: 'no-answer' },
    ] as const) {
      fake.fail('GetCallerIdentity', fault);
      expect((await provider.probe(subject, keyValue(key))).verdict).toBe('inconclusive');
    }
    expect((await provider.probe(subject, new Value('not json'))).verdict).toBe('inconclusive');
    expect((await provider.probe(subject, new Value('{"accessKeyId":"x"}'))).verdict).toBe('inconclusive');
  });
});

describe('aws-iam: disable and delete', () => {
  it('make no difference the second time', async () => {
    const { credentialId } = await provider.create(subject, 'label');
    expect(await provider.disable(subject, credentialId)).toBe('disabled');
    expect(await provider.disable(subject, credentialId)).toBe('disabled');
    expect(await provider.list(subject)).toMatchObject([{ credentialId, enabled: false }]);
    expect(await provider.delete(subject, credentialId)).toBe('deleted');
    expect(await provider.delete(subject, credentialId)).toBe('gone');
    expect(await provider.disable(subject, credentialId)).toBe('gone');
    expect(await provider.list(subject)).toEqual([]);
  });

  it('do not touch the key of another user', async () => {
    const stranger = fake.addKey('person');
    expect(await provider.disable(subject, stranger.accessKeyId)).toBe('gone');
    expect(await provider.delete(subject, stranger.accessKeyId)).toBe('gone');
    expect(stranger).toMatchObject({ active: true, deleted: false });
  });

  it('tell what may have taken effect from what has not', async () => {
    const { credentialId } = await provider.create(subject, 'label');
    for (const fault of [
      { kind: 'error', code: 'ServiceFailure', status: 500 },
      { kind: 'error', code: 'EntityTemporarilyUnmodifiable', status: 409 },
      { kind: 'error', code: 'Throttling', status: 400 },
      { kind: 'no-answer' },
    ] as const) {
      fake.fail('UpdateAccessKey', fault);
      await expect(provider.disable(subject, credentialId)).rejects.toBeInstanceOf(ProviderUnavailable);
    }
    fake.fail('UpdateAccessKey', { kind: 'error', code: 'AccessDenied', status: 403 });
    await expect(provider.disable(subject, credentialId)).rejects.toThrow(
      new ProviderRefused('IAM UpdateAccessKey for robot: AccessDenied 403'),
    );
  });
});

describe('aws-iam: last use', () => {
  it('is never for a key that was not used, and to a quarter of an hour for one that was', async () => {
    const { credentialId, value } = await provider.create(subject, 'label');
    expect(await provider.lastUsed?.(subject, credentialId)).toEqual({ at: 'never', accuracySeconds: 900 });
    await provider.probe(subject, value);
    expect(await provider.lastUsed?.(subject, credentialId)).toEqual({ at: '2026-01-02T03:04:05.000Z', accuracySeconds: 900 });
  });
});

describe('aws-iam: values', () => {
  it('leak by their secret part and as a whole', () => {
    const value = keyValue({ accessKeyId: 'AKIAABCDEFGHIJKLMNOP', secretAccessKey: 'part' });
    const forms = provider.leakForms?.(value) ?? [];
    expect(forms).toHaveLength(2);
    expect(forms.some((form) => form.equals(new Value('part')))).toBe(true);
    expect(forms.some((form) => form.equals(value))).toBe(true);
    expect(provider.leakForms?.(new Value('text'))).toHaveLength(1);
  });

  it('give away their id from a pasted line too, and none where there is none', () => {
    expect(provider.credentialIdOf?.(new Value('aws_access_key_id = AKIAABCDEFGHIJKLMNOP'))).toBe('AKIAABCDEFGHIJKLMNOP');
    expect(provider.credentialIdOf?.(new Value('XAKIAABCDEFGHIJKLMNOPX'))).toBeUndefined();
  });
});

describe('aws-iam: parameters', () => {
  it('are refused before any request when they do not name a user, or name another account', async () => {
    for (const params of [{}, { userName: '' }, { userName: 'a b' }, { userName: '../x' }, { userName: 7 }]) {
      await expect(provider.list({ ...subject, params })).rejects.toBeInstanceOf(ProviderRefused);
    }
    await expect(provider.create({ ...subject, account: 'other' }, 'x')).rejects.toBeInstanceOf(ProviderRefused);
    expect(fake.calls).toEqual([]);
  });
});

describe('the fake of IAM', () => {
  it('notices when somebody turns a key on', async () => {
    const body = new URLSearchParams({
      Action: 'UpdateAccessKey',
      UserName: 'robot',
      AccessKeyId: fake.addKey('robot').accessKeyId,
      Status: 'Active',
    });
    await fetch(fake.endpoint, { method: 'POST', body });
    expect(fake.enableCalls).toHaveLength(1);
    fake.enableCalls.length = 0;
  });
});

const strikes = {
  'server-error': { kind: 'error', code: 'ServiceFailure', status: 500 },
  'lost-answer': { kind: 'lost-answer' },
  refused: { kind: 'error', code: 'AccessDenied', status: 403 },
  'slow-down': { kind: 'error', code: 'Throttling', status: 400 },
} as const;

describeProvider('aws-iam', async () => {
  const own = await fakeIam(['robot']);
  return {
    provider: make(own),
    subject,
    fill: () => {},
    saysFull: true,
    strike: (kind) => own.fail('*', strikes[kind]),
    async close() {
      expect(own.enableCalls).toEqual([]);
      await own.close();
    },
  };
});

describe('aws-iam: sessions', () => {
  it('are refused when they were derived before an instant, by a policy that a later one replaces', async () => {
    await provider.endSessions?.(subject, '2026-01-01T00:00:00.000Z');
    await provider.endSessions?.(subject, '2026-01-02T00:00:00.000Z');
    expect([...fake.userPolicies.keys()]).toEqual(['robot/rekey-deny-older-sessions']);
    expect(JSON.parse([...fake.userPolicies.values()][0] ?? '').Statement).toEqual([
      { Effect: 'Deny', Action: '*', Resource: '*', Condition: { DateLessThan: { 'aws:TokenIssueTime': '2026-01-02T00:00:00.000Z' } } },
    ]);
  });
});
