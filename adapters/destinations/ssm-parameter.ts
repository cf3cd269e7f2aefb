import { GetParameterCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { DestinationRefused, DestinationUnavailable } from '../../core/errors.ts';
import type { Destination } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { awsFailure } from '../aws-failure.ts';

/**
 * A SecureString in the SSM Parameter Store; `at` is the parameter's name. It is created when absent and overwritten
 * otherwise. Parameter Store has no idempotency token and no compare-and-swap, so a value that is already there is not
 * written again. A parameter of another type is refused: its value would lie open. `kmsKeyId`: default is the account's own key.
 */
export function ssmParameterDestination(options: {
  readonly client: SSMClient;
  readonly callSeconds: number;
  readonly kmsKeyId?: string;
}): Destination {
  const { client, callSeconds, kmsKeyId } = options;
  return {
    kind: 'ssm-parameter',

    async write({ at: Name }, value) {
      const until = { abortSignal: AbortSignal.timeout(callSeconds * 1000) };
      if ((await held(client, Name, until))?.equals(value)) return;
      try {
        await client.send(
          new PutParameterCommand({
            Name,
            Value: value.reveal(),
            Type: 'SecureString',
            Overwrite: true,
            ...(kmsKeyId ? { KeyId: kmsKeyId } : {}),
          }),
          until,
        );
      } catch (error) {
        throw named('PutParameter', Name, error);
      }
    },

    read: ({ at }) => held(client, at, { abortSignal: AbortSignal.timeout(callSeconds * 1000) }),
  };
}

async function held(client: SSMClient, Name: string, until: { abortSignal: AbortSignal }): Promise<Value | undefined> {
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name, WithDecryption: true }), until);
    if (Parameter?.Type !== 'SecureString') throw new DestinationRefused(`parameter ${Name} is not a SecureString`);
    return Parameter.Value === undefined ? undefined : new Value(Parameter.Value);
  } catch (error) {
    if (error instanceof DestinationRefused) throw error;
    if (awsFailure(error).code === 'ParameterNotFound') return undefined;
    throw named('GetParameter', Name, error);
  }
}

function named(call: string, at: string, error: unknown): DestinationUnavailable | DestinationRefused {
  const { code, transient, text } = awsFailure(error);
  return transient || code === 'TooManyUpdates'
    ? new DestinationUnavailable(`Parameter Store ${call} for ${at}: ${text}`)
    : new DestinationRefused(`Parameter Store ${call} for ${at}: ${text}`);
}
