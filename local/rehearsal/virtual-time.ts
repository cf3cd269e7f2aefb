import { type Clock, withGlobal } from '@sinonjs/fake-timers';

/** A clock that jumps from one timer to the next. */
export interface VirtualTime {
  readonly clock: Clock;
  /** Everything that is due until the instant (milliseconds) has happened afterwards. `at` is told the time once a day. */
  runUntil(instant: number, at?: (now: number) => void): Promise<void>;
  /** Real time is back. */
  end(): void;
}

/** Replaces the timers and the date of this process until `end`, so one process holds one at a time. */
export function virtualTime(start: number): VirtualTime {
  const clock = withGlobal(globalThis).install({
    now: start,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
  });
  return {
    clock,
    async runUntil(instant, at) {
      // A day at a time: no timer takes more than 24.8 days.
      while (clock.now < instant) {
        await past(clock, Math.min(instant, clock.now + 86_400_000));
        at?.(clock.now);
      }
    },
    end: () => clock.uninstall(),
  };
}

async function past(clock: Clock, instant: number): Promise<void> {
  let reached = false;
  clock.setTimeout(() => {
    reached = true;
  }, instant - clock.now);
  while (!reached) {
    // What one timer started must come to rest before the next one fires: promises settle, real callbacks get their turn.
    await new Promise((resolve) => setImmediate(resolve));
    clock.next();
  }
  await new Promise((resolve) => setImmediate(resolve));
}
