import type { Item, ItemKey, Write } from './inventory.ts';
import { partition } from './items.ts';
import type { Notice } from './notice.ts';
import type { Ports } from './ports.ts';

/**
 * What became of one notice to one consumer: committed, sent, heard, answered, failed (ISO instants; empty: not yet). Written with the
 * notice itself, in the same transaction, and kept. A challenge is answered at most once: `movedAt`.
 */
export interface NoticeRecord {
  readonly noticeId: string;
  readonly type: Notice['type'];
  readonly consumer: string;
  readonly operationId: string;
  /** The version it names; 0: none. */
  readonly version: number;
  /** The challenge in it; empty: none. */
  readonly nonce: string;
  readonly at: string;
  readonly sentAt: string;
  readonly heardAt: string;
  readonly movedAt: string;
  readonly failedAt: string;
  /** What the consumer said when it failed, shortened. */
  readonly message: string;
}

const prefixOf = (operationId: string, consumer: string): string => `NOTE#${operationId}#${consumer}#`;

/** Where a notice's record is. */
const noticeRecordKey = (keyId: string, operationId: string, consumer: string, noticeId: string): ItemKey => ({
  pk: partition(keyId),
  sk: `${prefixOf(operationId, consumer)}${noticeId}`,
});

/** The record of a notice that is just committed; none for what is told to everybody. */
export function newNoticeRecord(notice: Notice): Item | null {
  const { id: noticeId, type, keyId, audience: consumer, operationId, time: at, data } = notice;
  if (consumer === '*') return null;
  const record: NoticeRecord = {
    ...{ noticeId, type, consumer, operationId, at },
    version: data.version ?? 0,
    nonce: data.nonce ?? '',
    ...{ sentAt: '', heardAt: '', movedAt: '', failedAt: '', message: '' },
  };
  return { ...noticeRecordKey(keyId, operationId, consumer, noticeId), ...record };
}

/** Every record of an operation's notices, of one consumer or of all. */
export async function listNoticeRecords(ports: Ports, keyId: string, operationId: string, consumer?: string): Promise<NoticeRecord[]> {
  const prefix = consumer === undefined ? `NOTE#${operationId}#` : prefixOf(operationId, consumer);
  return (await ports.inventory.list(partition(keyId), prefix)).map((item) => item as unknown as NoticeRecord);
}

/** The write that notes what became of a notice. `once`: refused when that was noted before. */
export function note(
  keyId: string,
  { operationId, consumer, noticeId }: Pick<NoticeRecord, 'operationId' | 'consumer' | 'noticeId'>,
  set: Partial<Pick<NoticeRecord, 'sentAt' | 'heardAt' | 'movedAt' | 'failedAt' | 'message'>>,
  once?: 'movedAt',
): Write {
  return {
    do: 'update',
    key: noticeRecordKey(keyId, operationId, consumer, noticeId),
    change: { set },
    when: [{ item: 'exists' }, ...(once ? [{ path: once, is: '=', value: '' } as const] : [])],
  };
}
