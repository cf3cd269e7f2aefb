import { type Tier, tiers } from './key.ts';

/**
 * What somebody may want to do with a key. `prove` is a consumer's receipt, `confirm` a person's word in place of it; `except` asks for an
 * exception from the policy, `approve` grants it, `review` answers a review; `acknowledge` takes what
 * waits for people.
 */
export const actions = [
  'create',
  'approve',
  'rotate',
  'rollback',
  'confirm',
  'prove',
  'hold',
  'except',
  'review',
  'acknowledge',
  'report',
  'plan',
  'drill',
  'revoke',
  'reissue',
  'read',
] as const;
export type Action = (typeof actions)[number];

/**
 * Whom a managed policy makes of a principal: the operator is the platform engineer, the owner the key's, the auditor only reads.
 * Create, approve and revoke are separate: whoever does two of them holds two policies.
 */
export const roles = ['operator', 'responder', 'owner', 'auditor', 'consumer', 'reporter'] as const;
export type Role = (typeof roles)[number];

export interface Authority {
  /** `schedule` is Rekey itself. */
  readonly role: Role | 'schedule';
  readonly needs: string;
}

/** One line of the policy's authority: these roles may do this to keys of these tiers, and what it needs besides. */
export interface AuthorityRule {
  readonly roles: readonly Authority['role'][];
  readonly actions: readonly Action[];
  readonly tiers: readonly Tier[];
  readonly needs: string;
  /** Of a planned revocation: it waits until somebody else approves it. */
  readonly approval?: boolean | undefined;
}

/** Who may do what, as shipped (POL-F3, F4, Q1, R1, R9): the policy's authority is granted by infra/people.ts and printed by `rekey who-can`. */
export const defaultAuthority: readonly AuthorityRule[] = [
  {
    roles: ['responder'],
    actions: ['revoke', 'reissue'],
    tiers,
    needs: 'nobody else: an emergency needs no approval; a review follows',
  },
  { roles: ['operator'], actions: ['create', 'rotate', 'rollback', 'hold'], tiers, needs: 'nobody else' },
  {
    roles: ['operator', 'responder', 'owner'],
    actions: ['plan'],
    tiers: ['high'],
    needs: 'the approval of an owner who is not whoever asked, within a week; an emergency needs none',
    approval: true,
  },
  {
    roles: ['operator', 'responder', 'owner'],
    actions: ['plan'],
    tiers: ['medium', 'low'],
    needs: 'nobody else: a revocation that is no emergency',
  },
  { roles: ['operator', 'responder'], actions: ['drill'], tiers, needs: 'nobody else: only a canary is rotated and revoked' },
  { roles: ['owner'], actions: ['approve'], tiers, needs: 'to speak for the owner that the key file names; who did is on record' },
  { roles: ['operator', 'owner'], actions: ['confirm'], tiers: ['medium', 'low'], needs: 'a reason, which is audited' },
  {
    roles: ['operator', 'owner'],
    actions: ['confirm'],
    tiers: ['high'],
    needs: 'a reason, which is audited, and a key without consumers: where there are some, only their own proof counts',
  },
  {
    roles: ['consumer'],
    actions: ['prove'],
    tiers,
    needs: 'to be registered with the key, and an answer made with the version in question',
  },
  { roles: ['operator', 'responder', 'owner', 'auditor'], actions: ['read'], tiers, needs: 'nobody else; values are never shown' },
  {
    roles: ['operator', 'owner'],
    actions: ['except'],
    tiers,
    needs: 'a reason, a compensating control, an end, and the approval of somebody else',
  },
  { roles: ['operator', 'responder', 'owner'], actions: ['review'], tiers, needs: 'to answer under their own name' },
  { roles: ['operator', 'responder', 'owner'], actions: ['acknowledge'], tiers, needs: 'nobody else; who took it is on record' },
  {
    roles: ['reporter', 'operator', 'responder'],
    actions: ['report'],
    tiers,
    needs: 'nobody else: the policy decides what a report does, and beyond a budget a responder does',
  },
  { roles: ['schedule'], actions: ['rotate'], tiers, needs: 'the key to be due, active and not on hold' },
];

/** Who may take an action, on keys of one tier or of any, by the policy's rules. */
export function whoCan(rules: readonly AuthorityRule[], action: Action, tier?: Tier): Authority[] {
  return rules
    .filter((rule) => rule.actions.includes(action) && (!tier || rule.tiers.includes(tier)))
    .flatMap(({ roles: who, needs }) => who.map((role) => ({ role, needs })));
}

/** Whether a role may take an action on keys of some tier: all that IAM, which knows no tiers, can grant. */
export function may(rules: readonly AuthorityRule[], role: Role, action: Action): boolean {
  return whoCan(rules, action).some((one) => one.role === role);
}

/** Whether a planned revocation of a key of this tier waits for somebody else's approval (POL-F4). An emergency never does. */
export function needsApproval(rules: readonly AuthorityRule[], tier: Tier): boolean {
  return rules.some((rule) => rule.approval && rule.actions.includes('plan') && rule.tiers.includes(tier));
}

/** The name of the managed policy that makes a principal of a stage's account this role. */
export function policyName(stage: string, role: Role): string {
  return `${stage}-rekey-${role}`;
}
