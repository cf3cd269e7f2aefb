import fc from 'fast-check';
import { type History, runHistory } from './history.ts';
import { type Plan, planOf, plans } from './plan.ts';

/** What histories came to, together. */
export interface Tally {
  histories: number;
  steps: number;
  requests: number;
  checks: number;
  virtualSeconds: number;
  /** How often each fault struck, by name. */
  readonly faults: Record<string, number>;
  /** Seeds that broke something, with the invariants. */
  readonly broken: { readonly seed: number; readonly invariants: readonly string[] }[];
}

export const emptyTally = (): Tally => ({ histories: 0, steps: 0, requests: 0, checks: 0, virtualSeconds: 0, faults: {}, broken: [] });

/** Runs the history of one seed and counts it in. */
export async function runSeed(seed: number, tally: Tally): Promise<History> {
  const history = await runHistory(planOf(seed));
  tally.histories += 1;
  tally.steps += history.steps;
  tally.requests += history.oracle.requests.length;
  tally.checks += history.checks;
  tally.virtualSeconds += history.virtualSeconds;
  for (const [name, count] of history.struck) tally.faults[name] = (tally.faults[name] ?? 0) + count;
  if (history.breaches.length) tally.broken.push({ seed, invariants: history.breaches.map(({ invariant }) => invariant) });
  return history;
}

/** Adds what another process counted. */
export function add(tally: Tally, more: Tally): void {
  tally.histories += more.histories;
  tally.steps += more.steps;
  tally.requests += more.requests;
  tally.checks += more.checks;
  tally.virtualSeconds += more.virtualSeconds;
  for (const [name, count] of Object.entries(more.faults)) tally.faults[name] = (tally.faults[name] ?? 0) + count;
  tally.broken.push(...more.broken);
}

/** The smallest plan, made smaller step by step from a seed's, whose history still breaks one of the same invariants. */
export async function shrink(seed: number): Promise<History> {
  const first = await runHistory(planOf(seed));
  const wanted = new Set(first.breaches.map(({ invariant }) => invariant));
  let smallest = first;
  const holds = fc.asyncProperty(fc.noBias(plans), async (plan: Plan) => {
    const history = await runHistory(plan);
    const same = history.breaches.some(({ invariant }) => wanted.has(invariant));
    if (same) smallest = history;
    return !same;
  });
  await fc.check(holds, { seed, numRuns: 1, interruptAfterTimeLimit: 60_000 });
  return smallest;
}
