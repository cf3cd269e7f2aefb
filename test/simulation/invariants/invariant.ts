import type { Item } from '../../../core/inventory.ts';
import type { Landed, Oracle } from '../oracle.ts';

/** What an invariant is judged with, besides the records. */
export interface Evidence {
  readonly oracle: Oracle;
  readonly now: number;
  /** The labels of a key's secret, as the store has them at the end. */
  readonly labels: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Every item of the inventory at the end. */
  readonly items: readonly Item[];
}

/** One sentence that holds in every history, and the small functions that look whether it does. Each returns what breaks it. */
export interface Invariant {
  readonly id: string;
  readonly sentence: string;
  /** Judges one transaction of the inventory, in the instant in which it takes effect. */
  readonly onWrite?: (landed: Landed, oracle: Oracle) => readonly string[];
  /** Judges the world after every effect and every few seconds. */
  readonly onLook?: (oracle: Oracle, now: number) => readonly string[];
  /** Judges a whole history, once everything has converged. */
  readonly atEnd?: (evidence: Evidence) => readonly string[];
  /** Where the rest of it is shown, when a simulation cannot see all of it. */
  readonly elsewhere?: string;
}
