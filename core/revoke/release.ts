import { commit } from '../commit.ts';
import { ConditionFailed, Fenced, Refused } from '../errors.ts';
import { findVersion, getKey } from '../items.ts';
import { rotateAtAws } from '../managed.ts';
import type { Ports } from '../ports.ts';
import { startExecution } from '../rotate/begin.ts';

/**
 * A responder releases a held reissue; `mistake` records the incident as a false alarm. The revoked version stays dead: what follows is a
 * new version. Throws Refused E_NOTHING_TO_DO unless the key is contained with its reissue held,
 * E_MANAGED while AWS has not rotated it.
 */
export async function releaseReissue(
  ports: Ports,
  request: { readonly keyId: string; readonly mistake: boolean; readonly reason: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly operationId: string; readonly message: string }> {
  const { keyId, mistake, reason } = request;
  const key = await getKey(ports, keyId);
  const { revocation } = key;
  if (!revocation || key.state !== 'contained' || !revocation.held) {
    throw new Refused(
      'E_NOTHING_TO_DO',
      revocation
        ? `${keyId} is ${key.state}, at step ${revocation.step}: no reissue is held`
        : `${keyId} is ${key.state}: no revocation is open; what was revoked before stays dead and has been issued again`,
    );
  }
  if (key.facts.managedBy && (await findVersion(ports, keyId, key.current ?? 0))?.compromised !== false)
    throw new Refused('E_MANAGED', `AWS Secrets Manager makes the next version of ${keyId}, and has not yet: ${rotateAtAws(key.facts)}`);
  const startSeq = revocation.startSeq + 1;
  try {
    await commit(ports, keyId, (fresh) => ({
      actor,
      fence: fresh.fence,
      when: [
        { path: 'state', is: '=', value: 'contained' },
        { path: 'revocation.id', is: '=', value: revocation.id },
        { path: 'revocation.startSeq', is: '=', value: revocation.startSeq },
      ],
      set: {
        'revocation.released': true,
        'revocation.held': false,
        // Whoever wants it back, does not want it gone.
        offboard: null,
        'revocation.startSeq': startSeq,
        ...(mistake ? { 'revocation.falseAlarm': true } : {}),
        ...(fresh.attention?.reason === 'ReissueHeld' ? { attention: null } : {}),
      },
      events: [{ event: 'reissue.released', detail: { operation: revocation.id, mistake, reason } }],
    }));
  } catch (error) {
    if (error instanceof ConditionFailed || error instanceof Fenced)
      throw new Refused('E_BUSY', `${keyId} changed at the same moment; look at it and ask again`);
    throw error;
  }
  await startExecution(ports, keyId, revocation.id, startSeq);
  return { keyId, operationId: revocation.id, message: `version ${revocation.newVersion} is being issued; the revoked one stays dead` };
}
