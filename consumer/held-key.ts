import { createHash, timingSafeEqual } from 'node:crypto';

/** Throw this from the function given to withKey() when the vendor refused the key (HTTP 401 or 403). Carries no text of the vendor. */
export class KeyRefused extends Error {
  override readonly name = 'KeyRefused';
}

/** The key was revoked and nothing has replaced it yet: nothing may be used. */
export class KeyStopped extends Error {
  override readonly name = 'KeyStopped';
}

/** What this process holds of one key. The values stay in here. */
export interface HeldKey {
  /**
   * Calls `use` with the current value. When it throws KeyRefused: once more with what the destination holds now, then with the
   * previous value while that may still be used; the last refusal is thrown. Throws KeyStopped while the key is revoked.
   */
  use<T>(use: (value: string) => Promise<T>): Promise<T>;
  /** Whether somebody else's value is the current one, or the one before it while that is not retired. */
  accepts(presented: string): Promise<'current' | 'previous' | 'no'>;
  /** Reads the destination. From then on `use` gives the value that was read. */
  refresh(): Promise<void>;
  /** Until when the value before the current one may still be used, in milliseconds since 1970. */
  keepPreviousUntil(until: number): void;
  /** Forgets the previous value: it is retired. */
  forgetPrevious(): void;
  /** Forgets the previous value, and the current one too unless the destination already holds another or `currentIsClean`. */
  stopUsing(currentIsClean: boolean): Promise<void>;
  /** Resolves when no call of `use` under way has another value than the current one. */
  settled(): Promise<void>;
  /** Signs with the current value, without giving it away. */
  sign(sign: (value: string) => string): string;
}

export interface HeldKeyOptions {
  readonly read: () => Promise<string>;
  /** The value before the current one while both are alive, for a process that starts in the middle of an overlap. */
  readonly readPrevious?: (() => Promise<string | undefined>) | undefined;
  /** A value that was read longer ago, in milliseconds, is looked at again before it is used. */
  readonly refreshMs: number;
}

/** How often strangers' values may make an accepting service read its destination, in milliseconds. */
const lookAgainMs = 5000;

/** Holds one key for this process: nothing is read before it is used or refreshed. */
export function heldKey(keyId: string, { read, readPrevious, refreshMs }: HeldKeyOptions): HeldKey {
  let current: string | undefined;
  let previous: { readonly value: string; until: number } | undefined;
  /** A value that was revoked: never used again, also when the destination still holds it. */
  let stopped: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let aging: Promise<void> | undefined;
  let previousWasRead = false;
  const underWay = new Map<string, number>();
  const waiting = new Set<() => void>();

  async function refresh(): Promise<void> {
    const value = await read();
    readAt = Date.now();
    if (value === current) return;
    if (current !== undefined && current !== stopped) previous = { value: current, until: Number.POSITIVE_INFINITY };
    current = value;
    if (previous?.value === value) previous = undefined;
  }

  async function usable(): Promise<string> {
    if (current === undefined || current === stopped) await refresh();
    else if (Date.now() - readAt > refreshMs) {
      // Once for all that wait. A destination that cannot be read for a while stops nobody: what is held may be used on.
      aging ??= refresh()
        .catch(() => undefined)
        .finally(() => {
          aging = undefined;
        });
      await aging;
    }
    if (current === undefined || current === stopped) throw new KeyStopped(`${keyId} is revoked and was not issued again yet`);
    return current;
  }

  async function tracked<T>(value: string, use: (value: string) => Promise<T>): Promise<T> {
    underWay.set(value, (underWay.get(value) ?? 0) + 1);
    try {
      return await use(value);
    } finally {
      const left = (underWay.get(value) ?? 1) - 1;
      if (left) underWay.set(value, left);
      else underWay.delete(value);
      for (const look of waiting) look();
    }
  }

  function match(presented: string): 'current' | 'previous' | 'no' {
    if (current !== undefined && current !== stopped && same(presented, current)) return 'current';
    // It is accepted until it is retired, not only for the least overlap: whoever sends it may be the last to move.
    return previous && same(presented, previous.value) ? 'previous' : 'no';
  }

  /** A process that starts in the middle of an overlap has not seen the value before. */
  async function recallPrevious(): Promise<void> {
    if (previousWasRead || !readPrevious) return;
    previousWasRead = true;
    const value = await readPrevious().catch(() => undefined);
    if (value !== undefined && value !== current && value !== stopped) previous ??= { value, until: Number.POSITIVE_INFINITY };
  }

  return {
    async use(use) {
      const first = await usable();
      const tried = new Set<string>();
      const attempt = (value: string) => {
        tried.add(value);
        return tracked(value, use);
      };
      try {
        return await attempt(first);
      } catch (error) {
        if (!(error instanceof KeyRefused)) throw error;
      }
      await refresh();
      try {
        const second = await usable();
        if (!tried.has(second)) return await attempt(second);
      } catch (error) {
        if (!(error instanceof KeyRefused)) throw error;
      }
      if (previous && previous.until > Date.now() && !tried.has(previous.value)) return await attempt(previous.value);
      throw new KeyRefused(`${keyId} was refused with every value that may be used`);
    },

    async accepts(presented) {
      await usable().catch((error: Error) => {
        if (!(error instanceof KeyStopped)) throw error;
      });
      await recallPrevious();
      const found = match(presented);
      // Whoever sends it may have moved before this process did.
      if (found !== 'no' || Date.now() - readAt < lookAgainMs) return found;
      await refresh().catch(() => undefined);
      return match(presented);
    },

    refresh,

    keepPreviousUntil(until) {
      if (previous) previous.until = until;
    },

    forgetPrevious() {
      previous = undefined;
      previousWasRead = true;
    },

    async stopUsing(currentIsClean) {
      previous = undefined;
      previousWasRead = true;
      const held = current;
      if (!currentIsClean) stopped = held;
      await refresh();
      // What was held until now is not to be fallen back to.
      previous = undefined;
    },

    async settled() {
      const others = () => [...underWay.keys()].some((value) => value !== current);
      while (others()) {
        await new Promise<void>((resolve) => {
          const look = () => {
            if (others()) return;
            waiting.delete(look);
            resolve();
          };
          waiting.add(look);
        });
      }
    },

    sign(sign) {
      if (current === undefined) throw new KeyStopped(`${keyId} was never read`);
      return sign(current);
    },
  };
}

/** Takes the same time whichever character is wrong. */
function same(presented: string, value: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(presented), digest(value));
}
