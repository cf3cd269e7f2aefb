import type { MemoryProvider } from '../../adapters/memory/provider.ts';
import type { AuditEntry, AuditLine } from '../../core/audit.ts';
import type { Item, Write } from '../../core/inventory.ts';
import type { Key, KeyFacts } from '../../core/key.ts';
import type { Notice } from '../../core/notice.ts';
import type { RevokeInput } from '../../core/revoke/begin.ts';
import type { Version } from '../../core/version.ts';
import type { Worker, WriteName } from './worker.ts';

/** An external write that took effect. */
export interface Effect {
  readonly at: number;
  readonly worker: Worker;
  readonly name: WriteName;
  /** What it acted on: a credential's id, a destination's place, a token's key; empty for the others. */
  readonly target: string;
}

/** What somebody asked for, and what became of it. */
export interface Request {
  readonly at: number;
  readonly what: string;
  readonly keyId: string;
  readonly actor: string;
  /** Null: no answer yet, or never. */
  outcome: 'accepted' | 'refused' | 'failed' | null;
  operationId: string | null;
  readonly requestId: string;
  /** Why it failed: the error's name. */
  error: string | null;
  /** For a revocation: the versions that it was about when it was sent first, and their credentials that the provider was not even told to refuse. */
  covers: readonly Version[] | null;
  untold: readonly string[];
  /** For a revocation: what was sent. Sent again, it is the same. */
  input: RevokeInput | null;
}

/** A service as it is: which value it works with, not which one it says. */
export interface Service {
  readonly name: string;
  readonly place: string;
  /** The credential whose value it uses; null: none, or something that no vendor of ours made. */
  using: string | null;
}

/** Everything known about one key, gathered outside of the code under test. */
export interface KeyRecord {
  readonly facts: KeyFacts;
  readonly provider: MemoryProvider;
  /** META, as the last write left it. */
  meta: Key | null;
  readonly versions: Map<number, Version>;
  readonly audit: AuditEntry[];
  /** Sort keys of delivery and adoption records, with the item. */
  readonly records: Map<string, Item>;
  readonly services: Service[];
  /** Credentials of versions in the scope of an acknowledged revocation. */
  readonly acknowledged: Map<string, number>;
  /** Which version each label of the key's secret names, as the store shows it. */
  readonly labels: () => Readonly<Record<string, string>>;
  /** What other hands did at the vendor and at the secret store: never ours to answer for, as long as it has not been looked at. */
  readonly byHand: { readonly made: Set<string>; readonly enabled: Set<string>; readonly disabled: Set<string>; labels: number };
  /** Places that somebody else overwrote, until a value of ours is there again. */
  readonly overwritten: Set<string>;
  /** The state of each credential as last seen: to notice one that comes back. */
  readonly seenDisabled: Set<string>;
  readonly committedNotices: Set<string>;
  /** Since when it could have been started, being due: milliseconds since 1970; null while it is not due or cannot start. */
  startableSince: number | null;
}

/** The oracle's records: what tests judge by. Nothing here is read by the product. */
export interface Oracle {
  readonly keys: Map<string, KeyRecord>;
  readonly effects: Effect[];
  readonly requests: Request[];
  readonly published: Notice[];
  /** Ids of credentials by the text of their values. */
  readonly credentialOf: Map<string, string>;
  readonly holding: Map<string, string | null>;
  /** Lines for a person, in order. */
  readonly lines: string[];
  /** What was written to logs and errors, for the scan. */
  readonly said: string[];
  readonly workersLeft: string[];
  /** Effects of steps that were made without their intent on record. */
  readonly unintended: string[];
  /** How many calls each fault met, or how often it happened, by its name. */
  readonly struck: Map<string, number>;
  faultsOn: boolean;
}

export function newOracle(): Oracle {
  return {
    keys: new Map(),
    effects: [],
    requests: [],
    published: [],
    credentialOf: new Map(),
    holding: new Map(),
    lines: [],
    said: [],
    workersLeft: [],
    unintended: [],
    struck: new Map(),
    faultsOn: true,
  };
}

/** Whether somebody revoked a version: it is marked, or named by a request whose fence was raised and that is not worked on yet. */
export function isRevoked({ meta }: KeyRecord, { number, compromised }: Version): boolean {
  const { requests, resolved = 0 } = meta?.revocation ?? { requests: [] };
  return compromised || requests.slice(resolved).some(({ scope }) => scope === 'all' || scope.includes(number));
}

/** What one transaction changed in the records, for the invariants that judge writes. */
export interface Landed {
  readonly worker: Worker;
  readonly record: KeyRecord | undefined;
  readonly before: Key | null;
  readonly writes: readonly Write[];
  readonly versionsBefore: ReadonlyMap<number, Version>;
  /** Lines that were filed in the audit chain by this write, and those that it left on the key. */
  readonly entries: readonly AuditEntry[];
  readonly lines: readonly AuditLine[];
}
