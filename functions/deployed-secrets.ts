import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { awsFailure } from '../adapters/aws-failure.ts';
import { DestinationUnavailable, ProviderRefused, ProviderUnavailable } from '../core/errors.ts';
import { Value } from '../core/value.ts';
import { secretNames } from './secret-names.ts';

/** An admin credential is read again after this; until then a revoke does not wait for Secrets Manager. */
const heldSeconds = 300;

interface Source {
  readonly client: SecretsManagerClient;
  readonly prefix: string;
  readonly callSeconds: number;
}

/** The pepper of the fingerprints. Throws DestinationUnavailable. */
export async function readPepper({ client, prefix, callSeconds }: Source): Promise<Buffer> {
  const answer = await read(client, secretNames.pepper(prefix), callSeconds);
  if ('code' in answer) throw new DestinationUnavailable(`the pepper could not be read: ${answer.text}`);
  return Buffer.from(answer.secret);
}

/**
 * Reads admin credentials, each a secret `<prefix>admin/<provider>/<account>` that holds a JSON object of texts, and keeps
 * them warm. One that was read before is used again when it cannot be read now: containment must not wait for the secret
 * store. Throws ProviderRefused when there is none or it has another shape, ProviderUnavailable when nobody answers.
 */
export function adminCredentials({ client, prefix, callSeconds }: Source) {
  const held = new Map<string, { readonly fields: Readonly<Record<string, Value>>; readonly until: number }>();
  return async (provider: string, account: string): Promise<Readonly<Record<string, Value>>> => {
    const name = secretNames.admin(prefix, provider, account);
    const before = held.get(name);
    if (before && Date.now() < before.until) return before.fields;
    const answer = await read(client, name, callSeconds);
    if ('code' in answer) {
      if (before && answer.transient) return before.fields;
      const message =
        answer.code === 'ResourceNotFoundException'
          ? `there is no admin credential ${provider}/${account}: put it into Secrets Manager as ${name}, a JSON object with the fields that "rekey provider show ${provider}" lists`
          : `the admin credential ${provider}/${account} could not be read: ${answer.text}`;
      throw answer.transient ? new ProviderUnavailable(message) : new ProviderRefused(message);
    }
    const fields = fieldsOf(answer.secret);
    if (!fields) throw new ProviderRefused(`the admin credential ${provider}/${account} is not a JSON object of texts`);
    held.set(name, { fields, until: Date.now() + heldSeconds * 1000 });
    return fields;
  };
}

/**
 * Secrets that are one text each, of senders of reports or of channels to people: undefined for one that was not set up. Held warm; what is missing is
 * asked for again. Throws DestinationUnavailable when nobody answers: then nothing is known of it, and the message has to come again.
 */
export function textSecrets({ client, prefix, callSeconds }: Source, of: 'sender' | 'channel') {
  const held = new Map<string, { readonly secret: Value; readonly until: number }>();
  return async (name: string): Promise<Value | undefined> => {
    const before = held.get(name);
    if (before && Date.now() < before.until) return before.secret;
    const answer = await read(client, secretNames[of](prefix, name), callSeconds);
    if ('code' in answer) {
      if (answer.transient) throw new DestinationUnavailable(`the secret of ${of} ${name} could not be read: ${answer.text}`);
      return undefined;
    }
    const secret = new Value(answer.secret);
    held.set(name, { secret, until: Date.now() + heldSeconds * 1000 });
    return secret;
  };
}

async function read(client: SecretsManagerClient, SecretId: string, callSeconds: number) {
  try {
    const until = { abortSignal: AbortSignal.timeout(callSeconds * 1000) };
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId }), until);
    return { secret: SecretString ?? '' };
  } catch (error) {
    return awsFailure(error);
  }
}

function fieldsOf(secret: string): Record<string, Value> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(secret);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const entries = Object.entries(parsed);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) return undefined;
  return Object.fromEntries(entries.map(([name, text]) => [name, new Value(text)]));
}
