import {
  type AccessKeyMetadata,
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  ListAccessKeysCommand,
} from '@aws-sdk/client-iam';
import { CreateSecretCommand, DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { operationIdOf } from '../../../core/items.ts';
import type { Cloud } from '../cloud.ts';
import { firingSeconds } from '../firings.ts';
import type { Journey } from '../journey.ts';
import { keyFile } from '../key-file.ts';
import { active, executionArn, hold, must, recorded } from '../record.ts';
import { startService } from '../service.ts';
import { secondsTo, until } from '../until.ts';

/** An access key that was there before Rekey is registered, comes due, and is rotated because its schedule fired. */
export const journey: Journey = {
  letter: 'a',
  title: "an IAM user's access key: taken over, rotated because the schedule fired, the old one inactive and refused",
  needs: [
    'functions',
    'error-names',
    'http-api',
    'scheduler',
    'task-tokens',
    'transactions',
    'sns-filter',
    'secret-labels',
    'sts-inactive',
  ],
  async run(cloud, tell) {
    const { clients, stage } = cloud;
    const [keyId, secret, userName] = ['journeys/access-key', `${stage}/access-key`, `${stage}-app`];
    await clients.iam.send(new CreateUserCommand({ UserName: userName, Tags: [{ Key: 'rekey', Value: stage }] }));
    const { AccessKey } = await clients.iam.send(new CreateAccessKeyCommand({ UserName: userName }));
    const old = JSON.stringify({ accessKeyId: AccessKey?.AccessKeyId, secretAccessKey: AccessKey?.SecretAccessKey });
    await clients.secrets.send(new CreateSecretCommand({ Name: secret, SecretString: old }));
    const service = await startService(cloud, { name: 'service-a', keyId, secret });
    await until('the access key works', () => works(old), 60);
    const wish = {
      id: keyId,
      tier: 'high',
      provider: 'aws-iam',
      params: { userName },
      secret,
      service: service.name,
      overlap: 'PT62S',
    } as const;
    await cloud.addKey(keyFile(wish), ['--value-from', '-'], old);
    const first = await active(cloud, keyId, 30, 1);
    const before = await currentOf(cloud, secret);
    tell(`the operator took its access key over without a right to read values; due ${first.nextDueAt}`);

    const operationId = operationIdOf('rotate', keyId, `${first.nextDueAt}|1`);
    const started = await recorded(cloud, keyId, 'rotation.started', secondsTo(first.nextDueAt) + firingSeconds, operationId);
    must(started.actor === 'schedule', `the schedule began it, and not ${started.actor}`);
    must(started.at >= String(first.nextDueAt), 'it began when it was due and not before');
    const execution = executionArn(cloud, 'rotate', operationId);
    await until('its execution, under the name of this due date', async () => (await cloud.execution(execution)).states[0] === 'Issue', 10);
    tell(`the schedule began it at ${started.at}`);

    await service.saw('moved', 2, 150);
    const fresh = await service.read();
    must(fresh !== old && (await currentOf(cloud, secret)) !== before, "AWSCURRENT of the service's secret moved");
    const both = await accessKeys(cloud, userName);
    must(both.length === 2 && both.every(({ Status }) => Status === 'Active'), 'the user has two active keys');
    must((await works(old)) && (await works(fresh)), 'STS takes both');
    tell('the service heard of it by SQS, moved, and proved it as its own IAM user; STS takes both keys');

    const confirmed = await recorded(cloud, keyId, 'rotation.confirmed', 60, operationId);
    must(confirmed.detail['evidence'] === `${service.name}:possession`, `proof of possession (${confirmed.detail['evidence']})`);
    const done = await recorded(cloud, keyId, 'rotation.done', 180, operationId);
    await hold(cloud, keyId);
    const after = await accessKeys(cloud, userName);
    const statusOf = (value: string) => after.find(({ AccessKeyId }) => value.includes(String(AccessKeyId)))?.Status;
    must(statusOf(old) === 'Inactive' && statusOf(fresh) === 'Active', 'the old access key is inactive, the new one active');
    must(!(await works(old)), 'STS refuses the old one');
    must(await works(fresh), 'STS takes the new one');
    await service.subscription.hear('the end is told', ({ type }) => type === 'dev.rekey.key.retired.v1', 30);
    tell(`done at ${done.at}: the old access key is inactive, and STS refuses it`);
    await service.stop();
    for (const { AccessKeyId } of after) await clients.iam.send(new DeleteAccessKeyCommand({ UserName: userName, AccessKeyId }));
    await clients.iam.send(new DeleteUserCommand({ UserName: userName }));
  },
};

async function accessKeys(cloud: Cloud, UserName: string): Promise<AccessKeyMetadata[]> {
  return (await cloud.clients.iam.send(new ListAccessKeysCommand({ UserName }))).AccessKeyMetadata ?? [];
}

/** The version of a secret that carries AWSCURRENT. */
async function currentOf(cloud: Cloud, SecretId: string): Promise<string | undefined> {
  const { VersionIdsToStages = {} } = await cloud.clients.secrets.send(new DescribeSecretCommand({ SecretId }));
  return Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes('AWSCURRENT'))?.[0];
}

/** Whether STS knows who signs with this access key. Throws what else STS says. */
async function works(value: string): Promise<boolean> {
  const sts = new STSClient({ credentials: JSON.parse(value), maxAttempts: 1 });
  try {
    return Boolean((await sts.send(new GetCallerIdentityCommand({}))).Arn);
  } catch (error) {
    if ((error as Error).name === 'InvalidClientTokenId') return false;
    throw error;
  } finally {
    sts.destroy();
  }
}
