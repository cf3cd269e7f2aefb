import { needsApproval } from '../authority.ts';
import { commit } from '../commit.ts';
import { Refused } from '../errors.ts';
import { getKey } from '../items.ts';
import type { Key } from '../key.ts';
import type { LeakSource } from '../leak-sources.ts';
import { noticeFor } from '../outbox.ts';
import type { Ports } from '../ports.ts';
import { after, instant } from '../time.ts';
import type { Approval } from './approval.ts';
import { type Revoked, revoke } from './begin.ts';

export interface PlannedOrder {
  readonly keyId: string;
  readonly scope: 'all' | readonly number[];
  readonly reason: string;
  readonly source: LeakSource;
  readonly requestId: string;
}

/** Either it was done, or it waits for somebody else. */
export type Planned = { readonly waits: false; readonly revoked: Revoked } | { readonly waits: true; readonly approval: Approval };

/** How long an approval may be given, in seconds; later, somebody has to ask anew, with what is true then. */
const approvalSeconds = 7 * 86_400;

/**
 * A revocation that is no emergency: of a key of a high tier it waits for an approver who is not whoever asked; of any other it is carried out.
 * The same request id again is the same request. Throws Refused E_NOT_FOUND, E_BUSY (another one waits).
 */
export async function planRevoke(ports: Ports, order: PlannedOrder, actor: string): Promise<Planned> {
  const { keyId, scope, reason, source, requestId } = order;
  const key = await getKey(ports, keyId);
  if (!needsApproval(ports.policy.authority, key.tier))
    return { waits: false, revoked: await revoke(ports, { ...order, kind: 'planned' }, actor) };
  const now = instant(ports.clock.now());
  let approval: Approval = { requestId, scope, reason, source, by: actor, at: now, until: after(now, approvalSeconds) };
  await commit(ports, keyId, (fresh) => {
    const known = openApproval(fresh, now);
    if (known && known.requestId !== requestId)
      throw new Refused('E_BUSY', `a revocation of ${keyId} that ${known.by} asked for waits for approval until ${known.until}`);
    if (known) {
      approval = known;
      return null;
    }
    const asked = `${actor} asks to revoke it: ${reason}; somebody else has to approve by ${approval.until}`;
    return {
      actor,
      set: { approval },
      notices: [
        noticeFor(ports, fresh, '', { type: 'key.approval', audience: '*', severity: 'warning', data: { action: 'look', reason: asked } }),
      ],
      events: [{ event: 'revocation.asked', detail: { request: requestId, reason, scope: String(scope), until: approval.until } }],
    };
  });
  return { waits: true, approval };
}

/**
 * Somebody else approves: the revocation is carried out under both names. Throws Refused E_NOTHING_TO_DO when nothing waits, E_FORBIDDEN when
 * whoever asked approves it themselves.
 */
export async function approveRevoke(ports: Ports, request: { readonly keyId: string }, actor: string): Promise<Revoked> {
  const key = await getKey(ports, request.keyId);
  const approval = waiting(ports, key);
  if (approval.by === actor)
    throw new Refused(
      'E_FORBIDDEN',
      `${actor} asked for it: somebody else has to approve. If it cannot wait, it is an emergency: rekey revoke ${request.keyId}`,
    );
  const { requestId, scope, source, reason, by } = approval;
  const because = `${reason} (asked by ${by}, approved by ${actor})`.slice(0, 500);
  const revoked = await revoke(ports, { keyId: request.keyId, scope, source, requestId, reason: because, kind: 'planned' }, actor);
  await settle(ports, key, approval, { event: 'revocation.approved', detail: { request: requestId, by } }, actor);
  return revoked;
}

/** Nothing is revoked, and nothing waits any more. Throws Refused E_NOTHING_TO_DO. */
export async function declineRevoke(
  ports: Ports,
  request: { readonly keyId: string; readonly reason: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly requestId: string }> {
  const key = await getKey(ports, request.keyId);
  const approval = waiting(ports, key);
  const { requestId, by } = approval;
  const declined = { event: 'revocation.declined', detail: { request: requestId, by, reason: request.reason } };
  // What was to be ended for good stays as well.
  await settle(ports, key, approval, declined, actor, { offboard: null });
  return { keyId: request.keyId, requestId };
}

/** What waits for approval on a key at an instant, or null. */
function openApproval({ approval }: Key, now: string): Approval | null {
  return approval && approval.until > now ? approval : null;
}

function waiting(ports: Ports, key: Key): Approval {
  const approval = openApproval(key, instant(ports.clock.now()));
  if (!approval) throw new Refused('E_NOTHING_TO_DO', `no revocation of ${key.facts.id} waits for approval`);
  return approval;
}

async function settle(
  ports: Ports,
  key: Key,
  { requestId }: Approval,
  event: { readonly event: string; readonly detail: Readonly<Record<string, string>> },
  actor: string,
  also: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await commit(ports, key.facts.id, (fresh) =>
    fresh.approval?.requestId === requestId ? { actor, permit: 'toward dead', set: { approval: null, ...also }, events: [event] } : null,
  );
}
