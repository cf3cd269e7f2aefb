import { Refused } from '../core/errors.ts';

/**
 * The name by which a consumer is registered: that of the IAM role or user that signed, without path and session, exactly.
 * Throws Refused E_FORBIDDEN for any other principal.
 */
export function consumerOf(principalArn: string): string {
  const name =
    /^arn:[^:]+:sts::\d{12}:assumed-role\/([^/]+)\/[^/]+$/.exec(principalArn)?.[1] ??
    /^arn:[^:]+:iam::\d{12}:user\/(?:[^/]+\/)*([^/]+)$/.exec(principalArn)?.[1];
  if (!name) throw new Refused('E_FORBIDDEN', 'a receipt is signed by an IAM role or user');
  return name;
}
