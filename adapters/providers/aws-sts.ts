import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type AwsFailure, awsFailure } from '../aws-failure.ts';
import type { AccessKey } from './access-key.ts';

export interface StsOptions {
  readonly region: string;
  /** For another STS than AWS's own. */
  readonly endpoint?: string;
}

/**
 * Asks STS once who an access key is, signed with that key: needs no permission. Ends within `callSeconds`.
 * Either the ARN that AWS answered with, or why there is none. Never throws.
 */
export async function callerIdentity(
  credentials: AccessKey,
  sts: StsOptions,
  callSeconds: number,
): Promise<{ readonly arn: string; readonly failure?: never } | { readonly arn?: never; readonly failure: AwsFailure }> {
  const client = new STSClient({ ...sts, credentials, maxAttempts: 1 });
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal: AbortSignal.timeout(callSeconds * 1000) });
    return { arn: Arn ?? '' };
  } catch (error) {
    return { failure: awsFailure(error) };
  } finally {
    client.destroy();
  }
}
