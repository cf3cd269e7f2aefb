import { setTimeout as pause } from 'node:timers/promises';

/** What a condition answers as long as it does not hold. */
export type NotYet = undefined | null | false;

/** What a machine may need that has everything else to do at the same time. A limit tells that nothing happens, never how fast it does. */
const patienceSeconds = 180;

/**
 * What `condition` answers once it holds, asked once a second. `takesSeconds` is what the thing takes by itself, by its settings and schedules,
 * on however fast a machine. Throws an Error that names what was waited for, how long, and the last failure of the condition itself.
 */
export async function until<T>(what: string, condition: () => Promise<T | NotYet>, takesSeconds: number, everySeconds = 1): Promise<T> {
  const started = Date.now();
  const limitSeconds = takesSeconds + patienceSeconds;
  let failure = '';
  for (;;) {
    try {
      const answer = await condition();
      if (answer !== undefined && answer !== null && answer !== false) return answer;
      failure = '';
    } catch (error) {
      failure = `; the last look failed: ${(error as Error).message}`;
    }
    if (Date.now() - started > limitSeconds * 1000) throw new Error(`not within ${limitSeconds} s: ${what}${failure}`);
    await pause(everySeconds * 1000);
  }
}

/** How long it is until an instant; 0 when it has passed, or there is none. */
export function secondsTo(at: string | null): number {
  return at === null ? 0 : Math.max(0, (Date.parse(at) - Date.now()) / 1000);
}
