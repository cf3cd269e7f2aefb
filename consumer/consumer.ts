import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type HeldKey, heldKey } from './held-key.ts';
import type { KeyNotice, NoticeFeed, Place, Receipt, Receipts } from './notice.ts';

export { KeyRefused, KeyStopped } from './held-key.ts';

export interface ConsumerOptions {
  /** The name under which the key's owner registered this service. */
  readonly name: string;
  readonly feed: NoticeFeed;
  readonly receipts: Receipts;
  /** Reads the value where this service may read it. `places` are the key's destinations, once a notice named them. */
  readonly read: (keyId: string, places: readonly Place[]) => Promise<string>;
  /** How long to wait between hearing of a new version and reading it, in milliseconds: spreads the load of many instances. At once by default. */
  readonly delayMs?: () => number;
  /** What happened, for the service's own log: ids, numbers and words, never a value. */
  readonly onEvent?: (event: ConsumerEvent) => void;
}

export interface ConsumerEvent {
  readonly what: 'heard' | 'moved' | 'not moved' | 'stopped' | 'dropped' | 'feed failed';
  readonly keyId?: string;
  readonly version?: number;
  readonly detail?: string;
}

export interface RekeyConsumer {
  /**
   * Calls `use` with the key's current value and returns its result. Throw KeyRefused in it when the vendor refuses the key: it is
   * called again after a refresh, and then with the previous value while that is valid. Throws KeyStopped after a revocation.
   */
  withKey<T>(keyId: string, use: (value: string) => Promise<T>): Promise<T>;
  /** Hears notices until stop(). */
  start(): void;
  /** Afterwards nothing is heard, read or sent any more. */
  stop(): Promise<void>;
}

/** How often a move is tried, and the first and longest pause between two tries in milliseconds: a cache in front of the destination may lag. */
const tries = 8;
const pauseMs = { first: 250, longest: 10_000 };

/** How many event ids are remembered to drop repetitions. */
const remembered = 1000;

/**
 * What a service uses of Rekey: it hears notices, refreshes, gives its code the right value, and proves that it moved.
 * `moved` is sent only when no use of an older value is under way. Nothing but Node is needed.
 */
