import type { NoticeData, NoticeType } from './notice-contract.ts';

/**
 * A notice: what a downstream service is told about a key. CloudEvents 1.0; references, times and actions only, never a value, a
 * fingerprint or a full vendor id (core/notice-contract.ts, docs/events).
 */
export interface Notice {
  readonly id: string;
  readonly type: NoticeType;
  readonly keyId: string;
  /** The consumer it is for; `*` for everyone who watches the key. */
  readonly audience: string;
  readonly time: string;
  readonly operationId: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly environment: string;
  readonly tier: string;
  readonly data: NoticeData;
}

/** What must reach a service whatever else it filters out: it has a topic of its own. */
export function isEmergency({ type }: Pick<Notice, 'type'>): boolean {
  return type === 'key.revoked' || type === 'key.revocation.started' || type === 'key.revocation.incomplete';
}

/** The CloudEvents document as it is published. */
export function toCloudEvent(notice: Notice, stage: string): Record<string, unknown> {
  return {
    specversion: '1.0',
    id: notice.id,
    source: `/rekey/${stage}`,
    type: `dev.rekey.${notice.type}.v1`,
    subject: `key/${notice.keyId}`,
    time: notice.time,
    datacontenttype: 'application/json',
    correlationid: notice.operationId,
    severity: notice.severity,
    data: {
      key: notice.keyId,
      audience: notice.audience,
      environment: notice.environment,
      tier: notice.tier,
      severity: notice.severity,
      operation: notice.operationId,
      ...notice.data,
    },
  };
}
