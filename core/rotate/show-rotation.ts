import { Refused } from '../errors.ts';
import { findEscalation } from '../escalation.ts';
import { awaitedEvidence, type Proof } from '../evidence.ts';
import { getKey } from '../items.ts';
import type { Rotation } from '../key.ts';
import { listNoticeRecords, type NoticeRecord } from '../notice-record.ts';
import type { Ports } from '../ports.ts';

/** How far one consumer is: everything that is known of it, and whose it is. `*` stands for the owner of a key without consumers. */
export interface Progress {
  readonly consumer: string;
  readonly owner: string;
  readonly contact: string;
  readonly moved: { readonly proof: Proof['kind']; readonly at: string; readonly settledAt: string } | null;
  /** Its last notice: when it was sent, heard and answered, or what it said when it failed. */
  readonly notice: Pick<NoticeRecord, 'type' | 'at' | 'sentAt' | 'heardAt' | 'movedAt' | 'failedAt' | 'message'> | null;
}

export interface RotationView {
  readonly keyId: string;
  readonly operationId: string;
  /** `rotating` or `rolling-back`. */
  readonly state: string;
  readonly step: Rotation['step'];
  readonly startedAt: string;
  readonly reason: string;
  readonly oldVersion: number;
  readonly newVersion: number;
  /** The version that consumers are to prove; null before there is anything to prove. */
  readonly awaits: number | null;
  readonly overlapUntil: string | null;
  readonly overlapCapAt: string | null;
  /** What happens at the cap with whoever has not proved its move. */
  readonly atOverlapMax: 'hold' | 'roll-back' | 'retire';
  readonly consumers: readonly Progress[];
  /** Who was told of the silence, and when last. */
  readonly told: readonly { readonly whom: string; readonly at: string }[];
  readonly acknowledgedBy: string | null;
}

/** Who has moved in a key's open rotation, who has not, since when, and whose it is. Throws Refused E_NOT_FOUND, E_NOTHING_TO_DO (none is open). */
export async function showRotation(ports: Ports, keyId: string): Promise<RotationView> {
  const key = await getKey(ports, keyId);
  const { rotation, facts, state, tier } = key;
  if (!rotation) throw new Refused('E_NOTHING_TO_DO', `no rotation of ${keyId} is open: the key is ${state}`);
  const evidence = await awaitedEvidence(ports, key);
  const records = await listNoticeRecords(ports, keyId, rotation.id);
  const silence = evidence ? await findEscalation(ports, `silence/${rotation.id}/${evidence.version}`) : undefined;
  const names = facts.consumers.length ? facts.consumers.map(({ name }) => name) : ['*'];
  const { id: operationId, step, startedAt, reason, oldVersion, newVersion, overlapUntil, overlapCapAt } = rotation;
  return {
    ...{ keyId, operationId, state, step, startedAt, reason, oldVersion, newVersion, overlapUntil, overlapCapAt },
    awaits: evidence?.version ?? null,
    atOverlapMax: facts.consumers.length ? ports.policy.tiers[tier].atOverlapMax : 'hold',
    consumers: names.map((name) => {
      const { owner, contact } = facts.consumers.find((one) => one.name === name) ?? { owner: facts.owner, contact: facts.team };
      const proof = evidence?.proved.find(({ consumer }) => consumer === name);
      const moved = proof ? { proof: proof.kind, at: proof.at, settledAt: proof.settledAt } : null;
      return { consumer: name, owner, contact, moved, notice: lastOf(records, name) };
    }),
    told: silence && !silence.endedAt ? silence.told.map(({ level, to, at }) => ({ whom: `${level} ${to}`, at })) : [],
    acknowledgedBy: silence?.acknowledged?.by ?? null,
  };
}

function lastOf(records: readonly NoticeRecord[], name: string): Progress['notice'] {
  const [last] = records.filter(({ consumer }) => consumer === name).sort((a, b) => (a.at > b.at ? -1 : 1));
  if (!last) return null;
  const { type, at, sentAt, heardAt, movedAt, failedAt, message } = last;
  return { type, at, sentAt, heardAt, movedAt, failedAt, message };
}
