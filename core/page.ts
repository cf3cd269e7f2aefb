import type { Escalation } from './policy.ts';

/** Who is told, from the nearest to the last. */
export type Level = Escalation['who'];

/** One thing that waits for somebody. References and words only, never a value. */
export interface PageLine {
  /** The escalation that it is about. */
  readonly escalation: string;
  readonly keyId: string | null;
  readonly text: string;
  /** The heading of docs/runbook.md that says what to do. */
  readonly reason: string;
  readonly since: string;
}

/**
 * A page: what one person or team is told, at once about everything that waits for them. `resolve` takes back what was told under the
 * same thread.
 */
export interface Page {
  readonly id: string;
  readonly time: string;
  readonly action: 'trigger' | 'resolve';
  readonly severity: 'warning' | 'critical';
  readonly level: Level;
  /** The owner or team by the name in the key file; the policy's name for whoever is on call. */
  readonly to: string;
  /** One for each incident: what channels use to keep its messages together and to resolve it. */
  readonly thread: string;
  readonly title: string;
  readonly lines: readonly PageLine[];
  /** How many more there are than `lines` holds. */
  readonly more: number;
}
