import { randomUUID } from 'node:crypto';
import { AwsError, type Call, type FakeService, serve } from './server.ts';

interface Version {
  readonly text: string;
  readonly labels: Set<string>;
}

interface Secret {
  readonly versions: Map<string, Version>;
  readonly kmsKeyId: string | undefined;
}

export interface FakeSecretsManager extends FakeService {
  readonly secrets: Map<string, Secret>;
  /** How many of the next reads by version id find nothing: a write is not promised to be read at once. */
  readonly knobs: { staleReads: number };
}

/** Secrets Manager after the API reference: tokens, labels, and the first version that always gets AWSCURRENT. */
export async function fakeSecretsManager(): Promise<FakeSecretsManager> {
  const secrets = new Map<string, Secret>();
  const knobs = { staleReads: 0 };

  const secretOf = (id: unknown): Secret => {
    const secret = secrets.get(String(id));
    if (!secret) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return secret;
  };

  const operations: Record<string, (input: Record<string, unknown>) => Record<string, unknown>> = {
    CreateSecret(input) {
      const name = String(input.Name);
      if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name)) throw new AwsError('ValidationException', 'Invalid name.');
      if (secrets.has(name)) throw new AwsError('ResourceExistsException', 'The secret already exists.');
      const secret: Secret = { versions: new Map(), kmsKeyId: input.KmsKeyId as string | undefined };
      secrets.set(name, secret);
      // Without a value the secret has no version at all.
      if (input.SecretString !== undefined) addVersion(secret, tokenOf(input), String(input.SecretString), ['AWSCURRENT']);
      return { Name: name };
    },

    PutSecretValue(input) {
      const secret = secretOf(input.SecretId);
      const token = tokenOf(input);
      const text = input.SecretString;
      if (typeof text !== 'string' || !text) throw new AwsError('InvalidParameterException', 'You must provide a SecretString.');
      if (Buffer.byteLength(text) > 65_536) throw new AwsError('ValidationException', 'The value is too long.');
      const known = secret.versions.get(token);
      if (known && known.text !== text) throw new AwsError('ResourceExistsException', 'You can only create new versions.');
      const labels = input.VersionStages as string[] | undefined;
      if (labels && (labels.length < 1 || labels.length > 20)) throw new AwsError('ValidationException', 'VersionStages.');
      if (!known) addVersion(secret, token, text, labels ?? ['AWSCURRENT']);
      return {
        ARN: `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${input.SecretId}-AbCdEf`,
        VersionId: token,
        VersionStages: [...(secret.versions.get(token)?.labels ?? [])],
      };
    },

    GetSecretValue(input) {
      const secret = secretOf(input.SecretId);
      const label = String(input.VersionStage ?? 'AWSCURRENT');
      const byId = input.VersionId === undefined ? undefined : String(input.VersionId);
      const stale = byId !== undefined && knobs.staleReads > 0;
      if (stale) knobs.staleReads--;
      const token = byId ?? onWhich(secret, label);
      const version = token === undefined || stale ? undefined : secret.versions.get(token);
      if (!version) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret value.");
      return { VersionId: token, SecretString: version.text, VersionStages: [...version.labels] };
    },

    DescribeSecret(input) {
      const labelled = [...secretOf(input.SecretId).versions].filter(([, version]) => version.labels.size);
      return { VersionIdsToStages: Object.fromEntries(labelled.map(([token, version]) => [token, [...version.labels]])) };
    },

    UpdateSecretVersionStage(input) {
      const secret = secretOf(input.SecretId);
      const label = String(input.VersionStage);
      const [to, from] = [input.MoveToVersionId as string | undefined, input.RemoveFromVersionId as string | undefined];
      const on = onWhich(secret, label);
      for (const token of [to, from]) {
        if (token !== undefined && !secret.versions.has(token)) throw new AwsError('ResourceNotFoundException', 'No such version.');
      }
      if (to === undefined && from === undefined) throw new AwsError('InvalidParameterException', 'Name a version.');
      if (from !== undefined && from !== on) throw new AwsError('InvalidParameterException', `${label} is not attached to ${from}.`);
      if (to === undefined) {
        if (label === 'AWSCURRENT') throw new AwsError('InvalidParameterException', 'AWSCURRENT can only be moved, not removed.');
        secret.versions.get(String(from))?.labels.delete(label);
        return {};
      }
      if (on !== undefined && on !== to && from === undefined) {
        throw new AwsError('InvalidParameterException', `${label} is attached to ${on}: name it in RemoveFromVersionId.`);
      }
      attach(secret, to, label);
      return {};
    },
  };

  const service = await serve('json', ({ action, input }: Call) => {
    const operation = operations[action];
    if (!operation) throw new AwsError('UnknownOperationException');
    return operation(input);
  });
  return Object.assign(service, { secrets, knobs });
}

function tokenOf(input: Record<string, unknown>): string {
  const token = String(input.ClientRequestToken ?? randomUUID());
  if (token.length < 32 || token.length > 64) throw new AwsError('ValidationException', 'ClientRequestToken has 32 to 64 characters.');
  return token;
}

function addVersion(secret: Secret, token: string, text: string, labels: readonly string[]): void {
  const first = secret.versions.size === 0;
  secret.versions.set(token, { text, labels: new Set() });
  for (const label of labels) attach(secret, token, label);
  // "If this operation creates the first version for the secret, then Secrets Manager automatically attaches AWSCURRENT."
  if (first) attach(secret, token, 'AWSCURRENT');
}

function onWhich(secret: Secret, label: string): string | undefined {
  return [...secret.versions].find(([, version]) => version.labels.has(label))?.[0];
}

/** A label names one version; AWSCURRENT leaves AWSPREVIOUS behind. */
function attach(secret: Secret, token: string, label: string): void {
  const before = onWhich(secret, label);
  if (before === token) return;
  if (before !== undefined) secret.versions.get(before)?.labels.delete(label);
  secret.versions.get(token)?.labels.add(label);
  if (label === 'AWSCURRENT' && before !== undefined) attach(secret, before, 'AWSPREVIOUS');
}
