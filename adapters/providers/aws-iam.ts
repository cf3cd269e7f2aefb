import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  type IAMClient,
  ListAccessKeysCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { NoFreeSlot, ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Credential, Provider, ProviderAbout, ProviderTraits, Subject } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { awsFailure } from '../aws-failure.ts';
import { accessKeyIdIn, accessKeyValue, neverIssuedAccessKey, parseAccessKey } from './access-key.ts';
import { callerIdentity, type StsOptions } from './aws-sts.ts';

/** Quota, propagation and answers: IAM and STS user guides. Ten seconds between probes: twice the span of STS's known false 403. */
const traits: ProviderTraits = {
  pattern: 'slots',
  class: 'C',
  maxLive: 2,
  countsDisabled: true,
  disable: 'disable',
  labelled: false,
  shared: false,
  keepsOne: false,
  lifetimeSeconds: null,
  activateSeconds: 60,
  revokeSeconds: 60,
  probe: { alive: 3, denied: 3, everySeconds: 10 },
  lastUsedAccuracySeconds: 900,
  secretPattern: '^\\{"accessKeyId":"AKIA[A-Z2-7]{16}","secretAccessKey":"[A-Za-z0-9+/=]{40}"\\}$',
};

const guide = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html';
const api = 'https://docs.aws.amazon.com/IAM/latest/APIReference';

const about: ProviderAbout = {
  title: 'AWS IAM access keys',
  docs: [guide],
  facts: [
    {
      about: ['create', 'list', 'disable', 'delete', 'lastUsed'],
      is: 'documented',
      source: `${api}/API_CreateAccessKey.html`,
      on: '2026-11-28',
    },
    {
      about: ['limit'],
      is: 'documented',
      source: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html',
      on: '2026-11-28',
    },
    {
      about: ['probe'],
      is: 'documented',
      source: 'https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html',
      on: '2026-11-28',
    },
    {
      about: ['propagation'],
      is: 'unverified',
      on: '2026-11-28',
      note: 'AWS says eventually consistent and gives no number; 60 s is a budget, and death is declared by probes alone',
    },
    { about: ['shape'], is: 'documented', source: guide, on: '2026-11-28' },
  ],
  cannot: ['tell its own lost keys from a stranger’s, unless the user belongs to Rekey alone (exclusive: true): access keys have no names'],
  aliases: { trufflehog: ['AWS'], gitleaks: ['aws-access-token'], github: ['aws_access_key_id', 'aws_secret_access_key'] },
  params: { userName: { needed: true, description: 'The IAM user whose keys they are' } },
  admin: {},
};

/**
 * AWS IAM access keys of one user, `params: {userName}`. A value is `{"accessKeyId":…,"secretAccessKey":…}`.
 * `client` must be made with maxAttempts 1: IAM has no idempotency token, and a create repeated by the SDK leaves a key
 * that nobody knows. UpdateAccessKey is only ever sent with Status Inactive.
 */
