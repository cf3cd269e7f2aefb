/** The longest delay a timer takes, 2³¹ − 1 ms (24.8 days); Node fires a longer one at once. */
const longestMs = 2 ** 31 - 1;

const extended = Symbol.for('rekey.long-timers');

type SetTimeout = typeof globalThis.setTimeout;

/**
 * Afterwards setTimeout keeps delays above 24.8 days: an overlap of a month must not end at once. A delay that is over already, of which
 * Node would warn, is none. It wraps whatever timer
 * functions are in place, so virtual time that was installed before keeps working. Calling it again changes nothing.
 */
export function allowLongTimers(): void {
  const plain = globalThis.setTimeout as SetTimeout & { [extended]?: true };
  if (plain[extended]) return;
  const long = ((callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    if (!(ms > longestMs)) return plain(callback, Math.max(0, ms), ...args);
    // The same handle is refreshed, so that clearTimeout ends the chain at any moment.
    const parts = Math.ceil(ms / longestMs);
    let left = parts;
    const timer = plain(() => (--left > 0 ? timer.refresh() : callback(...args)), Math.ceil(ms / parts));
    return timer;
  }) as typeof plain;
  globalThis.setTimeout = Object.assign(long, plain, { [extended]: true as const });
}
