import { type AuditEntry, entryHash, genesisHash } from '../audit.ts';
import type { SealedHead } from './seal.ts';
import type { Tampering } from './verify-seals.ts';

/** A chain as it is found now: its entries in the order of the inventory, and its end as the record says. */
export interface FoundChain {
  readonly chain: string;
  readonly entries: readonly AuditEntry[];
  readonly head: { readonly seq: number; readonly hash: string } | null;
}

/** After so many, one chain is not what it was, and a longer list says no more. */
const mostProblems = 20;

/**
 * Everything that shows that a chain is not as it was written: each entry against itself, against the one before and against what was sealed of
 * it, and the end against the record. An edit that computes all hashes anew is found by the seals alone, between the last one that holds and the
 * first that does not; what came after the last seal can only be compared with itself, and is said to be unsealed by `unsealedSince`.
 */
export function verifyChain({ chain, entries, head }: FoundChain, sealed: readonly SealedHead[]): Tampering[] {
  const problems: Tampering[] = [];
  const say = (seq: number, kind: Tampering['kind'], message: string) => problems.push({ chain, seq, kind, message });
  const seen = new Set<number>();
  let expected = 1;
  let hash = genesisHash;
  for (const entry of entries) {
    const { seq } = entry;
    const intact = entry.hash === entryHash(entry);
    if (seen.has(seq) || !Number.isInteger(seq) || seq < 1) say(seq, 'inserted', `entry ${seq} is there a second time`);
    else if (seq > expected && follows(entries, expected))
      say(expected, 'reordered', `entry ${seq} stands where entry ${expected} belongs`);
    else if (seq > expected) say(expected, 'deleted', `${range(expected, seq - 1)} missing`);
    else if (seq === expected && !intact) say(seq, 'edited', `entry ${seq} was changed after it was written`);
    else if (seq === expected && entry.prevHash !== hash) {
      const before = entries.find((one) => one.hash === entry.prevHash);
      if (before || seq === 1) say(seq, 'inserted', `entry ${seq} does not follow from the one before it`);
      else say(seq - 1, 'rewritten', `entry ${seq} follows from another entry ${seq - 1} than the one that is there`);
    }
    seen.add(seq);
    expected = Math.max(expected, seq + 1);
    hash = entry.hash;
    if (problems.length >= mostProblems) return problems;
  }
  const last = entries.at(-1);
  if (head && head.seq >= expected) say(expected, 'truncated', `${range(expected, head.seq)} cut off: the record ends at ${head.seq}`);
  else if (head && last && head.hash !== last.hash)
    say(last.seq, 'rewritten', `the record ends at another entry ${head.seq} than this one`);
  problems.push(...againstSeals(chain, entries, sealed));
  return problems;
}

/** What the seals say: the first that does not hold, with the last before it that does. */
function againstSeals(chain: string, entries: readonly AuditEntry[], sealed: readonly SealedHead[]): Tampering[] {
  const bySeq = new Map(entries.map((entry) => [entry.seq, entry.hash]));
  let held = 0;
  for (const { seq, hash } of [...sealed].sort((a, b) => a.seq - b.seq)) {
    const found = bySeq.get(seq);
    if (found === hash) {
      held = seq;
      continue;
    }
    if (found === undefined) {
      const from = (entries.at(-1)?.seq ?? 0) + 1;
      return [{ chain, seq: Math.min(from, seq), kind: 'truncated', message: `${range(Math.min(from, seq), seq)} gone, and sealed` }];
    }
    const message = `between entry ${held + 1} and entry ${seq} something was written anew: the seal has another hash`;
    return [{ chain, seq: held + 1, kind: 'rewritten', message }];
  }
  return [];
}

/** Whether the entry that is missed here stands further behind. */
const follows = (entries: readonly AuditEntry[], seq: number): boolean => entries.some((entry) => entry.seq === seq);

const range = (from: number, to: number): string => (from === to ? `entry ${from} is` : `entries ${from} to ${to} are`);
