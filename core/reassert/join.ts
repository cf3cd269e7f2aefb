import { isDead, isEnding, type Version, type VersionState } from '../version.ts';

/** What somebody knows of a version from outside this table: how far it had come, and whether it leaked. */
export interface KnownVersion {
  readonly number: number;
  /** The furthest it is known to have come; left out where only the leak is known. */
  readonly state?: 'disabling' | 'disabled' | 'destroyed';
  readonly compromised?: boolean;
}

/** From left to right, as in the table of version.ts. */
const order: readonly VersionState[] = ['orphaned', 'minting', 'issued', 'live', 'disabling', 'disabled', 'destroyed'];

/** The later of two states: a version never moves left, so whoever knows the later one knows more. */
export function laterState(a: VersionState, b: VersionState): VersionState {
  return order.indexOf(b) > order.indexOf(a) ? b : a;
}

/** Two records of one version as one: the later state with its facts, the leak if either knows of it, and nothing forgotten. Order and repetition do not matter for state and leak. */
export function joinVersions(mine: Version, theirs: Version): Version {
  const later = laterState(mine.state, theirs.state) === theirs.state ? theirs : mine;
  const earlier = later === mine ? theirs : mine;
  return {
    ...later,
    compromised: mine.compromised || theirs.compromised,
    credentialId: later.credentialId ?? earlier.credentialId,
    token: later.token ?? earlier.token,
    fingerprints: [...new Set([...later.fingerprints, ...earlier.fingerprints])],
    liveAt: later.liveAt ?? earlier.liveAt,
    disabledAt: later.disabledAt ?? earlier.disabledAt,
  };
}

/** Each version with what is known of it besides; versions that nobody has a record of are left out. */
export function joinKnown(versions: readonly Version[], known: readonly KnownVersion[], now: string): Version[] {
  return versions.map((version) => {
    const facts = known.filter(({ number }) => number === version.number);
    const state = facts.reduce((far, one) => laterState(far, one.state ?? far), version.state);
    return {
      ...version,
      state,
      compromised: version.compromised || facts.some(({ compromised }) => compromised === true),
      role: isEnding(state) && version.role === 'current' && state !== version.state ? 'none' : version.role,
      disabledAt: isDead(state) ? (version.disabledAt ?? now) : version.disabledAt,
      destroyedAt: state === 'destroyed' ? (version.destroyedAt ?? now) : version.destroyedAt,
    };
  });
}
