import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { DestinationRefused, DestinationUnavailable } from '../../core/errors.ts';
import type { Destination } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { awsFailure } from '../aws-failure.ts';

/**
 * A secret in AWS Secrets Manager that a program reads by AWSCURRENT; `at` is its name or ARN. The secret must exist:
 * its owner decides on its encryption and its policy. The value arrives as version `marker` under AWSPENDING; then
 * AWSCURRENT moves to it by compare-and-swap from what it was before the write began, so that a write that was paused
 * and overtaken loses. The old version keeps AWSPREVIOUS.
 */
export function secretsManagerDestination(options: { readonly client: SecretsManagerClient; readonly callSeconds: number }): Destination {
  const { client, callSeconds } = options;
  /** The ARN of each secret that was written, by what it is called. */
  const arns = new Map<string, string>();
  return {
    kind: 'secrets-manager',

    async write({ at: SecretId }, value, marker) {
      const until = { abortSignal: AbortSignal.timeout(callSeconds * 1000) };
      const before = await current(client, SecretId, until);
      const { ARN } = await attempt('PutSecretValue', SecretId, () =>
        client.send(
          new PutSecretValueCommand({
            SecretId,
            ClientRequestToken: marker,
            SecretString: value.reveal(),
            VersionStages: ['AWSPENDING'],
          }),
          until,
        ),
      );
      if (ARN) arns.set(SecretId, ARN);
      // The first version of a secret gets AWSCURRENT by itself.
      const from = before ?? (await current(client, SecretId, until));
      if (from === marker) return;
      await attempt('UpdateSecretVersionStage', SecretId, () =>
        client.send(
          new UpdateSecretVersionStageCommand({
            SecretId,
            VersionStage: 'AWSCURRENT',
            MoveToVersionId: marker,
            RemoveFromVersionId: from,
          }),
          until,
        ),
      );
    },

    // The marker is the version's id there.
    locate({ at }, versionId) {
      const arn = arns.get(at);
      return arn ? { arn, versionId } : undefined;
    },

    async read({ at: SecretId }) {
      const until = { abortSignal: AbortSignal.timeout(callSeconds * 1000) };
      try {
        const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId, VersionStage: 'AWSCURRENT' }), until);
        return SecretString === undefined ? undefined : new Value(SecretString);
      } catch (error) {
        if (awsFailure(error).code === 'ResourceNotFoundException') return undefined;
        throw named('GetSecretValue', SecretId, error);
      }
    },
  };
}

async function current(client: SecretsManagerClient, SecretId: string, until: { abortSignal: AbortSignal }): Promise<string | undefined> {
  const { VersionIdsToStages } = await attempt('DescribeSecret', SecretId, () =>
    client.send(new DescribeSecretCommand({ SecretId }), until),
  );
  return Object.entries(VersionIdsToStages ?? {}).find(([, labels]) => labels.includes('AWSCURRENT'))?.[0];
}

async function attempt<T>(call: string, at: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw named(call, at, error);
  }
}

function named(call: string, at: string, error: unknown): DestinationUnavailable | DestinationRefused {
  const { code, transient, text } = awsFailure(error);
  // Another writer moved AWSCURRENT in between: writing again starts from what it is then.
  const overtaken = call === 'UpdateSecretVersionStage' && code === 'InvalidParameterException';
  return transient || overtaken
    ? new DestinationUnavailable(`Secrets Manager ${call} for ${at}: ${text}`)
    : new DestinationRefused(`Secrets Manager ${call} for ${at}: ${text}`);
}
