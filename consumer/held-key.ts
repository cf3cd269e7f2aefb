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

/** Holds one key for this process: nothing is read before it is used or refreshed. */
export function heldKey(keyId: string, read: () => Promise<string>): HeldKey {
  let current: string | undefined;
  let previous: { readonly value: string; until: number } | undefined;
  /** A value that was revoked: never used again, also when the destination still holds it. */
  let stopped: string | undefined;
  const underWay = new Map<string, number>();
  const waiting = new Set<() => void>();

  async function refresh(): Promise<void> {
    const value = await read();
    if (value === current) return;
    if (current !== undefined && current !== stopped) previous = { value: current, until: Number.POSITIVE_INFINITY };
    current = value;
    if (previous?.value === value) previous = undefined;
  }

  async function usable(): Promise<string> {
    if (current === undefined || current === stopped) await refresh();
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

    refresh,

    keepPreviousUntil(until) {
      if (previous) previous.until = until;
    },

    forgetPrevious() {
      previous = undefined;
    },

    async stopUsing(currentIsClean) {
      previous = undefined;
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
