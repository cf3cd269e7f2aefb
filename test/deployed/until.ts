import { setTimeout as pause } from 'node:timers/promises';

/** What a condition answers as long as it does not hold. */
export type NotYet = undefined | null | false;

/**
 * What `condition` answers once it holds, asked once a second. Throws an Error that names what was waited for, how long, and the last
 * failure of the condition itself.
 */
export async function until<T>(what: string, condition: () => Promise<T | NotYet>, limitSeconds: number, everySeconds = 1): Promise<T> {
  const started = Date.now();
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