export function rekeyConsumer(options: ConsumerOptions): RekeyConsumer {
  const keys = new Map<string, HeldKey>();
  const places = new Map<string, readonly Place[]>();
  const newest = new Map<string, { readonly version: number; readonly time: string }>();
  const seen = new Set<string>();
  const moves = new Map<string, AbortController>();
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  let loop: Promise<void> | undefined;

  const held = (keyId: string): HeldKey => {
    const key = keys.get(keyId) ?? heldKey(keyId, () => options.read(keyId, places.get(keyId) ?? []));
    keys.set(keyId, key);
    return key;
  };

  function hear(notice: KeyNotice): void {
    const { keyId, version } = notice;
    if (isRepeated(notice) || isOld(notice)) {
      options.onEvent?.({ what: 'dropped', keyId, ...(version === undefined ? {} : { version }) });
      return;
    }
    if (notice.places) places.set(keyId, notice.places);
    if (notice.action === 'none' && notice.type === 'key.retired') held(keyId).forgetPrevious();
    // What is told to everybody comes beside what is told to this service alone: it is acted on, and answered by those it is for.
    const own = notice.audience === undefined || notice.audience === options.name;
    if (notice.action === 'refresh' && own) begin(notice, (signal) => move(notice, signal));
    if (notice.action === 'refresh' && !own && !moves.has(keyId)) begin(notice, (signal) => refresh(notice, signal).then(() => undefined));
    if (notice.action === 'stop-using') begin(notice, (signal) => stopUsing(notice, signal, own));
  }

  function isRepeated(notice: KeyNotice): boolean {
    if (seen.has(notice.id)) return true;
    seen.add(notice.id);
    if (seen.size > remembered) seen.delete(seen.values().next().value as string);
    return false;
  }

  /** A lower version counts only when it was announced later: a rollback. */
  function isOld({ keyId, version, time }: KeyNotice): boolean {
    if (version === undefined) return false;
    const last = newest.get(keyId);
    if (last && version < last.version && time <= last.time) return true;
    if (!last || time > last.time) newest.set(keyId, { version, time });
    return false;
  }

  /** The latest notice about a key replaces what is still being done about an earlier one. */
  function begin(notice: KeyNotice, act: (signal: AbortSignal) => Promise<void>): void {
    moves.get(notice.keyId)?.abort();
    const controller = new AbortController();
    moves.set(notice.keyId, controller);
    const work = act(AbortSignal.any([controller.signal, stopping.signal])).catch(() => undefined);
    underWay.add(work);
    void work.finally(() => {
      underWay.delete(work);
      if (moves.get(notice.keyId) === controller) moves.delete(notice.keyId);
    });
  }

  async function move(notice: KeyNotice, signal: AbortSignal): Promise<void> {
    const key = held(notice.keyId);
    await send(notice, signal, { outcome: 'heard' });
    await pause(options.delayMs?.() ?? 0, undefined, { signal });
    let why = '';
    for (let attempt = 0; attempt < tries; attempt++) {
      if (attempt) await pause(Math.min(pauseMs.first * 2 ** attempt, pauseMs.longest), undefined, { signal });
      try {
        await key.refresh();
      } catch (error) {
        why = `the destination cannot be read: ${(error as Error).name}`;
        continue;
      }
      if (notice.previousValidUntil) key.keepPreviousUntil(Date.parse(notice.previousValidUntil));
      await key.settled();
      signal.throwIfAborted();
      const answer = await send(notice, signal, { outcome: 'moved', ...proof(key, notice) });
      if (answer === 'accepted') return report(notice, 'moved');
      why = `the receipt was refused: ${answer}`;
      if (answer !== 'E_PROOF_INVALID') break;
    }
    report(notice, 'not moved', why);
    await send(notice, signal, { outcome: 'failed', message: why });
  }

  /** Reads the value again until it can be read. Throws when it never could. */
  async function refresh({ keyId, previousValidUntil }: KeyNotice, signal: AbortSignal): Promise<HeldKey> {
    const key = held(keyId);
    for (let attempt = 0; ; attempt++) {
      if (attempt) await pause(Math.min(pauseMs.first * 2 ** attempt, pauseMs.longest), undefined, { signal });
      try {
        await key.refresh();
        if (previousValidUntil) key.keepPreviousUntil(Date.parse(previousValidUntil));
        return key;
      } catch (error) {
        if (attempt === tries) throw error;
      }
    }
  }

  function proof(key: HeldKey, { operationId, nonce }: KeyNotice): Pick<Receipt, 'nonce' | 'proof'> {
    if (nonce === undefined) return {};
    const text = `${operationId}|${options.name}|${nonce}`;
    return { nonce, proof: key.sign((value) => createHmac('sha256', value).update(text).digest('hex')) };
  }

  async function stopUsing(notice: KeyNotice, signal: AbortSignal, own: boolean): Promise<void> {
    // Stop first; that the destination cannot be read changes nothing about it.
    await held(notice.keyId)
      .stopUsing(notice.version !== undefined)
      .catch(() => undefined);
    report(notice, 'stopped');
    if (own) await send(notice, signal, { outcome: 'heard' });
  }

  /** Sends until it is answered. Returns 'accepted', or the code of the refusal. */
  async function send(
    notice: KeyNotice,
    signal: AbortSignal,
    receipt: Pick<Receipt, 'outcome' | 'nonce' | 'proof' | 'message'>,
  ): Promise<string> {
    if (receipt.outcome === 'heard') report(notice, 'heard');
    const { keyId, operationId } = notice;
    const version = notice.version ?? newest.get(keyId)?.version;
    // A service that never heard of any version has nothing to say about one.
    if (version === undefined) return 'accepted';
    for (let wait = pauseMs.first; ; wait = Math.min(2 * wait, pauseMs.longest)) {
      try {
        return await options.receipts.send({ keyId, operationId, version, ...receipt }, signal);
      } catch {
        await pause(wait, undefined, { signal });
      }
    }
  }

  function report(notice: KeyNotice, what: ConsumerEvent['what'], detail?: string): void {
    const { keyId, version } = notice;
    options.onEvent?.({ what, keyId, ...(version === undefined ? {} : { version }), ...(detail === undefined ? {} : { detail }) });
  }

  async function listen(): Promise<void> {
    let wait = pauseMs.first;
    while (!stopping.signal.aborted) {
      try {
        for (const notice of await options.feed.next(stopping.signal)) hear(notice);
        wait = pauseMs.first;
      } catch (error) {
        if (stopping.signal.aborted) return;
        options.onEvent?.({ what: 'feed failed', detail: (error as Error).name });
        await pause(wait * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => undefined);
        wait = Math.min(2 * wait, pauseMs.longest);
      }
    }
  }

  return {
    withKey: (keyId, use) => held(keyId).use(use),
    start() {
      loop ??= listen();
    },
    async stop() {
      stopping.abort();
      await loop;
      await Promise.all(underWay);
    },
  };
}
