import { commit } from './commit.ts';
import { Refused } from './errors.ts';
import { getKey } from './items.ts';
import type { Ports } from './ports.ts';
import { after, instant } from './time.ts';

/**
 * A hold (K14): blocks the next rotation until an instant, never a revocation. Throws Refused E_INPUT_INVALID without a reason, or for an end
 * that is not within the policy's limit (14 days by default); E_BUSY while an operation runs.
 */
export async function setHold(
  ports: Ports,
  request: { readonly keyId: string; readonly reason: string; readonly until: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly until: string }> {
  const { keyId, reason } = request;
  const now = instant(ports.clock.now());
  const parsed = Date.parse(request.until);
  const until = Number.isNaN(parsed) ? '' : instant(parsed);
  const latest = after(now, ports.policy.maxHoldSeconds);
  if (!reason.trim()) throw new Refused('E_INPUT_INVALID', 'a hold needs a reason', [{ path: 'reason', message: 'say why' }]);
  if (!(until > now && until <= latest)) {
    throw new Refused('E_INPUT_INVALID', 'a hold must end, and soon', [
      { path: 'until', message: `give an instant after now and not after ${latest}` },
    ]);
  }
  await commit(ports, keyId, (key) => {
    if (key.rotation || key.revocation) throw new Refused('E_BUSY', `${keyId} is ${key.state}; a hold only stops the next rotation`);
    return { actor, set: { hold: { reason, by: actor, since: now, until } }, events: [{ event: 'hold.set', detail: { reason, until } }] };
  });
  return { keyId, until };
}

/** Ends a hold. Throws Refused E_NOTHING_TO_DO when there is none. */
export async function clearHold(
  ports: Ports,
  request: { readonly keyId: string; readonly reason: string },
  actor: string,
): Promise<{ readonly keyId: string }> {
  const { keyId, reason } = request;
  if (!(await getKey(ports, keyId)).hold) throw new Refused('E_NOTHING_TO_DO', `${keyId} is not on hold`);
  await commit(ports, keyId, () => ({ actor, set: { hold: null }, events: [{ event: 'hold.cleared', detail: { reason } }] }));
  return { keyId };
}
