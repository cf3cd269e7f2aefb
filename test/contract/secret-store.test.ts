import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretsManagerStore } from '../../adapters/aws/secret-store.ts';
import { fileSecretStore } from '../../adapters/file/secret-store.ts';
import { memorySecretStore } from '../../adapters/memory/secret-store.ts';
import { DestinationUnavailable, StoreConflict } from '../../core/errors.ts';
import type { SecretStore } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { type FakeSecretsManager, fakeSecretsManager } from '../support/aws/secrets-manager.ts';
import { clientSettings } from '../support/aws/server.ts';
import { describeSecretStore } from './secret-store.ts';

describeSecretStore('in memory', async () => {
  const store = memorySecretStore();
  return { store, other: store, close: async () => {} };
});

describeSecretStore('encrypted files', async () => {
  const home = await mkdtemp(join(tmpdir(), 'rekey-store-'));
  const open = () => fileSecretStore({ dir: join(home, 'secrets'), masterKeyFile: join(home, 'master.key') });
  return { store: open(), other: open(), close: () => rm(home, { recursive: true }) };
});

describeSecretStore('Secrets Manager', async () => {
  const fake = await fakeSecretsManager();
  const open = () =>
    secretsManagerStore({ client: new SecretsManagerClient(clientSettings(fake.endpoint)), prefix: 'rekey/test/', callSeconds: 5 });
  return { store: open(), other: open(), close: fake.close };
});

describe('secret store: Secrets Manager in particular', () => {
  let fake: FakeSecretsManager;
  let store: SecretStore;
  const canary = 'CANARY-6f1c0d';

  beforeAll(async () => {
    fake = await fakeSecretsManager();
    const client = new SecretsManagerClient(clientSettings(fake.endpoint));
    store = secretsManagerStore({ client, prefix: 'rekey/test/', callSeconds: 1, kmsKeyId: 'alias/rekey' });
  });
  afterAll(() => fake.close());

  it('shows nobody a value by AWSCURRENT before the first promotion', async () => {
    const token = randomUUID();
    await store.put('a/first', token, new Value(canary));
    const secret = fake.secrets.get('rekey/test/a/first');
    const current = [...(secret?.versions ?? [])].find(([, version]) => version.labels.has('AWSCURRENT'));
    expect(secret?.kmsKeyId).toBe('alias/rekey');
    expect(current?.[0]).not.toBe(token);
    expect(current?.[1].text).not.toContain(canary);
    expect(await store.read('a/first', current?.[0] ?? '')).toBeUndefined();
  });

  it('reads nothing for somebody who may only put values there', async () => {
    const client = new SecretsManagerClient(clientSettings(fake.endpoint));
    const theirs = secretsManagerStore({ client, prefix: 'rekey/test/', callSeconds: 1, writeOnly: true });
    const [token, before] = [randomUUID(), fake.calls.length];
    await theirs.put('a/theirs', token, new Value(canary));
    expect(fake.calls.slice(before).map(({ action }) => action)).not.toContain('GetSecretValue');
    expect((await store.read('a/theirs', token))?.reveal()).toBe(canary);
  });

  it('begins a secret that somebody made without a value', async () => {
    fake.secrets.set('rekey/test/a/bare', { versions: new Map(), kmsKeyId: undefined });
    const token = randomUUID();
    await store.put('a/bare', token, new Value(canary));
    expect(await store.labels('a/bare')).toEqual({ AWSPENDING: token });
    await store.promote('a/bare', token, null);
    expect(await store.labels('a/bare')).toMatchObject({ AWSCURRENT: token });
  });

  it('names the labels of every new version, so that none becomes current by omission', () => {
    const puts = fake.calls.filter(({ action }) => action === 'PutSecretValue');
    expect(puts.length).toBeGreaterThan(0);
    for (const { input } of puts) expect(input.VersionStages).toEqual(['AWSPENDING']);
  });

  it('resolves only when the version can be read back', async () => {
    const token = randomUUID();
    fake.knobs.staleReads = 2;
    await store.put('a/late', token, new Value(canary));
    expect((await store.read('a/late', token))?.equals(new Value(canary))).toBe(true);
  });

  it('strips a custom label too', async () => {
    const token = randomUUID();
    await store.put('a/custom', token, new Value(canary));
    fake.secrets.get('rekey/test/a/custom')?.versions.get(token)?.labels.add('BLUE');
    await store.strip('a/custom', token);
    expect(await store.labels('a/custom')).toEqual({});
  });

  it('finds its own version again when the answer to a put was lost', async () => {
    const token = randomUUID();
    fake.fail('PutSecretValue', { kind: 'lost-answer' });
    await expect(store.put('a/lost', token, new Value(canary))).rejects.toBeInstanceOf(DestinationUnavailable);
    expect((await store.read('a/lost', token))?.equals(new Value(canary))).toBe(true);
    await store.put('a/lost', token, new Value(canary));
    expect(await store.labels('a/lost')).toEqual({ AWSPENDING: token });
  });

  it('finds the label moved when the answer to a promotion was lost', async () => {
    const token = randomUUID();
    await store.put('a/moved', token, new Value(canary));
    fake.fail('UpdateSecretVersionStage', { kind: 'lost-answer' });
    await expect(store.promote('a/moved', token, null)).rejects.toBeInstanceOf(DestinationUnavailable);
    await store.promote('a/moved', token, null);
    expect(await store.labels('a/moved')).toMatchObject({ AWSCURRENT: token });
  });

  it('gives up within its deadline when nobody answers', async () => {
    fake.fail('DescribeSecret', { kind: 'no-answer' });
    await expect(store.labels('a/first')).rejects.toBeInstanceOf(DestinationUnavailable);
  });

  it('says nothing about a value in its errors', async () => {
    fake.fail('PutSecretValue', { kind: 'error', code: 'InternalServiceError', status: 500 });
    const failed = await store.put('a/quiet', randomUUID(), new Value(canary)).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(DestinationUnavailable);
    expect((failed as Error).message).toBe('Secrets Manager PutSecretValue: InternalServiceError 500');
    expect((failed as Error).cause).toBeUndefined();
    const token = randomUUID();
    await store.put('a/quiet', token, new Value(canary));
    const refused = await store.put('a/quiet', token, new Value('other')).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StoreConflict);
    expect(JSON.stringify([refused, (refused as Error).message, (refused as Error).stack])).not.toContain(canary);
  });
});
