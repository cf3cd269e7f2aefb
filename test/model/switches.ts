/** A mechanism of the protocol that can be taken out of the model, and what happens then. */
interface Switch {
  readonly removes: string;
  /** The smallest budget that shows it. */
  readonly shownWith?: { readonly rotations: number; readonly revokes: number; readonly faults: number };
  /** Which invariant breaks; absent: none does, and why. */
  readonly breaks?: string;
  readonly harmlessBecause?: string;
}

const rotation = { rotations: 1, revokes: 0, faults: 1 };
const revocation = { rotations: 0, revokes: 1, faults: 1 };
const both = { rotations: 1, revokes: 1, faults: 1 };

/** Every mechanism by name. */
export const switches = {
  fence: { removes: 'the fence that every attempt acquires', shownWith: rotation, breaks: 'INV-13' },
  revokeQuiesce: { removes: 'quiesce and sweep before a reissue', shownWith: both, breaks: 'INV-14' },
  rollbackQuiesce: { removes: 'the quiesce before a rollback', shownWith: rotation, breaks: 'INV-13' },
  operationQuiesce: { removes: 'the quiesce before the next operation', shownWith: both, breaks: 'INV-13' },
  confirmBack: { removes: 'the proof in a rollback that every consumer is back', shownWith: rotation, breaks: 'INV-12' },
  adoption: { removes: 'the proof that every consumer has moved', shownWith: rotation, breaks: 'INV-12' },
  adoptionByConsumers: {
    removes: 'the consumers in that proof: what the destinations hold is enough',
    shownWith: rotation,
    breaks: 'INV-12',
  },
  pointOfNoReturn: { removes: 'the point of no return: a rollback may begin after retire did', shownWith: rotation, breaks: 'INV-13' },
  neverEnable: { removes: 'never enable: a rollback enables the old version again', shownWith: both, breaks: 'INV-2' },
  probeBeforeAcknowledge: { removes: 'the probes before a version counts as dead', shownWith: revocation, breaks: 'INV-2' },
  recordAfterEffect: { removes: 'record after effect: the inventory says dead first', shownWith: rotation, breaks: 'INV-6' },
  preflight: { removes: 'the preflight probe before a new version is delivered', shownWith: rotation, breaks: 'INV-13' },
  reconciler: { removes: 'the reconciler', shownWith: rotation, breaks: 'INV-7' },
  orphanCleanUp: {
    removes: 'the deletion of what a lost create left behind',
    shownWith: both,
    breaks: 'INV-18',
  },
  slotFreeing: { removes: 'the deletion of a dead version when no slot is left', shownWith: both, breaks: 'INV-18' },
  disableBeforeReissue: { removes: 'the order: disabling before reissuing', shownWith: both, breaks: 'INV-18' },
  pinnedVersions: { removes: 'the pins: a step that runs again derives the old version anew', shownWith: rotation, breaks: 'INV-12' },
  inflightBound: { removes: 'the bound on late workers: every quiesce ends too early', shownWith: rotation, breaks: 'INV-13' },
  secondRevocation: {
    removes: 'the return to Disable when a second revocation joins an open one',
    shownWith: { rotations: 0, revokes: 2, faults: 0 },
    breaks: 'INV-14',
  },
  createOnce: {
    removes: 'the rule that a create is never repeated by a client library',
    harmlessBecause:
      'one live key and the limit of two leave room for one create; the repeated one is refused, and the first is an orphan as before. A provider without a limit would get a second orphan for the reconciler.',
  },
  rollbackFence: {
    removes: 'the fence of its own that a rollback raises',
    harmlessBecause:
      'the quiesce before a rollback outlives every older attempt, and a record also needs its own step to be the open one. Where records check the fence alone, this fence carries weight.',
  },
  compareAndSwap: {
    removes: 'compare and swap on the label',
    harmlessBecause: 'while the bound on late workers holds, no late move of the label is left after a quiesce.',
  },
} as const satisfies Record<string, Switch>;

export type SwitchName = keyof typeof switches;

/** Which mechanisms are missing. */
export type Without = ReadonlySet<SwitchName>;

/** One switch, by its name. */
export const switchNamed = (name: SwitchName): Switch => switches[name];
