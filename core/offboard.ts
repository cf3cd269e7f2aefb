import { needsApproval } from './authority.ts';
import { type Commit, commit } from './commit.ts';
import { Refused } from './errors.ts';
import type { Offboarding } from './flags.ts';
import { attribute, listVersions, operationKey, putItem, uuidOf } from './items.ts';
import { type Key, type KeyState, moveKey } from './key.ts';
import type { Ports } from './ports.ts';
import { revoke } from './revoke/begin.ts';
import { planRevoke } from './revoke/planned.ts';
import { instant } from './time.ts';

export interface Offboarded {
  readonly keyId: string;
  readonly state: KeyState;
  /** A key of a high tier waits for somebody else: `rekey approve`. */
  readonly waitsForApproval: boolean;
}

/**
 * A named person decides that a key is not needed any more. Afterwards that is on record, and the reconciler does it: every version is disabled
 * and proven dead, nothing is issued again, and when each was deleted at the vendor the key is retired. Of a high tier it waits for somebody
 * else's approval first; what runs is not stopped by it. Asked for again, nothing changes. Throws Refused E_NOT_FOUND, E_NOTHING_TO_DO (retired, or
 * never had a version).
 */
export async function offboardKey(
  ports: Ports,
  request: { readonly keyId: string; readonly reason: string },
  actor: string,
): Promise<Offboarded> {
  const { keyId, reason } = request;
  const now = instant(ports.clock.now());
  const key = await commit(ports, keyId, (fresh) => {
    if (fresh.state === 'retired') throw new Refused('E_NOTHING_TO_DO', `${keyId} is retired`);
    if (fresh.state === 'registered') throw new Refused('E_NOTHING_TO_DO', `${keyId} has no version: there is nothing to end`);
    return fresh.offboard ? null : { actor, ...offboarding({ by: actor, reason, at: now }) };
  });
  return { keyId, state: key.state, waitsForApproval: needsApproval(ports.policy.authority, key.tier) };
}

/** The change by which a key is to go, for the commit of whatever decided it. */
export function offboarding(
  offboard: Offboarding,
): Pick<Commit, 'events'> & { readonly set: Pick<Key, 'dueNow'> & { readonly offboard: Offboarding } } {
  const { by, reason } = offboard;
  return { set: { offboard, dueNow: null }, events: [{ event: 'key.offboarding-asked', detail: { by, reason } }] };
}

/**
 * What the reconciler does for a key that is to go, while no operation moves on it: ends it, files the revocation that ended it, and retires the
 * key when every version was deleted. Returns what was done, or null.
 */
export async function advanceOffboarding(ports: Ports, key: Key): Promise<string | null> {
  const { offboard, state } = key;
  const keyId = key.facts.id;
  if (!offboard) return null;
  if (state === 'active') {
    const requestId = uuidOf('offboard', keyId, offboard.at);
    const order = { keyId, scope: 'all', reason: `offboarding: ${offboard.reason}`, source: 'none', requestId } as const;
    if (needsApproval(ports.policy.authority, key.tier)) {
      if (key.approval && key.approval.until > instant(ports.clock.now())) return null;
      // Nobody answered in time, or nobody was asked yet: silence approves nothing.
      await planRevoke(ports, order, offboard.by);
      return 'offboarding waits for approval';
    }
    await revoke(ports, { ...order, kind: 'planned' }, offboard.by);
    return 'offboarding begun';
  }
  if (state === 'contained' && key.revocation?.held) return file(ports, key);
  return state === 'offboarding' ? retire(ports, key) : null;
}

async function file(ports: Ports, { facts: { id: keyId }, fence }: Key): Promise<string> {
  await commit(ports, keyId, (fresh) => {
    const { revocation } = fresh;
    if (!revocation?.held || fresh.state !== 'contained') return null;
    const endedAt = instant(ports.clock.now());
    const ended = { ...revocation, outcome: 'offboarded', endedAt };
    return {
      actor: 'reconciler',
      fence,
      permit: 'toward dead',
      set: {
        state: moveKey(fresh.state, 'offboard'),
        revocation: {},
        current: null,
        nextDueAt: null,
        lastEndedAt: endedAt,
        ...(fresh.attention?.reason === 'ReissueHeld' ? { attention: null } : {}),
      },
      writes: [putItem({ ...operationKey(keyId, revocation.id), ...(attribute(ended) as object) })],
      events: [{ event: 'key.offboarding', detail: { operation: revocation.id } }],
    };
  });
  return 'offboarding';
}

async function retire(ports: Ports, { facts: { id: keyId }, fence, state }: Key): Promise<string | null> {
  const versions = await listVersions(ports, keyId);
  if (versions.some((version) => version.state !== 'destroyed')) return null;
  await commit(ports, keyId, (fresh) =>
    fresh.state !== state
      ? null
      : {
          actor: 'reconciler',
          fence,
          set: { state: moveKey(fresh.state, 'offboarded'), attention: null },
          // Nothing is left to look at.
          lookAt: 'never',
          events: [{ event: 'key.retired', detail: { by: fresh.offboard?.by ?? '' } }],
        },
  );
  return 'retired';
}
