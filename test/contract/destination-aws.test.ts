import { randomUUID } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretsManagerDestination } from '../../adapters/destinations/secrets-manager.ts';
import { ssmParameterDestination } from '../../adapters/destinations/ssm-parameter.ts';
import { DestinationRefused, DestinationUnavailable } from '../../core/errors.ts';
import type { Destination } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { type FakeSecretsManager, fakeSecretsManager } from '../support/aws/secrets-manager.ts';
import { clientSettings } from '../support/aws/server.ts';
import { type FakeParameterStore, fakeParameterStore } from '../support/aws/ssm.ts';

const canary = 'CANARY-51d2e9';
const at = (place: string) => ({ id: 'd', kind: 'k', at: place, environment: 'test' });

describe('destination: Secrets Manager in particular', () => {
  let fake: FakeSecretsManager;
  let destination: Destination;

  beforeAll(async () => {
    fake = await fakeSecretsManager();
    destination = secretsManagerDestination({ client: new SecretsManagerClient(clientSettings(fake.endpoint)), callSeconds: 1 });
  });
  afterAll(() => fake.close());

  const secret = (name: string, ...versions: [token: string, text: string, ...labels: string[]][]) => {
    const held = new Map(versions.map(([token, text, ...labels]) => [token, { text, labels: new Set(labels) }]));
    fake.secrets.set(name, { versions: held, kmsKeyId: undefined });
    return held;
  };

  it('leaves the version before as AWSPREVIOUS', async () => {
    const [old, marker] = [randomUUID(), randomUUID()];
    const held = secret('app/previous', [old, 'old', 'AWSCURRENT']);
    await destination.write(at('app/previous'), new Value(canary), marker);
    expect([...(held.get(old)?.labels ?? [])]).toEqual(['AWSPREVIOUS']);
    expect(held.get(marker)?.labels.has('AWSCURRENT')).toBe(true);
  });

  it('says under which ARN and version the value is found that was written, and nothing of what it did not write', async () => {
    secret('app/located', [randomUUID(), 'old', 'AWSCURRENT']);
    const marker = randomUUID();
    expect(destination.locate?.(at('app/located'), marker)).toBeUndefined();
    await destination.write(at('app/located'), new Value(canary), marker);
    expect(destination.locate?.(at('app/located'), marker)).toEqual({
      arn: expect.stringMatching(/^arn:aws:secretsmanager:.*:secret:app\/located/),
      versionId: marker,
    });
  });

  it('loses to a write that overtook it, and says that writing again is safe', async () => {
    const [old, newer] = [randomUUID(), randomUUID()];
    const held = secret('app/overtaken', [old, 'old', 'AWSCURRENT'], [newer, 'newer']);
    // As if this write had been paused after its first look at the labels.
    fake.fail('PutSecretValue', {
      kind: 'meanwhile',
      happens() {
        held.get(old)?.labels.delete('AWSCURRENT');
        held.get(newer)?.labels.add('AWSCURRENT');
      },
    });
    await expect(destination.write(at('app/overtaken'), new Value(canary), randomUUID())).rejects.toBeInstanceOf(DestinationUnavailable);
    expect((await destination.read(at('app/overtaken')))?.equals(new Value('newer'))).toBe(true);
  });

  it('refuses for good where there is no secret, and where the marker holds another value', async () => {
    await expect(destination.write(at('app/none'), new Value(canary), randomUUID())).rejects.toBeInstanceOf(DestinationRefused);
    expect(fake.secrets.has('app/none')).toBe(false);
    const marker = randomUUID();
    secret('app/marker');
    await destination.write(at('app/marker'), new Value(canary), marker);
    await expect(destination.write(at('app/marker'), new Value('other'), marker)).rejects.toBeInstanceOf(DestinationRefused);
  });

  it('tells what may be tried again from what may not, without a word of the value', async () => {
    secret('app/errors');
    fake.fail('PutSecretValue', { kind: 'error', code: 'ThrottlingException', status: 400 });
    await expect(destination.write(at('app/errors'), new Value(canary), randomUUID())).rejects.toThrow(
      new DestinationUnavailable('Secrets Manager PutSecretValue for app/errors: ThrottlingException 400'),
    );
    fake.fail('PutSecretValue', { kind: 'error', code: 'AccessDeniedException', status: 400 });
    await expect(destination.write(at('app/errors'), new Value(canary), randomUUID())).rejects.toThrow(
      new DestinationRefused('Secrets Manager PutSecretValue for app/errors: AccessDeniedException 400'),
    );
    fake.fail('GetSecretValue', { kind: 'no-answer' });
    await expect(destination.read(at('app/errors'))).rejects.toBeInstanceOf(DestinationUnavailable);
  });
});

describe('destination: Parameter Store in particular', () => {
  let fake: FakeParameterStore;
  let destination: Destination;

  beforeAll(async () => {
    fake = await fakeParameterStore();
    destination = ssmParameterDestination({ client: new SSMClient(clientSettings(fake.endpoint)), callSeconds: 1 });
  });
  afterAll(() => fake.close());

  it('writes a SecureString, and nothing when it is already there', async () => {
    await destination.write(at('/app/a'), new Value(canary), randomUUID());
    await destination.write(at('/app/a'), new Value(canary), randomUUID());
    expect(fake.parameters.get('/app/a')).toMatchObject({ type: 'SecureString', version: 1 });
  });

  it('neither reads nor overwrites a parameter that lies open', async () => {
    fake.parameters.set('/app/open', { text: 'x', type: 'String', version: 1 });
    await expect(destination.write(at('/app/open'), new Value(canary), randomUUID())).rejects.toBeInstanceOf(DestinationRefused);
    await expect(destination.read(at('/app/open'))).rejects.toBeInstanceOf(DestinationRefused);
    expect(fake.parameters.get('/app/open')?.text).toBe('x');
  });

  it('refuses for good a value that does not fit', async () => {
    await expect(destination.write(at('/app/big'), new Value('x'.repeat(5000)), randomUUID())).rejects.toBeInstanceOf(DestinationRefused);
  });

  it('may be tried again after another update, a 5xx or silence', async () => {
    for (const fault of [
      { kind: 'error', code: 'TooManyUpdates', status: 400 },
      { kind: 'error', code: 'InternalServerError', status: 500 },
      { kind: 'lost-answer' },
      { kind: 'no-answer' },
    ] as const) {
      fake.fail('PutParameter', fault);
      await expect(destination.write(at('/app/busy'), new Value(`${canary}${fault.kind}`), randomUUID())).rejects.toBeInstanceOf(
        DestinationUnavailable,
      );
    }
    await destination.write(at('/app/busy'), new Value(canary), randomUUID());
    expect((await destination.read(at('/app/busy')))?.equals(new Value(canary))).toBe(true);
  });
});
