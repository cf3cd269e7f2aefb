import type { AuditEntry } from '../audit.ts';

/** From one instant up to another (ISO, UTC), the second one not included. */
export interface Period {
  readonly from: string;
  readonly to: string;
}

/** A chain of the log: the entries of one key, or of a journal. */
export interface LogChain {
  readonly chain: string;
  readonly entries: readonly AuditEntry[];
}

/** Whether an instant lies in the period. */
export const isIn = ({ from, to }: Period, at: string | null): boolean => at !== null && at >= from && at < to;

/** The key that a chain is of; null for a journal. */
export const keyOfChain = (chain: string): string | null => (chain.startsWith('KEY#') ? chain.slice(4) : null);

/** A field of an entry's detail as text; empty where the log does not have it. */
export const said = ({ detail }: AuditEntry, name: string): string => String(detail[name] ?? '');
