import { proofOf } from '../../core/challenge.ts';
import { findVersion, getKey } from '../../core/items.ts';
import type { LeakSource } from '../../core/leak-sources.ts';
import type { Notice } from '../../core/notice.ts';
import { type Revoked, revoke } from '../../core/revoke/begin.ts';
import { type Begun, beginRotation } from '../../core/rotate/begin.ts';
import type { World } from './world.ts';

export const beginsRotation = (w: World, keyId: string, trigger = 't1'): Promise<Begun> =>
  beginRotation(w.ports, { keyId, reason: 'test', trigger }, 'owner');

export const revokes = (
  w: World,
  keyId: string,
  more: {
    readonly scope?: 'all' | readonly number[];
    readonly source?: LeakSource;
    readonly requestId?: string;
    readonly reason?: string;
  } = {},
): Promise<Revoked> =>
  revoke(w.ports, { keyId, scope: 'all', reason: 'leaked', source: 'repository', requestId: 'r1', ...more }, 'responder');

/** Virtual time passes until no operation is open on the key. */
export const untilIdle = (w: World, keyId: string): Promise<void> =>
  w.until(async () => {
    const key = await getKey(w.ports, keyId);
    return key.rotation === null && key.revocation === null;
  });

/** Virtual time passes until the open operation is at a step. */
export const untilStep = (w: World, keyId: string, step: string): Promise<void> =>
  w.until(async () => {
    const key = await getKey(w.ports, keyId);
    return (key.revocation ?? key.rotation)?.step === step;
  });

/** The last notice of a type for an audience. Throws when there is none. */
export function noticeTo(w: World, audience: string, type: Notice['type']): Notice {
  const notice = w.notices.findLast((one) => one.audience === audience && one.type === type);
  if (!notice) throw new Error(`no ${type} was sent to ${audience}`);
  return notice;
}

/** The receipt by which a consumer proves that it uses the version its notice names. */
export async function receiptFor(w: World, notice: Notice) {
  const { version = 0, nonce = '' } = notice.data;
  const token = (await findVersion(w.ports, notice.keyId, version))?.token ?? '';
  const value = await w.ports.secrets.read(notice.keyId, token);
  if (!value) throw new Error(`the secret store has no version ${version}`);
  const { keyId, operationId, audience } = notice;
  return { keyId, operationId, version, outcome: 'moved', nonce, proof: proofOf(value, operationId, audience, nonce) } as const;
}

/** Lets `seconds` longer pass than any attempt of the last operation can still have an effect. */
export const passInflight = (w: World): Promise<void> => {
  const { functionSeconds, settleSeconds, skewSeconds } = w.ports.settings;
  return w.pass(functionSeconds + settleSeconds + skewSeconds + 1);
};

/** Ends a world for good: what its workers had under way runs out, so that none of it clears a timer of the next world. */
export async function end(w: World): Promise<void> {
  w.stop();
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
