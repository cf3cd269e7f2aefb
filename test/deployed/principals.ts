import { setTimeout as pause } from 'node:timers/promises';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  ListAttachedUserPoliciesCommand,
  ListUserPoliciesCommand,
  PutUserPolicyCommand,
  paginateListUsers,
} from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { policyName, type Role } from '../../core/authority.ts';
import type { Credentials } from './signed.ts';
import { until } from './until.ts';

export interface Principal {
  readonly name: string;
  readonly arn: string;
  readonly credentials: Credentials;
}

export interface PrincipalOptions {
  /** Its name after the stage; made up when absent. */
  readonly name?: string;
  /** A statement of its own, beside the managed policy: what a service may do on its own secret. */
  readonly may?: readonly { readonly actions: readonly string[]; readonly resources: readonly string[] }[];
}

/** Makes IAM users of this stage, each with the managed policy of one role and nothing else, and an access key. */
export function principals(options: { iam: IAMClient; stage: string; account: string; slow: boolean }) {
  const { iam, stage, account, slow } = options;
  let made = 0;
  return async (role: Role | 'nothing', { name, may = [] }: PrincipalOptions = {}): Promise<Principal> => {
    const UserName = `${stage}-${name ?? `${role}-${++made}`}`;
    await iam.send(new CreateUserCommand({ UserName }));
    if (role !== 'nothing') {
      const PolicyArn = `arn:aws:iam::${account}:policy/${policyName(stage, role)}`;
      await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }));
    }
    if (may.length > 0) {
      const Statement = may.map(({ actions, resources }) => ({ Effect: 'Allow', Action: actions, Resource: resources }));
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }));
    }
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const credentials = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
    const sts = new STSClient({ credentials, maxAttempts: 1 });
    await until(`the access key of ${UserName} works`, async () => (await sts.send(new GetCallerIdentityCommand({}))).Arn, 60);
    // AWS takes some seconds more until a new user's policies hold everywhere.
    if (slow) await pause(15_000);
    const { User } = await iam.send(new GetUserCommand({ UserName }));
    return { name: UserName, arn: User!.Arn!, credentials };
  };
}

/** Deletes every IAM user whose name begins with the prefix and a dash, with all that hangs on it. */
export async function removePrincipals(prefix: string): Promise<void> {
  const iam = new IAMClient({});
  const names: string[] = [];
  for await (const { Users = [] } of paginateListUsers({ client: iam }, {}))
    names.push(...Users.map(({ UserName = '' }) => UserName).filter((name) => name.startsWith(`${prefix}-`)));
  for (const UserName of names) {
    const { AccessKeyMetadata = [] } = await iam.send(new ListAccessKeysCommand({ UserName }));
    for (const { AccessKeyId } of AccessKeyMetadata) await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
    const { AttachedPolicies = [] } = await iam.send(new ListAttachedUserPoliciesCommand({ UserName }));
    for (const { PolicyArn } of AttachedPolicies) await iam.send(new DetachUserPolicyCommand({ UserName, PolicyArn }));
    const { PolicyNames = [] } = await iam.send(new ListUserPoliciesCommand({ UserName }));
    for (const PolicyName of PolicyNames) await iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName }));
    await iam.send(new DeleteUserCommand({ UserName }));
  }
}
