import type { Clock } from '@sinonjs/fake-timers';

/** How virtual time passes: one timer after the other, and all that each of them sets off before the next. */
export function passing(clock: Clock) {
  // Everything here is promises: one turn of the event loop drains them all.
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    async until(done: () => Promise<boolean> | boolean, limitSeconds = 7200): Promise<void> {
      const limit = Date.now() + limitSeconds * 1000;
      for (;;) {
        await settle();
        if (await done()) return;
        if (Date.now() > limit) throw new Error(`not so after ${limitSeconds} virtual seconds`);
        if (clock.countTimers() === 0) throw new Error('stuck: nothing is left to happen');
        clock.next();
      }
    },
    async pass(seconds: number): Promise<void> {
      const end = Date.now() + seconds * 1000;
      let reached = false;
      const reach = () => {
        reached = true;
      };
      setTimeout(reach, seconds * 1000);
      for (; !reached && Date.now() <= end; clock.next()) await settle();
      await settle();
    },
  };
}
