import type { Cloud } from './cloud.ts';
import { type Journey, type NotRun, type Outcome, runJourney } from './journey.ts';

/**
 * Runs the journeys at the same time, for they mostly wait, but for those that say after which others they begin. Those that end the stack wait for
 * all others before they do.
 */
export async function runAll(
  journeys: readonly Journey[],
  cloud: Cloud,
  missing: readonly NotRun[],
  say: (letter: string, text: string) => void,
): Promise<Outcome[]> {
  const others = Promise.withResolvers<unknown>();
  const ends = new Map(journeys.map(({ letter }) => [letter, Promise.withResolvers<unknown>()]));
  const running = journeys.map(async (journey) => {
    await Promise.all([...(journey.after ?? '')].map((letter) => ends.get(letter)?.promise));
    const outcome = await runJourney(journey, cloud, missing, say, others.promise);
    ends.get(journey.letter)?.resolve(undefined);
    return outcome;
  });
  others.resolve(Promise.all(running.filter((_, index) => !journeys[index]?.destroys)));
  return Promise.all(running);
}
