import type { Inventory } from './inventory.ts';
import type { DestinationSpec } from './key.ts';
import type { MeasuredOf, Measures } from './metric.ts';
import type { Notice } from './notice.ts';
import type { Page } from './page.ts';
import type { Policy } from './policy.ts';
import type { Signature } from './seal/seal.ts';
import type { Settings } from './settings.ts';
import type { Value } from './value.ts';

/**
 * What the core needs from the outside. Each port has at least two implementations, all held to one contract suite
 * (test/contract). Every call of every port ends within `settings.callSeconds`, one way or the other: an adapter aborts
 * its own call, so that nothing it started is still under way when a step returns.
 */
export interface Ports {
  readonly inventory: Inventory;
  readonly secrets: SecretStore;
  /** By provider name. Throws Refused E_NOT_FOUND for a name that is not installed. */
  provider(name: string): Provider;
  /** The names of all installed providers. */
  providers(): readonly string[];
  /** By destination kind. Throws Refused E_NOT_FOUND for a kind that is not installed. */
  destination(kind: string): Destination;
  readonly notifier: Notifier;
  readonly pager: Pager;
  readonly executions: Executions;
  readonly seals: Seals;
  readonly clock: Clock;
  /** 128 random bits as 32 lower-case hex digits: request ids, nonces. */
  randomId(): string;
  /** The keyed MAC of a value (HMAC-SHA-256 under the installation's pepper), 64 lower-case hex digits. */
  fingerprint(value: Value): Promise<string>;
  readonly log: Log;
  readonly settings: Settings;
  readonly policy: Policy;
}

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
}

/** Structured log lines and measures: ids, numbers and reasons only. Nothing of it ever throws. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** One line of metrics, about the whole stage unless said otherwise. */
  measure(values: Measures, of?: MeasuredOf): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Whose credentials at the provider: the key's provider account and its parameters from the key file. */
