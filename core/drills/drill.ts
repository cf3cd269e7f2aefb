/** An exercise under way: a canary's rotation and then its revocation, with one fault on the way. Kept on the canary. */
export interface Drill {
  readonly id: string;
  /** The how manieth of this canary, from 1. */
  readonly number: number;
  readonly by: string;
  readonly startedAt: string;
  /** A name of core/drills/faults.ts, and when it was met (ISO instant). */
  readonly fault: string;
  readonly metAt: string | null;
  readonly stage: 'rotating' | 'revoking';
  /** The revocation, once it began. */
  readonly operationId: string | null;
}

/** What a drill showed. Seconds are those of the revocation's stopwatch; null is what did not come. */
export interface DrillResult {
  readonly id: string;
  readonly number: number;
  readonly keyId: string;
  readonly provider: string;
  readonly by: string;
  readonly fault: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly passed: boolean;
  /** Why it did not pass, as sentences. */
  readonly failures: readonly string[];
  /** From its start until the new version had replaced the old one. */
  readonly rotateSeconds: number | null;
  readonly disableSeconds: number | null;
  readonly deadSeconds: number | null;
  /** Until the canary's own consumer worked with the version that was issued again. */
  readonly restoreSeconds: number | null;
}
