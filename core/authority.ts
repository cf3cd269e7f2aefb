import type { Tier } from './key.ts';

/** What somebody may want to do with a key. */
export const actions = ['create', 'approve', 'rotate', 'rollback', 'confirm', 'hold', 'revoke', 'reissue', 'read'] as const;
export type Action = (typeof actions)[number];

/** The three rights are separate: who creates does not revoke by that, who revokes reads no value. */
export type Role = 'platform engineer' | 'key owner' | 'responder' | 'consumer' | 'schedule';

export interface Authority {
  readonly role: Role;
  readonly needs: string;
}

interface AuthorityRule extends Authority {
  readonly actions: readonly Action[];
  readonly tiers: readonly Tier[];
}

const everyTier: readonly Tier[] = ['high', 'medium', 'low'];

/** Who may do what (POL-F3, F4, Q1, R1, R9): written here once, granted by infra's policies, printed by `rekey who-can`. */
const authorityRules: readonly AuthorityRule[] = [
  {
    role: 'responder',
    actions: ['revoke', 'reissue'],
    tiers: everyTier,
    needs: 'nobody else: an emergency needs no approval; a review follows',
  },
  { role: 'responder', actions: ['read'], tiers: everyTier, needs: 'nobody else; values are never shown' },
  { role: 'platform engineer', actions: ['create', 'rotate', 'rollback', 'hold', 'read'], tiers: everyTier, needs: 'nobody else' },
  { role: 'platform engineer', actions: ['confirm'], tiers: ['medium', 'low'], needs: 'a reason, which is audited' },
  { role: 'key owner', actions: ['approve'], tiers: everyTier, needs: 'to be named as the owner in the key file' },
  { role: 'schedule', actions: ['rotate'], tiers: everyTier, needs: 'the key to be due, active and not on hold' },
  { role: 'consumer', actions: ['confirm'], tiers: everyTier, needs: 'proof that it uses the new version' },
];

/** Who may take an action, on keys of one tier or of any. */
export function whoCan(action: Action, tier?: Tier): Authority[] {
  return authorityRules
    .filter((rule) => rule.actions.includes(action) && (!tier || rule.tiers.includes(tier)))
    .map(({ role, needs }) => ({ role, needs }));
}
