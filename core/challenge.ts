import { createHmac } from 'node:crypto';
import type { Matter } from './escalation.ts';
import type { Write } from './inventory.ts';
import { nonceKey, putItem } from './items.ts';
import type { Key } from './key.ts';
import type { Notice, NoticeType } from './notice.ts';
import { noticeFor } from './outbox.ts';
import { overlapOf } from './policy.ts';
import type { Ports } from './ports.ts';
import { Value } from './value.ts';

/** A challenge sent to one consumer: answered with the value it asks about, once. */
export interface Challenge {
  readonly consumer: string;
  readonly version: number;
  readonly operationId: string;
  readonly at: string;
  readonly usedAt: string;
}

/**
 * One notice per registered consumer with a fresh challenge in each, and one without for everybody who watches the key (`*`), together
 * with the writes that remember the challenges, and the matter that they are until all are answered: for people once the least overlap
 * is over, for on-call at `latest`.
 */
export function challenges(
  ports: Ports,
  key: Key,
  operationId: string,
  type: NoticeType,
  data: Notice['data'] & { readonly version: number },
  severity: Notice['severity'],
  latest: string | null = null,
): { readonly notices: Notice[]; readonly writes: Write[]; readonly matters: Matter[] } {
  const destinations = key.facts.destinations.map(({ id, kind, at }) => ({ id, kind, at }));
  const notices: Notice[] = [];
  const writes: Write[] = [];
  for (const { name } of key.facts.consumers) {
    const nonce = ports.randomId();
    const notice = noticeFor(ports, key, operationId, { type, audience: name, severity, data: { ...data, destinations, nonce } });
    const challenge: Challenge = { consumer: name, version: data.version, operationId, at: notice.time, usedAt: '' };
    notices.push(notice);
    writes.push(putItem({ ...nonceKey(key.facts.id, nonce), ...challenge }));
  }
  notices.push(noticeFor(ports, key, operationId, { type, audience: '*', severity, data: { ...data, destinations } }));
  const silence: Matter = {
    id: `silence/${operationId}/${data.version}`,
    kind: 'silence',
    keyId: key.facts.id,
    subject: { operationId, version: data.version },
    thread: operationId,
    reason: 'ConsumersNotConfirmed',
    severity: 'warning',
    calls: [],
    patienceSeconds: overlapOf(key.facts, ports.policy.tiers[key.tier]).minSeconds,
    ...(latest === null ? {} : { latest }),
  };
  return { notices, writes, matters: [silence] };
}

/** The proof of possession a consumer gives: HMAC-SHA-256, keyed with the value, over `operationId|consumer|nonce`, in hex. */
export function proofOf(value: Value, operationId: string, consumer: string, nonce: string): string {
  return createHmac('sha256', value.reveal()).update(`${operationId}|${consumer}|${nonce}`).digest('hex');
}

/** Whether a proof is the right one; takes the same time whichever digit is wrong. */
export function isProof(proof: string, value: Value, operationId: string, consumer: string, nonce: string): boolean {
  return new Value(proof).equals(new Value(proofOf(value, operationId, consumer, nonce)));
}
