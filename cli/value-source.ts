import { Refused } from '../core/errors.ts';
import { Value } from '../core/value.ts';
import { readSecret } from './input.ts';
import type { Session } from './session.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const awsSeconds = 10;

/** Where an existing key's value is: about to come, in another store, or in Rekey's store already as the version that `token` names. */
export type ValueSource = { readonly read: () => Promise<Value> } | { readonly token: string };

/**
 * What `--value-from` says: `-` is stdin or a hidden prompt, `store:<uuid>` a version that Rekey's own store holds already, and
 * `store:secretsmanager:<name or ARN>` a secret that these credentials may read. Throws Refused E_USAGE for anything else.
 */
export function valueSource(from: string, session: Session, region: string | undefined): ValueSource {
  if (from === '-') return { read: async () => new Value(await readSecret('the value', session.note)) };
  const reference = /^store:(.+)$/.exec(from)?.[1] ?? '';
  if (uuid.test(reference)) return { token: reference };
  const secret = /^secretsmanager:([\w/+=.@:-]{1,2048})$/.exec(reference)?.[1];
  if (secret) return { read: () => readSecretsManager(secret, region) };
  throw new Refused('E_USAGE', '--value-from takes "-" (stdin or a hidden prompt), store:<uuid> or store:secretsmanager:<name>');
}

async function readSecretsManager(SecretId: string, region: string | undefined): Promise<Value> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const home = region ?? /^arn:aws[\w-]*:secretsmanager:([a-z0-9-]+):/.exec(SecretId)?.[1];
  const client = new SecretsManagerClient({ ...(home === undefined ? {} : { region: home }) });
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }), {
      abortSignal: AbortSignal.timeout(awsSeconds * 1000),
    });
    if (SecretString) return new Value(SecretString);
  } catch (error) {
    const { name } = error as Error;
    if (name === 'ResourceNotFoundException') throw new Refused('E_NOT_FOUND', `Secrets Manager has no secret ${SecretId}`);
    if (/AccessDenied/.test(name)) throw new Refused('E_FORBIDDEN', `these credentials may not read ${SecretId}`);
    throw new Refused('E_CREDENTIALS', `Secrets Manager cannot be read (${name}): check the credentials and the region`);
  }
  throw new Refused('E_INPUT_EMPTY', `the secret ${SecretId} holds no text`);
}