export function iamProvider(options: { readonly client: IAMClient; readonly sts: StsOptions; readonly callSeconds: number }): Provider {
  const { client, sts, callSeconds } = options;
  const deadline = () => ({ abortSignal: AbortSignal.timeout(callSeconds * 1000) });

  return {
    name: 'aws-iam',
    traits,
    about,

    async create(subject) {
      const UserName = userOf(subject);
      if ((await client.config.maxAttempts()) !== 1)
        throw new ProviderRefused('the IAM client retries by itself: make it with maxAttempts 1');
      const { AccessKey } = await attempt('CreateAccessKey', UserName, () =>
        client.send(new CreateAccessKeyCommand({ UserName }), deadline()),
      );
      if (!AccessKey?.AccessKeyId || !AccessKey.SecretAccessKey)
        throw new ProviderUnavailable('IAM CreateAccessKey: the answer holds no key');
      return {
        credentialId: AccessKey.AccessKeyId,
        value: accessKeyValue({ accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }),
      };
    },

    async list(subject) {
      const UserName = userOf(subject);
      const until = deadline();
      const credentials: Credential[] = [];
      let Marker: string | undefined;
      do {
        const page = await attempt('ListAccessKeys', UserName, () =>
          client.send(new ListAccessKeysCommand({ UserName, ...(Marker ? { Marker } : {}) }), until),
        );
        for (const key of page.AccessKeyMetadata ?? []) {
          if (!key.AccessKeyId) throw new ProviderUnavailable('IAM ListAccessKeys: an entry without an id');
          // Anything that is not plainly off counts as on.
          const enabled = key.Status !== 'Inactive';
          credentials.push({
            credentialId: key.AccessKeyId,
            enabled,
            ...(key.CreateDate ? { createdAt: key.CreateDate.toISOString() } : {}),
          });
        }
        if (page.IsTruncated && !page.Marker) throw new ProviderUnavailable('IAM ListAccessKeys: more entries and no marker');
        Marker = page.IsTruncated ? page.Marker : undefined;
      } while (Marker);
      return credentials;
    },

    async probe(subject, value) {
      const userName = userOf(subject);
      const key = parseAccessKey(value);
      if (!key) return { verdict: 'inconclusive', detail: 'the value is not an access key' };
      const { arn, failure } = await callerIdentity(key, sts, callSeconds);
      if (arn !== undefined) {
        return arn.includes(':user/') && arn.endsWith(`/${userName}`)
          ? { verdict: 'alive', detail: 'GetCallerIdentity 200' }
          : { verdict: 'inconclusive', detail: 'GetCallerIdentity 200 as another identity' };
      }
      // Not SignatureDoesNotMatch: within seconds of another secret for the same key id STS answers so by mistake.
      const verdict = failure.code === 'InvalidClientTokenId' ? 'denied' : 'inconclusive';
      return { verdict, detail: `GetCallerIdentity ${failure.text}` };
    },

    async disable(subject, credentialId) {
      const UserName = userOf(subject);
      const command = new UpdateAccessKeyCommand({ UserName, AccessKeyId: credentialId, Status: 'Inactive' });
      const done = await unlessGone('UpdateAccessKey', UserName, () => client.send(command, deadline()));
      return done ? 'disabled' : 'gone';
    },

    async delete(subject, credentialId) {
      const UserName = userOf(subject);
      const command = new DeleteAccessKeyCommand({ UserName, AccessKeyId: credentialId });
      const done = await unlessGone('DeleteAccessKey', UserName, () => client.send(command, deadline()));
      return done ? 'deleted' : 'gone';
    },

    async endSessions(subject, before) {
      const UserName = userOf(subject);
      // AWS's own way to end sessions: long-term keys carry no issue time, so the new version is not touched.
      const statement = { Effect: 'Deny', Action: '*', Resource: '*', Condition: { DateLessThan: { 'aws:TokenIssueTime': before } } };
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
      const command = new PutUserPolicyCommand({ UserName, PolicyName: 'rekey-deny-older-sessions', PolicyDocument });
      await attempt('PutUserPolicy', UserName, () => client.send(command, deadline()));
    },

    async lastUsed(subject, credentialId) {
      userOf(subject);
      const command = new GetAccessKeyLastUsedCommand({ AccessKeyId: credentialId });
      const { AccessKeyLastUsed } = await attempt('GetAccessKeyLastUsed', credentialId, () => client.send(command, deadline()));
      if (!AccessKeyLastUsed) return undefined;
      // IAM notes the first use in each span of 15 minutes.
      return { at: AccessKeyLastUsed.LastUsedDate?.toISOString() ?? 'never', accuracySeconds: traits.lastUsedAccuracySeconds ?? 0 };
    },

    neverIssued: neverIssuedAccessKey,

    leakForms(value) {
      const key = parseAccessKey(value);
      return key ? [new Value(key.secretAccessKey), value] : [value];
    },

    credentialIdOf: accessKeyIdIn,
  };
}

function userOf(subject: Subject): string {
  const { userName } = subject.params;
  if (subject.account !== 'default') throw new ProviderRefused(`no IAM account "${subject.account}" is set up`);
  if (typeof userName === 'string' && /^[\w+=,.@-]{1,64}$/.test(userName)) return userName;
  throw new ProviderRefused(`${subject.keyId}: params.userName is not the name of an IAM user`);
}

async function unlessGone(call: string, about: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (awsFailure(error).code === 'NoSuchEntityException') return false;
    throw named(call, about, error);
  }
}

async function attempt<T>(call: string, about: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw named(call, about, error);
  }
}

// IAM's own words for "later": another change of the same user or service is under way.
const busy = new Set(['EntityTemporarilyUnmodifiableException', 'ConcurrentModificationException']);

function named(call: string, about: string, error: unknown): Error {
  const { code, transient, text } = awsFailure(error);
  const message = `IAM ${call} for ${about}: ${text}`;
  if (transient || busy.has(code)) return new ProviderUnavailable(message);
  return call === 'CreateAccessKey' && code === 'LimitExceededException' ? new NoFreeSlot(message) : new ProviderRefused(message);
}
