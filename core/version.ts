import { IllegalMove } from './errors.ts';

/**
 * A version: one concrete credential that a provider minted for a key. Numbered, never reused.
 * States only move right (protocol.md §3); `compromised` is set once and never cleared.
 *
 *   minting → issued → live → disabling → disabled → destroyed        orphaned → disabling
 */
export type VersionState = 'minting' | 'issued' | 'live' | 'disabling' | 'disabled' | 'destroyed' | 'orphaned';

/** Which version consumers should use: the words of Secrets Manager's labels. */
export type VersionRole = 'pending' | 'current' | 'previous' | 'none';

/** The legal moves of a version's state, as data. There is no arrow to the left. */
export const versionMoves: Readonly<Record<VersionState, readonly VersionState[]>> = {
  minting: ['issued', 'disabling', 'destroyed'],
  issued: ['live', 'disabling'],
  live: ['disabling'],
  disabling: ['disabled'],
  disabled: ['destroyed'],
  destroyed: [],
  orphaned: ['disabling'],
};

/** Throws IllegalMove unless the table has the arrow. Staying is legal: a re-run records the same state again. */
export function moveVersion(from: VersionState, to: VersionState): VersionState {
  if (from !== to && !versionMoves[from].includes(to)) throw new IllegalMove(`a version that is ${from} cannot become ${to}`);
  return to;
}

export interface Version {
  readonly number: number;
  readonly state: VersionState;
  readonly role: VersionRole;
  readonly compromised: boolean;
  /** The provider's id of the credential; null until it was created. */
  readonly credentialId: string | null;
  /** The secret store's version that holds the value (a UUID); null until stored. */
  readonly token: string | null;
  /** Keyed MACs of the value and of its leak forms. */
  readonly fingerprints: readonly string[];
  readonly scopes: readonly string[];
  readonly environment: string;
  readonly createdAt: string;
  readonly liveAt: string | null;
  readonly disabledAt: string | null;
  readonly destroyedAt: string | null;
  /** Consecutive probes with the same verdict, when the first and the last one of them were made, and the last answer. */
  readonly probes: {
    readonly verdict: string;
    readonly count: number;
    readonly at: string;
    readonly since?: string;
    readonly answer?: string;
  } | null;
  /** Since the provider was first told to refuse it. */
  readonly ending?: Ending;
  /** When the vendor itself ends it (ISO instant): until then it is accepted, whatever Rekey does. */
  readonly endsAt?: string;
  /** Seen accepted, or listed as enabled, after it had been proven dead (ISO instant); null again when it was proven dead once more. */
  readonly aliveAt?: string | null;
}

/** What was tried on a version since the provider was first told to refuse it. */
export interface Ending {
  readonly since: string;
  /** Probes by their answer. */
  readonly denied: number;
  readonly alive: number;
  readonly inconclusive: number;
  /** How often an acceptance followed a refusal: answers that flicker. */
  readonly relapses: number;
}

/** The record of a version that the provider has just been told to refuse, once more or for the first time. */
export function endingSince(version: Version, now: string): Ending {
  return version.ending ?? { since: now, denied: 0, alive: 0, inconclusive: 0, relapses: 0 };
}

/** True when the provider must not accept the version any more, or was told so. */
export function isEnding(state: VersionState): boolean {
  return state === 'disabling' || state === 'disabled' || state === 'destroyed';
}

/** True when the version was proven dead by probes. */
export function isDead(state: VersionState): boolean {
  return state === 'disabled' || state === 'destroyed';
}
