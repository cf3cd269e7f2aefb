import type { Watched } from './watch.ts';

/** Exit codes beyond those of refusals: what became of the work that was watched. */
export const exits = { ok: 0, unexpected: 1, usage: 2, unproven: 6, timedOut: 7, needsPerson: 8, interrupted: 130 } as const;

/** The exit code of having watched: the work ended or waits for a person as it should, goes on unwatched, or was left. */
export function exitOf(end: Watched['end']): number {
  if (end === 'timed out') return exits.timedOut;
  return end === 'interrupted' ? exits.interrupted : exits.ok;
}
