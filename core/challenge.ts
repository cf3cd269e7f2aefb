import { createHmac } from 'node:crypto';
import type { Matter } from './escalation.ts';
import { destinationKey, partition } from './items.ts';
import type { Key } from './key.ts';
import type { Notice } from './notice.ts';
import type { NoticeDataOf, NoticeType, SeverityOf } from './notice-contract.ts';
import { noticeFor } from './outbox.ts';
import type { Ports } from './ports.ts';
import { Value } from './value.ts';

/** The types of notices that ask for a proof. */
type Asking = 'key.issued' | 'key.reissued' | 'key.restored' | 'key.overlap.ending' | 'key.receipt.missing';

type Places = NonNullable<NoticeDataOf<'key.issued'>['destinations']>;

/** Where consumers read a version: the key's destinations, each with the very version in it where its kind has such a thing. */
export async function placesOf(ports: Ports, key: Key, version: number): Promise<Places> {
  const written = new Map((await ports.inventory.list(partition(key.facts.id), 'DEST#')).map((item) => [item.sk, item]));
  return key.facts.destinations.map(({ id, kind, at }) => {
    const secret = written.get(destinationKey(key.facts.id, id, version).sk)?.['secret'] as Places[number]['secret'] | undefined;
    return { id, kind, at, ...(secret ? { secret } : {}) };
  });
}

/** A notice to one consumer with a fresh challenge: it is to prove that it uses the version that the notice names. */
export function challenge<T extends Asking & NoticeType>(
  ports: Ports,
  key: Key,
  operationId: string,
  consumer: string,
  notice: { readonly type: T; readonly severity: SeverityOf<T>; readonly data: Omit<NoticeDataOf<T>, 'nonce'> },
): Notice {
  const data = { ...notice.data, nonce: ports.randomId() } as unknown as NoticeDataOf<T>;
  return noticeFor(ports, key, operationId, { ...notice, audience: consumer, data });
}

/** A challenge to each registered consumer, and the same without one for everybody who watches the key (`*`). */
export function challenges<T extends Asking & NoticeType>(
  ports: Ports,
  key: Key,
  operationId: string,
  notice: { readonly type: T; readonly severity: SeverityOf<T>; readonly data: NoticeDataOf<T> },
): Notice[] {
  return [
    ...key.facts.consumers.map(({ name }) => challenge(ports, key, operationId, name, notice)),
    noticeFor(ports, key, operationId, { ...notice, audience: '*' }),
  ];
}

/** That a key's consumers have not all answered: for people once `patienceSeconds` are over, for on-call at `latest`. */
export function silence(key: Key, operationId: string, version: number, patienceSeconds: number, latest: string | null = null): Matter {
  return {
    id: `silence/${operationId}/${version}`,
    kind: 'silence',
    keyId: key.facts.id,
    subject: { operationId, version },
    thread: operationId,
    reason: 'ConsumersNotConfirmed',
    severity: 'warning',
    calls: [],
    patienceSeconds,
    ...(latest === null ? {} : { latest }),
  };
}

/** The proof of possession a consumer gives: HMAC-SHA-256, keyed with the value, over `operationId|consumer|nonce`, in hex. */
export function proofOf(value: Value, operationId: string, consumer: string, nonce: string): string {
  return createHmac('sha256', value.reveal()).update(`${operationId}|${consumer}|${nonce}`).digest('hex');
}

/** Whether a proof is the right one; takes the same time whichever digit is wrong. */
export function isProof(proof: string, value: Value, operationId: string, consumer: string, nonce: string): boolean {
  return new Value(proof).equals(new Value(proofOf(value, operationId, consumer, nonce)));
}
