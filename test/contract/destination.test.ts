import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, it } from 'vitest';
import { localFileDestination } from '../../adapters/destinations/local-file.ts';
import { destinations } from '../../adapters/destinations/registry.ts';
import { secretsManagerDestination } from '../../adapters/destinations/secrets-manager.ts';
import { ssmParameterDestination } from '../../adapters/destinations/ssm-parameter.ts';
import { memoryDestination } from '../../adapters/memory/destination.ts';
import { Refused } from '../../core/errors.ts';
import { fakeSecretsManager } from '../support/aws/secrets-manager.ts';
import { clientSettings } from '../support/aws/server.ts';
import { fakeParameterStore } from '../support/aws/ssm.ts';
import { describeDestination } from './destination.ts';

describeDestination('in memory', async () => ({
  destination: memoryDestination(),
  place: (n) => `slot-${n}`,
  close: async () => {},
}));

describeDestination('a file', async () => {
  const baseDir = await mkdtemp(join(tmpdir(), 'rekey-files-'));
  return {
    destination: localFileDestination({ baseDir }),
    place: (n) => `service-${n}/key`,
    close: () => rm(baseDir, { recursive: true }),
  };
});

describeDestination('fields of one JSON file', async () => {
  const baseDir = await mkdtemp(join(tmpdir(), 'rekey-files-'));
  return {
    destination: localFileDestination({ baseDir }),
    place: (n) => `settings.json#key${n}`,
    close: () => rm(baseDir, { recursive: true }),
  };
});

describeDestination('Secrets Manager', async () => {
  const fake = await fakeSecretsManager();
  const client = new SecretsManagerClient(clientSettings(fake.endpoint));
  return {
    destination: secretsManagerDestination({ client, callSeconds: 5 }),
    place(n) {
      fake.secrets.set(`app/${n}`, { versions: new Map(), kmsKeyId: undefined });
      return `app/${n}`;
    },
    close: fake.close,
  };
});

describeDestination('Parameter Store', async () => {
  const fake = await fakeParameterStore();
  return {
    destination: ssmParameterDestination({ client: new SSMClient(clientSettings(fake.endpoint)), callSeconds: 5 }),
    place: (n) => `/app/${n}`,
    close: fake.close,
  };
});

describe('the destinations that are installed', () => {
  const find = destinations([memoryDestination('one'), memoryDestination('two')]);

  it('are found by their kind', () => {
    expect(find('two').kind).toBe('two');
  });

  it('are named when somebody asks for another', () => {
    expect(() => find('three')).toThrow(Refused);
    expect(() => find('three')).toThrow('there are: one, two');
  });

  it('cannot have one kind twice', () => {
    expect(() => destinations([memoryDestination('one'), memoryDestination('one')])).toThrow('same kind');
  });
});
