import { type InstallationState, installationState } from '../installation.ts';
import type { Policy } from '../policy.ts';
import type { Ports } from '../ports.ts';
import { type Check, checks } from './checks.ts';
import { policyHash } from './policy-hash.ts';

/** The policy that runs, and the checks by which one sees that it holds. */
export interface PolicyView extends Pick<InstallationState, 'applying' | 'refused' | 'pause' | 'breaches'> {
  readonly hash: string;
  readonly version: string;
  /** Since when every key's tier and date are derived by it; null while it takes effect. */
  readonly since: string | null;
  readonly policy: Policy;
  readonly checks: readonly Pick<Check, 'rule' | 'severity' | 'sentence'>[];
}

/** The policy that runs, with its hash, since when it does, and whether a newer file was refused. */
export async function showPolicy(ports: Ports): Promise<PolicyView> {
  const { policy } = ports;
  const hash = policyHash(policy);
  const { policy: known, applying, refused, pause, breaches } = await installationState(ports);
  return {
    hash,
    version: policy.version,
    since: known?.hash === hash ? known.since : null,
    ...{ applying, refused, pause, breaches, policy },
    checks: checks.map(({ rule, severity, sentence }) => ({ rule, severity, sentence })),
  };
}
