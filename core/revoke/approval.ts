import type { LeakSource } from '../leak-sources.ts';

/** A planned revocation, as it was asked for. */
export interface Approval {
  readonly requestId: string;
  readonly scope: 'all' | readonly number[];
  readonly reason: string;
  readonly source: LeakSource;
  readonly by: string;
  readonly at: string;
  /** After this instant it can no longer be approved. */
  readonly until: string;
}
