import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { DestinationUnavailable, StoreConflict } from '../../core/errors.ts';
import type { SecretStore } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { awsFailure } from '../aws-failure.ts';

export interface SecretsManagerOptions {
  readonly client: SecretsManagerClient;
  /** Begins the name of every secret: `rekey/prod/`. */
  readonly prefix: string;
  /** Most seconds one call of the port takes, all its requests together. */
  readonly callSeconds: number;
  /** Encrypts the secrets this store creates; without it, the account's own key for Secrets Manager. */
  readonly kmsKeyId?: string;
  /** For somebody who may put values there and not read them: `put` then does not wait until the version shows. */
  readonly writeOnly?: boolean;
}

/**
 * Secrets Manager puts AWSCURRENT on the first version of a secret whatever labels the request asks for, and that
 * label can then be moved but never removed. So each secret begins with this version, which holds no value: it keeps
 * AWSCURRENT until the first promotion, and the port never shows it.
 */
const emptyToken = '00000000-0000-4000-8000-000000000000';
const emptyText = '{"rekey":"this key has no version yet"}';

/** The secret store on AWS Secrets Manager: one secret per key, named `<prefix><keyId>`. */
export function secretsManagerStore({ client, prefix, callSeconds, kmsKeyId, writeOnly = false }: SecretsManagerOptions): SecretStore {
  const nameOf = (keyId: string) => `${prefix}${keyId}`;
  const deadline = () => ({ abortSignal: AbortSignal.timeout(callSeconds * 1000) });

  return {
    async put(keyId, token, value) {
      const SecretId = nameOf(keyId);
      const until = deadline();
      if (!(await describe(client, SecretId, until))?.has('AWSCURRENT')) await begin(client, SecretId, kmsKeyId, until);
      try {
        await client.send(
          new PutSecretValueCommand({
            SecretId,
            ClientRequestToken: token,
            SecretString: value.reveal(),
            VersionStages: ['AWSPENDING'],
          }),
          until,
        );
      } catch (error) {
        if (awsFailure(error).code === 'ResourceExistsException') {
          throw new StoreConflict(`version ${token} of ${keyId} already holds another value`);
        }
        throw unavailable('PutSecretValue', error);
      }
      if (!writeOnly) await readable(client, SecretId, token, until);
    },

    async read(keyId, token) {
      if (token === emptyToken) return undefined;
      return readVersion(client, nameOf(keyId), token, deadline());
    },

    async labels(keyId) {
      const all = (await describe(client, nameOf(keyId), deadline())) ?? [];
      return Object.fromEntries([...all].filter(([, token]) => token !== emptyToken));
    },

    async promote(keyId, to, from) {
      const SecretId = nameOf(keyId);
      const until = deadline();
      const current = (await describe(client, SecretId, until))?.get('AWSCURRENT');
      if (current === to) return;
      if (current !== (from ?? emptyToken)) throw conflict(keyId, current, from);
      try {
        await client.send(
          new UpdateSecretVersionStageCommand({
            SecretId,
            VersionStage: 'AWSCURRENT',
            MoveToVersionId: to,
            RemoveFromVersionId: current,
          }),
          until,
        );
      } catch (error) {
        const failure = awsFailure(error);
        if (failure.transient || !['InvalidParameterException', 'ResourceNotFoundException'].includes(failure.code)) {
          throw unavailable('UpdateSecretVersionStage', error);
        }
        const now = (await describe(client, SecretId, until))?.get('AWSCURRENT');
        if (now !== to) throw conflict(keyId, now, from);
      }
    },

    async strip(keyId, token) {
      const SecretId = nameOf(keyId);
      const until = deadline();
      for (const [label, on] of (await describe(client, SecretId, until)) ?? []) {
        if (on !== token || label === 'AWSCURRENT') continue;
        try {
          await client.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage: label, RemoveFromVersionId: token }), until);
        } catch (error) {
          // The label has left this version in the meantime, which is what was asked for.
          if (awsFailure(error).code !== 'InvalidParameterException') throw unavailable('UpdateSecretVersionStage', error);
        }
      }
    },
  };
}

interface Until {
  readonly abortSignal: AbortSignal;
}

/** Label to token; undefined when there is no such secret. */
async function describe(client: SecretsManagerClient, SecretId: string, until: Until): Promise<Map<string, string> | undefined> {
  try {
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId }), until);
    const labels = Object.entries(VersionIdsToStages ?? {}).flatMap(([token, stages]) =>
      stages.map((label): [string, string] => [label, token]),
    );
    return new Map(labels);
  } catch (error) {
    if (awsFailure(error).code === 'ResourceNotFoundException') return undefined;
    throw unavailable('DescribeSecret', error);
  }
}

/** Afterwards the secret exists and has a version. Another writer may do the same at the same time. */
async function begin(client: SecretsManagerClient, SecretId: string, kmsKeyId: string | undefined, until: Until): Promise<void> {
  const empty = { ClientRequestToken: emptyToken, SecretString: emptyText };
  try {
    await client.send(
      new CreateSecretCommand({
        Name: SecretId,
        Description: 'Versions of an API key; managed by Rekey, labels included.',
        ...(kmsKeyId ? { KmsKeyId: kmsKeyId } : {}),
        ...empty,
      }),
      until,
    );
  } catch (error) {
    if (awsFailure(error).code !== 'ResourceExistsException') throw unavailable('CreateSecret', error);
    // The secret was there. If it still has no version, this becomes its first and gets AWSCURRENT by itself;
    // if it has one by now, the label below names a version that the port does not show.
    try {
      await client.send(new PutSecretValueCommand({ SecretId, ...empty, VersionStages: ['AWSPENDING'] }), until);
    } catch (again) {
      if (awsFailure(again).code !== 'ResourceExistsException') throw unavailable('PutSecretValue', again);
    }
  }
}

async function readVersion(client: SecretsManagerClient, SecretId: string, token: string, until: Until): Promise<Value | undefined> {
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId, VersionId: token }), until);
    return SecretString === undefined ? undefined : new Value(SecretString);
  } catch (error) {
    if (awsFailure(error).code === 'ResourceNotFoundException') return undefined;
    throw unavailable('GetSecretValue', error);
  }
}

/** Secrets Manager does not promise that a write is read at once. Whoever is told "stored" must be able to read it. */
async function readable(client: SecretsManagerClient, SecretId: string, token: string, until: Until): Promise<void> {
  for (const waitMilliseconds of [100, 300, 900, 0]) {
    if (await readVersion(client, SecretId, token, until)) return;
    // Cut short by the deadline, which the next request then reports.
    if (waitMilliseconds) await pause(waitMilliseconds, undefined, { signal: until.abortSignal }).catch(() => undefined);
  }
  throw new DestinationUnavailable(`Secrets Manager took version ${token} and does not show it yet`);
}

function conflict(keyId: string, current: string | undefined, from: string | null): StoreConflict {
  return new StoreConflict(`AWSCURRENT of ${keyId} could not be moved: it is on ${current ?? 'no version'}, expected on ${from ?? 'none'}`);
}

function unavailable(call: string, error: unknown): DestinationUnavailable {
  return new DestinationUnavailable(`Secrets Manager ${call}: ${awsFailure(error).text}`);
}
