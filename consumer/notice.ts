/** A place where the value can be read: what `at` means is the kind's affair (a path, a secret's name). */
export interface Place {
  readonly id: string;
  readonly kind: string;
  readonly at: string;
}

/** What a service needs to know of a notice. */
export interface KeyNotice {
  readonly id: string;
  /** `key.issued`, `key.restored`, `key.retired`, `key.revoked`, `key.reissued`, … */
  readonly type: string;
  readonly keyId: string;
  readonly time: string;
  readonly operationId: string;
  readonly action: 'refresh' | 'stop-using' | 'none' | 'look';
  /** The version to use now, where there is one. */
  readonly version?: number;
  readonly previousValidUntil?: string;
  readonly places?: readonly Place[];
  readonly nonce?: string;
  /** The consumer it is for; `*` for everybody who watches the key. */
  readonly audience?: string;
}

/** Where notices come from: SNS through a queue in the cloud, the local server on a laptop. */
export interface NoticeFeed {
  /** Waits for the next notices, oldest first; the list is empty when there were none for a while. */
  next(signal: AbortSignal): Promise<readonly KeyNotice[]>;
  /** Everything that a notice asks for is done: it need not come again. Until then it may. */
  done?(notice: KeyNotice): Promise<void>;
}

/** What a service tells about a notice. `proof` is hex HMAC-SHA256, keyed with the value, over `operationId|consumer|nonce`. */
export interface Receipt {
  readonly keyId: string;
  readonly operationId: string;
  readonly version: number;
  readonly outcome: 'heard' | 'moved' | 'failed';
  /** Which notice it answers. */
  readonly noticeId?: string;
  readonly nonce?: string;
  readonly proof?: string;
  readonly message?: string;
}

export interface Receipts {
  /** Returns 'accepted', or the code of the refusal. Throws when there was no answer: send again. */
  send(receipt: Receipt, signal: AbortSignal): Promise<string>;
}

/** Reads a CloudEvent of Rekey. Returns undefined for anything else. */
export function noticeOf(event: unknown): KeyNotice | undefined {
  if (!isRecord(event) || !isRecord(event.data)) return undefined;
  const { id, type, time, correlationid, data } = event;
  const name = typeof type === 'string' ? /^dev\.rekey\.(key\.[a-z.]+)\.v1$/.exec(type)?.[1] : undefined;
  const { key, action, version, previousValidUntil, destinations, nonce, audience } = data as Record<string, unknown>;
  if (typeof id !== 'string' || name === undefined || typeof time !== 'string') return undefined;
  if (typeof correlationid !== 'string' || typeof key !== 'string' || !isAction(action)) return undefined;
  return {
    id,
    type: name,
    keyId: key,
    time,
    operationId: correlationid,
    action,
    ...(typeof version === 'number' ? { version } : {}),
    ...(typeof previousValidUntil === 'string' ? { previousValidUntil } : {}),
    ...(typeof nonce === 'string' ? { nonce } : {}),
    ...(typeof audience === 'string' ? { audience } : {}),
    ...(Array.isArray(destinations) ? { places: destinations.filter(isPlace) } : {}),
  };
}

function isAction(action: unknown): action is KeyNotice['action'] {
  return action === 'refresh' || action === 'stop-using' || action === 'none' || action === 'look';
}

function isPlace(place: unknown): place is Place {
  return isRecord(place) && [place.id, place.kind, place.at].every((field) => typeof field === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