export interface Subject {
  readonly keyId: string;
  /** Names the admin credential to use (`default` unless the key says otherwise). */
  readonly account: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** One credential as the provider lists it. */
export interface Credential {
  readonly credentialId: string;
  /** The name we or somebody else gave it, where the vendor has names. */
  readonly label?: string;
  readonly enabled: boolean;
  /** ISO instant, where the vendor tells. */
  readonly createdAt?: string;
}

export type Verdict = 'alive' | 'denied' | 'inconclusive';

/** The answer of one probe. `detail` says what was seen (a status, an error code), never a body and never a value. */
export interface Probe {
  readonly verdict: Verdict;
  readonly detail: string;
}

/** How a vendor's keys come and go. `grace`: the vendor itself ends the old one, at an instant that create names. `replace`: create ends it at once. */
export type Lifecycle = 'additive' | 'slots' | 'grace' | 'replace' | 'revokeOnly';

/** What is true of a provider's keys, whatever the key. */
export interface ProviderTraits {
  readonly pattern: Lifecycle;
  /** protocol.md §6: A client-chosen value, B idempotency key or unique name, C provider-generated, shown once. */
  readonly class: 'A' | 'B' | 'C';
  /** How many credentials one subject may have. */
  readonly maxLive: number;
  /** Whether a disabled credential still occupies one of them. */
  readonly countsDisabled: boolean;
  /** `delete`: the vendor cannot disable; disable() deletes. */
  readonly disable: 'disable' | 'delete' | 'none';
  /** Whether create() gives the credential our label, so that one without a record can be attributed. */
  readonly labelled: boolean;
  /** The list shows what everybody in the account made: a stranger there is nothing to report, and nothing that could be taken for ours. */
  readonly shared: boolean;
  /** The vendor refuses to disable the last enabled credential: disable() leaves a stand-in, whose value nobody has, until there is another. */
  readonly keepsOne: boolean;
  /** The vendor itself ends a version this long after it was created; null where it does not. */
  readonly lifetimeSeconds: number | null;
  /** Calls of the admin API in a second that the vendor takes, where that is known. */
  readonly callsPerSecond?: number;
  /** Budgets for propagation, in seconds: a new credential accepted, a disabled one refused. */
  readonly activateSeconds: number;
  readonly revokeSeconds: number;
  /** Consecutive answers a verdict needs, and the least time between two of them. */
  readonly probe: { readonly alive: number; readonly denied: number; readonly everySeconds: number };
  /** Shape of the vendor's values, from ^ to $, without flags: to recognise them, and to redact them unless the shape is a common one. */
  readonly secretPattern?: string;
  readonly commonShape?: boolean;
  /** How exact the vendor's last use is, where it tells one. */
  readonly lastUsedAccuracySeconds?: number;
}

/** One thing that is known of a vendor: how sure it is, where it was read, and when. */
export interface Fact {
  readonly about: readonly string[];
  readonly is: 'documented' | 'observed' | 'unverified';
  readonly source?: string | undefined;
  readonly on: string;
  readonly note?: string | undefined;
}

/** What people should know of a provider before they trust it with a key. */
export interface ProviderAbout {
  readonly title: string;
  readonly docs: readonly string[];
  readonly facts: readonly Fact[];
  /** What Rekey cannot promise here, beyond what follows from the traits. */
  readonly cannot: readonly string[];
  /** What leak scanners call these keys, by scanner. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
  /** Parameters of a key's file and fields of the admin credential, each with whether it is needed. */
  readonly params: Readonly<Record<string, { readonly needed: boolean; readonly description: string }>>;
  readonly admin: Readonly<Record<string, { readonly needed: boolean; readonly description: string }>>;
}

/** What a mint needs besides its label. */
export interface Minting {
  /** Class A: the value to create, stored before. */
  readonly value?: Value;
  /** Pattern `grace`: until when the vendor is to accept the old version (ISO instant). */
  readonly oldUntil?: string;
}

/**
 * An outside system that mints and kills keys. There is no `enable` and no `rotate`.
 * Errors: ProviderUnavailable (no answer, 5xx, throttled: the effect is unknown), ProviderRefused (no effect), NoFreeSlot (create, at the limit).
 */
export interface Provider {
  readonly name: string;
  readonly traits: ProviderTraits;
  readonly about: ProviderAbout;
  /**
   * Mints one credential. `label` is unique to this mint. Class A: the credential gets `minting.value`, and asked again with the same value it is
   * the same credential. Class B: asked again with the same label it is the same credential. Never retried by the adapter.
   */
  create(subject: Subject, label: string, minting?: Minting): Promise<{ readonly credentialId: string; readonly value: Value }>;
  /** Class A: a new value of the vendor's shape, made from 128 random bits; the same bits give the same value. */
  draw?(random: string): Value;
  /** Class A: the id of the credential that has this value, or undefined when the vendor has none. */
  find?(subject: Subject, value: Value): Promise<string | undefined>;
  /** The value of a credential that the vendor shows again, or undefined when it is not that one any more. */
  read?(subject: Subject, credentialId: string): Promise<Value | undefined>;
  /** All credentials of the subject, complete or it throws. */
  list(subject: Subject): Promise<Credential[]>;
  /** Uses the value once. Never throws for an answer of the vendor; no answer is `inconclusive`. */
  probe(subject: Subject, value: Value): Promise<Probe>;
  /** Makes the provider refuse the credential. `gone`: there is no such credential. Resolving is not proof; a probe is. */
  disable(subject: Subject, credentialId: string): Promise<'disabled' | 'gone'>;
  /** Removes a credential for good. */
  delete(subject: Subject, credentialId: string): Promise<'deleted' | 'gone'>;
  /** Ends a credential by its value alone, whoever made it; needs no admin credential. Resolving is not proof; a probe is. */
  endByValue?(value: Value): Promise<void>;
  /** Refuses every session that was derived from the subject's credentials before an instant, where the vendor has derived sessions. A later instant covers more; again is harmless. */
  endSessions?(subject: Subject, before: string): Promise<void>;
  /** When the credential was last used, with the vendor's accuracy; `never` if the vendor says so; undefined when it does not tell. */
  lastUsed?(
    subject: Subject,
    credentialId: string,
  ): Promise<{ readonly at: string | 'never'; readonly accuracySeconds: number } | undefined>;
  /** A well-formed value that was never issued: the negative control of verify. */
  neverIssued(random: string): Value;
  /** Every string that, found in the open, would leak this value (an IAM value leaks by its secret part alone). Default: the value itself. */
  leakForms?(value: Value): Value[];
  /** The credential id that a value carries in itself (an IAM access key id), where it does. */
  credentialIdOf?(value: Value): string | undefined;
}

/**
 * Where a value lives between issue and delivery, and after: one secret per key, versions under it, labels that each name one version.
 * The words and rules are those of AWS Secrets Manager. Errors: DestinationUnavailable, StoreConflict.
 */
export interface SecretStore {
  /** Stores a value as version `token` (a UUID) with the label AWSPENDING only. Again with the same value: nothing changes. With another value: StoreConflict. */
  put(keyId: string, token: string, value: Value): Promise<void>;
  /** The value of a version, or undefined when the store has no such version. */
  read(keyId: string, token: string): Promise<Value | undefined>;
  /** Which version each label names. Empty when there is no such secret. */
  labels(keyId: string): Promise<Readonly<Record<string, string>>>;
  /** Moves AWSCURRENT from version `from` (null: no version has it) to version `to`; the store then labels `from` AWSPREVIOUS by itself. Already on `to`: success. On any other version: StoreConflict. */
  promote(keyId: string, to: string, from: string | null): Promise<void>;
  /** Removes every label but AWSCURRENT from a version; a version without the label is success. */
  strip(keyId: string, token: string): Promise<void>;
}

/**
 * A place a value is delivered so that a program can read it.
 * Errors: DestinationUnavailable (write again), DestinationRefused (for good).
 */
export interface Destination {
  readonly kind: string;
  /** Writes the value. `marker` (a UUID) is unique to key version and destination: writing again with the same marker and value changes nothing. */
  write(spec: DestinationSpec, value: Value, marker: string): Promise<void>;
  /** What the destination holds now, or undefined when it holds nothing. */
  read(spec: DestinationSpec): Promise<Value | undefined>;
  /** Where exactly a program finds what was written last under a marker, for kinds that keep every version. Undefined when this process did not write it. */
  locate?(spec: DestinationSpec, marker: string): SecretVersion | undefined;
}

/** One version of a secret in Secrets Manager, by its names there. */
export interface SecretVersion {
  readonly arn: string;
  readonly versionId: string;
}

/** Tells downstream services. At least once; consumers drop what they have seen by event id. */
export interface Notifier {
  /** Throws DestinationUnavailable; the outbox tries again. */
  publish(notice: Notice): Promise<void>;
}

/** Tells people. At least once under one id; what a page says stays together by its thread. */
export interface Pager {
  /** Throws DestinationUnavailable; the outbox tries again. */
  page(page: Page): Promise<void>;
}

/** Where seals of the audit chains are signed and kept. Whoever may write the inventory may add one here, and change none. */
export interface Seals {
  /** Signs a hash (hex) with the installation's signing key. Throws DestinationUnavailable. */
  sign(hash: string): Promise<Signature>;
  /** The public half of that key, as PEM; empty where nothing is sealed. */
  publicKey(): Promise<string>;
  /** Keeps a seal under its number. Throws StoreConflict when there is another one of that number, DestinationUnavailable. */
  keep(number: number, text: string): Promise<void>;
  read(number: number): Promise<string | undefined>;
  /** The number of the last one; 0 when there is none. */
  last(): Promise<number>;
}

export type WorkflowName = 'rotate' | 'revoke';

/** What travels between steps: ids and numbers only. */
export interface ExecutionPayload {
  readonly keyId: string;
  readonly operationId: string;
  /** Which execution of the operation this is; an older one is superseded. */
  readonly startSeq: number;
}

export interface Executions {
  /** Starts an execution named `<operationId>-r<startSeq>`. One of that name exists: nothing happens (the operation record tells the rest). */
  start(workflow: WorkflowName, payload: ExecutionPayload): Promise<void>;
  /** Whether that execution is still going. `unknown` when nobody can tell. */
  state(workflow: WorkflowName, payload: ExecutionPayload): Promise<'running' | 'ended' | 'unknown'>;
  /** Answers a waiting Confirm. A closed or unknown token is harmless. */
  succeed(token: string): Promise<void>;
  fail(token: string, error: string, cause: string): Promise<void>;
}
