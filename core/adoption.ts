import { type Challenge, isProof } from './challenge.ts';
import { commit } from './commit.ts';
import { ConditionFailed, Refused } from './errors.ts';
import { adoptionKey, findVersion, getKey, nonceKey, putItem } from './items.ts';
import type { Key } from './key.ts';
import type { Ports } from './ports.ts';
import { noteRecovered } from './revoke/milestone.ts';
import { judgeConfirm } from './rotate/confirm.ts';
import { instant } from './time.ts';

/** What a consumer sends back. An id or a version number alone is never proof. */
export interface Receipt {
  readonly keyId: string;
  readonly operationId: string;
  readonly version: number;
  readonly outcome: 'heard' | 'moved' | 'failed';
  /** With `moved`: the challenge of the notice, and the answer to it (challenge.ts). */
  readonly nonce?: string;
  readonly proof?: string;
  /** With `failed`: what went wrong, in the consumer's words; kept to 200 characters. */
  readonly message?: string;
}

/**
 * Takes a consumer's receipt. `moved` counts only with the right answer to a challenge that was sent to this very consumer, about this
 * version and operation, and that nobody answered before. `consumer` is the authenticated sender, never a field of the receipt.
 * Returns whether the operation's confirmation is complete. Throws Refused E_NOT_FOUND, E_PROOF_REQUIRED, E_PROOF_INVALID.
 */
export async function receive(
  ports: Ports,
  receipt: Receipt,
  consumer: string,
): Promise<{ readonly accepted: boolean; readonly complete: boolean }> {
  const key = await getKey(ports, receipt.keyId);
  if (!key.facts.consumers.some(({ name }) => name === consumer))
    throw new Refused('E_NOT_FOUND', `${consumer} is not a registered consumer of ${receipt.keyId}`);
  const { keyId, operationId, version } = receipt;
  if (receipt.outcome !== 'moved') {
    await commit(ports, keyId, () => ({
      actor: `consumer:${consumer}`,
      events: [
        {
          event: `receipt.${receipt.outcome}`,
          detail: { consumer, version, operation: operationId, message: (receipt.message ?? '').slice(0, 200) },
        },
      ],
    }));
    return { accepted: true, complete: false };
  }
  const { nonce, proof } = receipt;
  if (!nonce || !proof) throw new Refused('E_PROOF_REQUIRED', 'a version number proves nothing: send the challenge and its answer');
  if (await wasTaken(ports, receipt, consumer, nonce)) return { accepted: true, complete: await judgeConfirm(ports, keyId) };
  await checkProof(ports, receipt, consumer, nonce, proof);
  const now = instant(ports.clock.now());
  try {
    await commit(ports, keyId, () => ({
      actor: `consumer:${consumer}`,
      writes: [
        { do: 'update', key: nonceKey(keyId, nonce), change: { set: { usedAt: now } }, when: [{ path: 'usedAt', is: '=', value: '' }] },
        putItem({ ...adoptionKey(keyId, consumer, version, operationId), kind: 'possession', operationId, at: now, by: consumer, nonce }),
      ],
      events: [{ event: 'receipt.moved', detail: { consumer, version, operation: operationId, proof: 'possession' } }],
    }));
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    throw new Refused('E_PROOF_INVALID', 'this challenge was already answered');
  }
  await noteRecovered(ports, keyId, operationId, version);
  return { accepted: true, complete: await judgeConfirm(ports, keyId) };
}

/** Whether this very answer was taken before: a receipt whose confirmation got lost is sent again. */
async function wasTaken(ports: Ports, { keyId, operationId, version }: Receipt, consumer: string, nonce: string): Promise<boolean> {
  const adoption = await ports.inventory.get(adoptionKey(keyId, consumer, version, operationId));
  return adoption?.['nonce'] === nonce;
}

async function checkProof(ports: Ports, receipt: Receipt, consumer: string, nonce: string, proof: string): Promise<void> {
  const { keyId, operationId, version: number } = receipt;
  const challenge = (await ports.inventory.get(nonceKey(keyId, nonce))) as unknown as Challenge | undefined;
  const known =
    challenge?.consumer === consumer && challenge.version === number && challenge.operationId === operationId && challenge.usedAt === '';
  if (!known) throw new Refused('E_PROOF_INVALID', 'no such open challenge was sent to this consumer');
  const version = await findVersion(ports, keyId, number);
  const value = version?.token ? await ports.secrets.read(keyId, version.token) : undefined;
  if (!value || !isProof(proof, value, operationId, consumer, nonce))
    throw new Refused('E_PROOF_INVALID', `the proof was not made with version ${number}`);
}

/**
 * A named person says that a consumer has moved (`*`: the owner decides about a key without registered consumers). Audited;
 * refused for keys of the highest tier. Throws Refused E_FORBIDDEN, E_NOT_FOUND, E_NOTHING_TO_DO.
 */
export async function overrideConfirm(
  ports: Ports,
  request: { readonly keyId: string; readonly consumer: string; readonly reason: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly consumer: string; readonly complete: boolean }> {
  const { keyId, consumer, reason } = request;
  const key = await getKey(ports, keyId);
  const target = waitingVersion(key);
  if (target === null)
    throw new Refused(
      'E_NOTHING_TO_DO',
      `no operation on ${keyId} waits for a confirmation${key.rotation ? ` yet: ${key.rotation.id} is at ${key.rotation.step}` : ''}`,
    );
  const unmapped = key.facts.consumers.length === 0;
  // Without consumers there is no proof to wait for, whatever the tier: then only the owner can decide.
  if (key.tier === 'high' && !unmapped) throw new Refused('E_FORBIDDEN', `${keyId} is of tier high: only its consumers' own proof counts`);
  if (consumer === '*' ? !unmapped : !key.facts.consumers.some(({ name }) => name === consumer)) {
    throw new Refused(
      'E_NOT_FOUND',
      unmapped ? `${keyId} has no consumers; decide with --consumer '*'` : `${consumer} is not a registered consumer of ${keyId}`,
    );
  }
  const operationId = key.rotation?.id ?? '';
  await commit(ports, keyId, () => ({
    actor,
    writes: [
      putItem({
        ...adoptionKey(keyId, consumer, target, operationId),
        kind: 'override',
        operationId,
        at: instant(ports.clock.now()),
        by: actor,
      }),
    ],
    events: [{ event: 'confirm.overridden', detail: { consumer, version: target, operation: operationId, reason } }],
  }));
  return { keyId, consumer, complete: await judgeConfirm(ports, keyId) };
}

/** The version whose adoption the open rotation waits for: the new one, or in a rollback the old one. */
function waitingVersion(key: Key): number | null {
  if (key.state === 'rolling-back') return key.rotation?.oldVersion ?? null;
  return key.state === 'rotating' && key.rotation?.distributedAt ? key.rotation.newVersion : null;
}
