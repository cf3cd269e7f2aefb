import { isAccepted, isOrphan, type State, type Version } from './state.ts';
import type { Without } from './switches.ts';

interface Invariant {
  readonly id: string;
  readonly says: string;
  readonly holds: (s: State, without: Without) => boolean;
}

const at = (s: State, place: number): Version => s.versions[place] as Version;

/** A version that nobody revoked: nothing excuses that it is refused. */
const isDenied = (version: Version): boolean => !isAccepted(version) && version.mark === 'clean';

/** What must hold in every state. */
export const invariants: readonly Invariant[] = [
  {
    id: 'INV-2',
    says: 'what a revocation acknowledged as dead is never accepted again',
    holds: (s) => !s.versions.some((version) => version.mark === 'acknowledged' && isAccepted(version)),
  },
  {
    id: 'INV-6',
    says: 'what the inventory calls dead is refused by the provider',
    holds: (s) => !s.versions.some((version) => version.record === 'dead' && isAccepted(version)),
  },
  {
    id: 'INV-12',
    says: 'no consumer is refused because of a rotation or a rollback',
    holds: (s) => !s.consumers.some((place) => isDenied(at(s, place))),
  },
  {
    id: 'INV-13',
    says: 'no destination holds a version that is refused because of a rotation or a rollback',
    holds: (s) => !s.destinations.some((place) => isDenied(at(s, place))),
  },
  {
    id: 'INV-14',
    says: 'while no operation is open, every destination holds an accepted version that nobody revoked',
    holds: (s) => s.mode !== 'idle' || s.destinations.every((place) => isAccepted(at(s, place)) && at(s, place).mark === 'clean'),
  },
  {
    id: 'INV-7',
    says: 'when nothing is left to happen, the only enabled credential is the current one',
    holds: (s, without) =>
      !isAtRest(s, without) || s.versions.every(({ credential }, place) => (credential === 'accepted') === (place === s.old)),
  },
];

/** Every operation ended: from each state there must be a way to such a one (INV-18). */
export const isDone = (s: State): boolean => s.mode === 'idle' && s.attempts.length === 0;

/** Done, and neither the provider nor a consumer nor the reconciler has anything left to do. */
function isAtRest(s: State, without: Without): boolean {
  const settled = s.versions.every(({ credential }) => credential !== 'warming' && credential !== 'cooling');
  const refreshed = s.consumers.every((place, i) => place === s.destinations[i]);
  return isDone(s) && settled && refreshed && (without.has('reconciler') || !s.versions.some(isOrphan));
}
