import { createHash, randomBytes } from 'node:crypto';

/** A credential as the vendor keeps it: the value itself is not kept, only its SHA-256. Instants in milliseconds since 1970. */
export interface Stored {
  readonly id: string;
  readonly principal: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly sha256: string;
  readonly createdAt: number;
  readonly enabled: boolean;
  readonly deleted: boolean;
  readonly lastUsedAt: number | null;
  /** From when on it is accepted, and refused; `null`: refused never. */
  readonly acceptedFrom: number;
  readonly refusedFrom: number | null;
  /** When the newest change shows in lists, and what lists show until then. */
  readonly listedFrom: number;
  readonly listedBefore: 'absent' | 'enabled' | 'disabled';
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A new value of the vendor's shape: `sbx_` and 40 hex digits, of 160 random bits. */
export function mintValue(): string {
  return `sbx_${randomBytes(20).toString('hex')}`;
}

/** The vendor's credentials. Every change is handed to `save` before the call returns. */
export interface Credentials {
  put(credential: Stored): void;
  find(principal: string, id: string): Stored | undefined;
  byId(id: string): Stored | undefined;
  byValue(value: string): Stored | undefined;
  /** Of one principal, oldest first, deleted ones too. */
  of(principal: string): readonly Stored[];
  all(): readonly Stored[];
}

/** Credentials in memory, beginning with the ones that a journal held. */
export function credentials(initial: readonly Stored[], save: (credential: Stored) => void): Credentials {
  const byId = new Map<string, Stored>(initial.map((credential) => [credential.id, credential]));
  const idOf = new Map<string, string>(initial.map(({ sha256: hash, id }) => [hash, id]));
  return {
    put(credential) {
      byId.set(credential.id, credential);
      idOf.set(credential.sha256, credential.id);
      save(credential);
    },
    find(principal, id) {
      const found = byId.get(id);
      return found && found.principal === principal && !found.deleted ? found : undefined;
    },
    byId: (id) => byId.get(id),
    byValue: (value) => byId.get(idOf.get(sha256(value)) ?? ''),
    of: (principal) => [...byId.values()].filter((credential) => credential.principal === principal),
    all: () => [...byId.values()],
  };
}

/** A moment that never comes by itself: only `settle` brings it. JSON has no Infinity. */
export const never = Number.MAX_SAFE_INTEGER;

/** True when a value is accepted at this instant. */
export function accepted(credential: Stored, now: number): boolean {
  return now >= credential.acceptedFrom && (credential.refusedFrom === null || now < credential.refusedFrom);
}

/** Whether a list shows it at this instant, and as what. */
export function listed(credential: Stored, now: number): 'absent' | 'enabled' | 'disabled' {
  if (now < credential.listedFrom) return credential.listedBefore;
  if (credential.deleted) return 'absent';
  return credential.enabled ? 'enabled' : 'disabled';
}
