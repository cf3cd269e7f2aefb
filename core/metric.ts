import type { Key, Tier } from './key.ts';

/**
 * Everything that is measured, with its unit: the one list. A name that is not here does not compile. A metric that counts what stands
 * open is measured again by every look, and its largest value in a while is what matters; the others are measured once, when they happen.
 */
export const metrics = {
  rotationsSucceeded: 'Count',
  rotationsRolledBack: 'Count',
  /** From its start to the death of the old version; of those that succeeded. */
  rotationSeconds: 'Seconds',
  /** Of one sweep of a tier: keys that were due, those whose rotation it started, and those past the tier's tolerance that it could not start. */
  keysDue: 'Count',
  keysStarted: 'Count',
  keysOverdue: 'Count',
  /** An operation was started again at a step at which it had been started again before. */
  operationsStuck: 'Count',
  /** Consumers of one key that have not proved that they moved, though its overlap is at its cap. */
  consumersSilent: 'Count',
  revocationsStarted: 'Count',
  revocationsContained: 'Count',
  /** From the request until the provider was told to refuse every version in scope, and until each was seen refused. */
  revocationDisableSeconds: 'Seconds',
  revocationDeadSeconds: 'Seconds',
  /** The age of a request whose key is not contained yet. */
  revocationOpenSeconds: 'Seconds',
  /** Drills by outcome, and how long the provider took to disable, and everything together until service was restored. */
  drillsPassed: 'Count',
  drillsFailed: 'Count',
  drillDisableSeconds: 'Seconds',
  drillRestoreSeconds: 'Seconds',
  /** Reports from outside, those about nothing that is known, and those that wait because their sender sent too many. */
  reportsReceived: 'Count',
  reportsUnknown: 'Count',
  reportsQueued: 'Count',
  /** Messages to the reports' door whose signature does not hold. */
  reportsRefused: 'Count',
  /** Notices of one key that were committed long ago and could not be sent at this look either. */
  noticesWaiting: 'Count',
  /** Matters that wait for people, and pages that could not be sent at this look. */
  escalationsOpen: 'Count',
  pagesWaiting: 'Count',
  /** A person was called to a key. */
  attentionsOpened: 'Count',
  /** A destination held something else than the current version, and got it again. */
  destinationsRestored: 'Count',
  /** One run of the reconciler that came to its end, and the keys whose look failed in it. */
  reconcileRuns: 'Count',
  keysNotReconciled: 'Count',
} as const satisfies Record<string, 'Count' | 'Seconds'>;

/** Every metric is in this namespace of CloudWatch: by stage; by stage and tier; by stage, tier and provider. */
export const metricNamespace = 'Rekey';

export type Metric = keyof typeof metrics;

/** What one line measures: one or more metrics of the same thing. */
export type Measures = Readonly<Partial<Record<Metric, number>>>;

/** What a measure is about. Never a key: there are too many, and a metric outlives it. */
export interface MeasuredOf {
  readonly tier?: Tier;
  readonly provider?: string;
}

/** The tier and the provider of a key. */
export function measuredOf(key: Key): MeasuredOf {
  return { tier: key.tier, provider: key.facts.provider };
}
