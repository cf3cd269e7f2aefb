import { isProof } from './challenge.ts';
import { commit } from './commit.ts';
import { ConditionFailed, Refused } from './errors.ts';
import type { Adoption } from './evidence.ts';
import type { Write } from './inventory.ts';
import { adoptionKey, findVersion, getKey, putItem } from './items.ts';
import type { Key } from './key.ts';
import { listNoticeRecords, type NoticeRecord, note } from './notice-record.ts';
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
  /** Which notice it answers; without it, the last one of that operation. */
  readonly noticeId?: string;
  /** With `moved`: the challenge of the notice, and the answer to it (challenge.ts). */
  readonly nonce?: string;
  readonly proof?: string;
  /** With `failed`: what went wrong, in the consumer's words; kept to 200 characters. */
  readonly message?: string;
}

export interface Received {
  readonly accepted: boolean;
  /** Whether the operation's confirmation is complete. */
  readonly complete: boolean;
}

/**
 * Takes a consumer's receipt. `moved` counts only with the right answer to a challenge that was sent to this very consumer, about this
 * version and operation, and that nobody answered before; `failed` takes back a proof that the rotation still waits on. `consumer` is the
 * authenticated sender, never a field of the receipt. Throws Refused E_NOT_FOUND, E_PROOF_REQUIRED, E_PROOF_INVALID.
 */
export async function receive(ports: Ports, receipt: Receipt, consumer: string): Promise<Received> {
  const key = await getKey(ports, receipt.keyId);
  if (!key.facts.consumers.some(({ name }) => name === consumer))
    throw new Refused('E_NOT_FOUND', `${consumer} is not a registered consumer of ${receipt.keyId}`);
  const { nonce, proof } = receipt;
  if (receipt.outcome === 'moved' && (!nonce || !proof))
    throw new Refused('E_PROOF_REQUIRED', 'a version number proves nothing: send the challenge and its answer');
  const records = await listNoticeRecords(ports, receipt.keyId, receipt.operationId, consumer);
  if (receipt.outcome !== 'moved') return said(ports, key, receipt, consumer, records);
  return moved(ports, receipt, consumer, records, nonce as string, proof as string);
}

/** Heard, or failed: on record beside the notice, and once. */
async function said(
  ports: Ports,
  { facts: { id: keyId } }: Key,
  receipt: Receipt,
  consumer: string,
  records: readonly NoticeRecord[],
): Promise<Received> {
  const { outcome, version, operationId, noticeId } = receipt;
  const byTime = [...records].sort((a, b) => (a.at < b.at ? -1 : 1));
  const about = noticeId ? records.find((one) => one.noticeId === noticeId) : byTime.at(-1);
  if (!about) throw new Refused('E_NOT_FOUND', 'no notice of that operation was sent to this consumer');
  const at = outcome === 'heard' ? about.heardAt : about.failedAt;
  const message = (receipt.message ?? '').slice(0, 200);
  // What was said already changes nothing: a client that got no answer says it again.
  if (at && (outcome === 'heard' || about.message === message)) return { accepted: true, complete: false };
  const now = instant(ports.clock.now());
  await commit(ports, keyId, async (key) => ({
    actor: `consumer:${consumer}`,
    set: heard(key, consumer, now),
    writes: [
      note(keyId, about, outcome === 'heard' ? { heardAt: now } : { failedAt: now, message }),
      ...(outcome === 'failed' ? await takenBack(ports, key, about, now) : []),
    ],
    events: [{ event: `receipt.${outcome}`, detail: { consumer, version, operation: operationId, message } }],
  }));
  return { accepted: true, complete: false };
}

/** A consumer that fails with the version it moved to has not moved: while the gate is open its proof no longer counts. It may prove again. */
async function takenBack(ports: Ports, key: Key, { consumer, operationId, version }: NoticeRecord, now: string): Promise<Write[]> {
  const { rotation } = key;
  const waits = rotation?.id === operationId && (rotation.step === 'confirm' || rotation.step === 'rollback');
  const proof = adoptionKey(key.facts.id, consumer, version, operationId);
  const adoption = waits ? await ports.inventory.get(proof) : undefined;
  return adoption?.['kind'] === 'possession' ? [{ do: 'update', key: proof, change: { set: { withdrawnAt: now } } }] : [];
}

async function moved(
  ports: Ports,
  receipt: Receipt,
  consumer: string,
  records: readonly NoticeRecord[],
  nonce: string,
  proof: string,
): Promise<Received> {
  const { keyId, operationId, version } = receipt;
  const about = records.find((one) => one.nonce === nonce && one.version === version);
  if (!about) throw new Refused('E_PROOF_INVALID', 'no such open challenge was sent to this consumer');
  // A receipt whose confirmation got lost is sent again; another answer to the same challenge is not.
  const adoption = (await ports.inventory.get(adoptionKey(keyId, consumer, version, operationId))) as Partial<Adoption> | undefined;
  if (about.movedAt) {
    if (adoption?.nonce !== nonce) throw new Refused('E_PROOF_INVALID', 'this challenge was already answered');
    return { accepted: true, complete: await judgeConfirm(ports, keyId) };
  }
  await checkProof(ports, receipt, consumer, nonce, proof);
  const now = instant(ports.clock.now());
  // Its overlap runs since it first proved this, however often it is asked.
  const at = adoption?.at && adoption.kind === 'possession' && !adoption.withdrawnAt ? adoption.at : now;
  try {
    await commit(ports, keyId, (key) => ({
      actor: `consumer:${consumer}`,
      set: heard(key, consumer, now),
      writes: [
        note(keyId, about, { movedAt: now }, 'movedAt'),
        putItem({
          ...adoptionKey(keyId, consumer, version, operationId),
          ...{ kind: 'possession', operationId, at, by: consumer, nonce, withdrawnAt: '' },
        }),
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

/** When a consumer was heard last. */
const heard = ({ heardFrom }: Key, consumer: string, now: string) => ({ heardFrom: { ...heardFrom, [consumer]: now } });

async function checkProof(ports: Ports, receipt: Receipt, consumer: string, nonce: string, proof: string): Promise<void> {
  const { keyId, operationId, version: number } = receipt;
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
        withdrawnAt: '',
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
