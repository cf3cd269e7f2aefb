import type { Cloud } from './cloud.ts';
import { type Journey, type NotRun, type Outcome, runJourney } from './journey.ts';

/** Runs all journeys at the same time, for they mostly wait; then those that come last, one by one. */
export async function runAll(
  journeys: readonly Journey[],
  cloud: Cloud,
  missing: readonly NotRun[],
  say: (letter: string, text: string) => void,
): Promise<Outcome[]> {
  const run = (journey: Journey) => runJourney(journey, cloud, missing, say);
  const outcomes = await Promise.all(journeys.filter(({ when }) => when !== 'last').map(run));
  for (const journey of journeys.filter(({ when }) => when === 'last')) outcomes.push(await run(journey));
  return outcomes;
}
