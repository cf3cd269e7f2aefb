import { createHash } from 'node:crypto';
import { canonical } from './canonical.ts';

/** One event of a key's history. `detail` holds ids, numbers and reasons only. */
export interface AuditLine {
  readonly at: string;
  readonly actor: string;
  readonly event: string;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

/** A line in its place in the key's hash chain: `hash` covers the line and `prevHash`. */
export interface AuditEntry extends AuditLine {
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
}

export const genesisHash = '0'.repeat(64);

/** Puts lines behind the head of a chain, in order. */
export function chain(head: { readonly seq: number; readonly hash: string }, lines: readonly AuditLine[]): AuditEntry[] {
  const entries: AuditEntry[] = [];
  let { seq, hash } = head;
  for (const line of lines) {
    const prevHash = hash;
    seq += 1;
    hash = hashOf(seq, prevHash, line);
    entries.push({ seq, at: line.at, actor: line.actor, event: line.event, detail: line.detail, prevHash, hash });
  }
  return entries;
}

/** The sequence number of the first entry that does not follow from the one before, or null when the whole chain holds and ends at `head`. */
export function firstBreak(entries: readonly AuditEntry[], head: { readonly seq: number; readonly hash: string }): number | null {
  let hash = genesisHash;
  let seq = 0;
  for (const entry of entries) {
    seq += 1;
    if (entry.seq !== seq || entry.prevHash !== hash || entry.hash !== hashOf(seq, hash, entry)) return seq;
    hash = entry.hash;
  }
  return seq === head.seq && hash === head.hash ? null : seq + 1;
}

/** The hash that an entry must have, from what it says and the hash before it. */
export function entryHash(entry: AuditEntry): string {
  return hashOf(entry.seq, entry.prevHash, entry);
}

function hashOf(seq: number, prevHash: string, line: AuditLine): string {
  const text = canonical({ seq, prevHash, at: line.at, actor: line.actor, event: line.event, detail: line.detail });
  return createHash('sha256').update(text).digest('hex');
}
