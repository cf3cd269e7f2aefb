import type { Cloud } from './cloud.ts';
import { type Journey, type NotRun, type Outcome, runJourney } from './journey.ts';

/** Runs all journeys at the same time, for they mostly wait. Those that end the stack wait for the others before they do. */
export async function runAll(
  journeys: readonly Journey[],
  cloud: Cloud,
  missing: readonly NotRun[],
  say: (letter: string, text: string) => void,
): Promise<Outcome[]> {
  const others = Promise.withResolvers<unknown>();
  const running = journeys.map((journey) => runJourney(journey, cloud, missing, say, others.promise));
  others.resolve(Promise.all(running.filter((_, index) => !journeys[index]?.destroys)));
  return Promise.all(running);
}
