import { type Problem, Refused } from './errors.ts';

/** The durations of one environment, in seconds (protocol.md §5). Defaults are production's; local mode and tests use small ones. */
export interface Settings {
  /** Which deployment this is: part of names and notices. */
  readonly stage: string;
  /** T_call: the most one call of a port takes. */
  readonly callSeconds: number;
  /** T_fn: a step's function is ended after this. */
  readonly functionSeconds: number;
  /** What a step leaves unused of T_fn. */
  readonly marginSeconds: number;
  /** T_prov: how long a provider may still act on a call we gave up on. */
  readonly settleSeconds: number;
  /** T_skew: how far two clocks may differ. */
  readonly skewSeconds: number;
  /** T_orphan: how long a credential without a record may stay enabled. */
  readonly orphanSeconds: number;
  /** T_stuck: an operation without a new attempt for this long is started again. */
  readonly stuckSeconds: number;
  readonly reconcileSeconds: number;
  /** The longest that the reconciler leaves an idle key alone, where its tier does not ask for more. */
  readonly idleCheckSeconds: number;
  /** How often each tier's schedule fires. */
  readonly sweepSeconds: { readonly high: number; readonly medium: number; readonly low: number };
  /** How often the ends of the audit chains are sealed. */
  readonly sealSeconds: number;
  /** Whoever was told something is not told more for this long, unless it is the first emergency. */
  readonly digestSeconds: number;
  /** What still waits for people so long after they were told, or took it, is told again. */
  readonly remindSeconds: number;
  /** Mints a rotation may abandon before it rolls back. */
  readonly maxMints: number;
  /** Executions of one operation that may end without finishing it before a person is called. */
  readonly maxRestarts: number;
  /** Most destinations one attempt of Distribute writes; the next attempt goes on. */
  readonly destinationsPerAttempt: number;
}

export const productionSettings: Settings = {
  stage: 'prod',
  callSeconds: 10,
  functionSeconds: 60,
  marginSeconds: 5,
  settleSeconds: 60,
  skewSeconds: 5,
  orphanSeconds: 900,
  stuckSeconds: 300,
  reconcileSeconds: 60,
  idleCheckSeconds: 86_400,
  sweepSeconds: { high: 300, medium: 3600, low: 21_600 },
  sealSeconds: 300,
  digestSeconds: 300,
  remindSeconds: 86_400,
  maxMints: 3,
  maxRestarts: 5,
  destinationsPerAttempt: 1,
};

/** A revocation must be contained this long after its request, in seconds; later, a person is woken. Our own promise, beside the vendors' minutes. */
export const containTargetSeconds = 900;

/** T_inflight: after this long, no attempt that acquired the key before can still have an effect. */
export function inflightSeconds(settings: Settings): number {
  return settings.functionSeconds + settings.settleSeconds + settings.skewSeconds;
}

/**
 * The most calls beside the inventory's that an attempt makes one after the other before it records that its step is done: Distribute reads the
 * value, writes each destination and reads it back, looks at the labels and moves one. Steps that go through versions, and rolling back,
 * record each one by itself: when their function is ended, the next attempt goes on. The inventory is beside this: it answers in milliseconds, or the
 * attempt ends by its name (test/core/calls.test.ts counts).
 */
export function callsPerAttempt({ destinationsPerAttempt }: Pick<Settings, 'destinationsPerAttempt'>): number {
  return 3 + 2 * destinationsPerAttempt;
}

/** Throws Refused E_INPUT_INVALID that names every inequality of protocol.md §5 which does not hold. */
export function checkSettings(settings: Settings): Settings {
  const problems: Problem[] = [];
  const must = (path: string, holds: boolean, message: string) => {
    if (!holds) problems.push({ path, message });
  };
  for (const [path, number] of numbersOf(settings)) must(path, Number.isFinite(number) && number > 0, 'must be a positive number');
  for (const path of ['destinationsPerAttempt', 'maxMints', 'maxRestarts'] as const)
    must(path, !(settings[path] % 1), 'must be a whole number');
  const calls = callsPerAttempt(settings);
  must(
    'functionSeconds',
    calls * settings.callSeconds < settings.functionSeconds - settings.marginSeconds,
    `must be more than ${calls} × callSeconds + marginSeconds (3 calls, and 2 for each of destinationsPerAttempt)`,
  );
  must('orphanSeconds', settings.orphanSeconds >= 3 * settings.reconcileSeconds, 'must be at least 3 × reconcileSeconds');
  must('stuckSeconds', settings.stuckSeconds > settings.functionSeconds, 'must be more than functionSeconds');
  if (problems.length) throw new Refused('E_INPUT_INVALID', 'the settings contradict each other', problems);
  return settings;
}

/** Every number with its path, those of each tier too. */
function numbersOf(settings: object): [path: string, number: number][] {
  return Object.entries(settings).flatMap(([name, value]): [string, number][] => {
    if (typeof value === 'number') return [[name, value]];
    return typeof value === 'object' && value !== null ? numbersOf(value).map(([inner, number]) => [`${name}.${inner}`, number]) : [];
  });
}
