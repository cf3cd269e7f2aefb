import { createHash } from 'node:crypto';
import { canonical } from '../canonical.ts';
import { attribute } from '../items.ts';
import type { Policy } from '../policy.ts';

const known = new WeakMap<Policy, string>();

/** The policy's own version: SHA-256 of what it says, in hex. Comments and the order of fields do not count; any other change does. */
export function policyHash(policy: Policy): string {
  const before = known.get(policy);
  if (before) return before;
  const hash = createHash('sha256')
    .update(canonical(attribute(policy)))
    .digest('hex');
  known.set(policy, hash);
  return hash;
}
