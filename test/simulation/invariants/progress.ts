import type { Invariant } from './invariant.ts';

/** INV-18: judged by the history itself, which waits until everything has converged; a key that does not is named. */
const everythingEnds: Invariant = {
  id: 'INV-18',
  sentence: 'every operation ends once the faults are over',
  atEnd: ({ oracle }) =>
    [...oracle.keys.values()].flatMap(({ facts, meta }) => {
      const open = meta?.rotation?.id ?? meta?.revocation?.id;
      const idle = meta?.state === 'active' || meta?.state === 'registered';
      if (!open && idle) return [];
      const at = meta?.rotation?.step ?? meta?.revocation?.step ?? 'no step';
      return [`${facts.id} is ${meta?.state} at ${at} (${open ?? 'no operation'}), attention: ${meta?.attention?.reason ?? 'none'}`];
    }),
};

/** How late a due key may start, in seconds: the tolerance of the policy that histories run under. */
export const toleranceSeconds = 120;

/** INV-27 */
const startedInTime: Invariant = {
  id: 'INV-27',
  sentence: 'a due key is started within its tier’s tolerance, whatever its schedule does',
  onLook: (oracle, now) =>
    [...oracle.keys.values()].flatMap((record) => {
      const { meta, facts } = record;
      const startable = meta?.state === 'active' && meta.nextDueAt && Date.parse(meta.nextDueAt) <= now && !meta.hold && !meta.repairingAt;
      if (!startable) record.startableSince = null;
      else record.startableSince ??= now;
      const late = record.startableSince !== null && now - record.startableSince > toleranceSeconds * 1000;
      return late ? [`${facts.id} was due at ${meta?.nextDueAt} and was not started`] : [];
    }),
};

/** That things come about, and in time. */
export const progress: readonly Invariant[] = [everythingEnds, startedInTime];
