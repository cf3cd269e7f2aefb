/**
 * A notice: what a downstream service is told about a key. CloudEvents 1.0; references, times and actions only,
 * never a value, a fingerprint or a full vendor id (docs/events).
 */
export const noticeTypes = [
  'key.issued',
  'key.restored',
  'key.retired',
  'key.rotation.failed',
  'key.receipt.missing',
  'key.revoked',
  'key.revocation.incomplete',
  'key.contained',
  'key.reissued',
  'key.attention',
  'key.revocation.started',
  'key.approval',
  'key.review',
  'key.rotation.scheduled',
] as const;

export type NoticeType = (typeof noticeTypes)[number];

export interface Notice {
  readonly id: string;
  readonly type: NoticeType;
  readonly keyId: string;
  /** The consumer it is for; `*` for everyone who watches the key (owners, on-call). */
  readonly audience: string;
  readonly time: string;
  readonly operationId: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly environment: string;
  readonly tier: string;
  readonly data: {
    /** Version to use now, where there is one. A consumer that has seen a higher number drops the notice. */
    readonly version?: number;
    readonly previousValidUntil?: string;
    readonly action: 'refresh' | 'stop-using' | 'none' | 'look';
    /** Where to read the value: kind and place of each of the key's destinations. */
    readonly destinations?: readonly { readonly id: string; readonly kind: string; readonly at: string }[];
    /** The challenge of the proof of possession, to be answered once. */
    readonly nonce?: string;
    readonly reason?: string;
  };
}

/** What must reach a service whatever else it filters out: a key that it may not use any more. */
export function isEmergency({ type }: Notice): boolean {
  return type === 'key.revoked' || type === 'key.revocation.incomplete';
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
