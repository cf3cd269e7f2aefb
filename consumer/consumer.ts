import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type HeldKey, heldKey } from './held-key.ts';
import type { KeyNotice, NoticeFeed, Place, Receipt, Receipts } from './notice.ts';

export { KeyRefused, KeyStopped } from './held-key.ts';

export interface ConsumerOptions {
  /** The name under which the key's owner registered this service. */
  readonly name: string;
  /** Where notices come from; none where they are handed to `hear`, as in a Lambda function. */
  readonly feed?: NoticeFeed;
  readonly receipts: Receipts;
  /** Reads the value where this service may read it. `places` are the key's destinations, once a notice named them. */
  readonly read: (keyId: string, places: readonly Place[]) => Promise<string>;
  /** The value before the current one, for a service that accepts keys and starts in the middle of an overlap (see `accepts`). */
  readonly readPrevious?: (keyId: string) => Promise<string | undefined>;
  /**
   * The refresh time that the key's file says of this service, in seconds; 300 by default. A value that was read longer ago is looked at again
   * before it is used, so that an instance that never hears a notice has moved within that time all the same.
   */
  readonly refreshSeconds?: number;
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
  /**
   * For a service that is the one to check the key: whether a caller's value is the current one, or the one before it while that is not
   * retired. A value that is neither makes it read its destination, at most every five seconds.
   */
  accepts(keyId: string, presented: string): Promise<'current' | 'previous' | 'no'>;
  /** Hears one notice. Resolves when everything that it asks for is done, so that it need not come again. */
  hear(notice: KeyNotice): Promise<void>;
  /** Hears the notices of the feed until stop(). */
  start(): void;
  /** Afterwards nothing is heard, read or sent any more. */
  stop(): Promise<void>;
}

/** How often a move is tried, and the first and longest pause between two tries in milliseconds: a cache in front of the destination may lag. */
const tries = 8;
const pauseMs = { first: 250, longest: 10_000 };

/** What a cache in front of Secrets Manager keeps a value for, unless it is told otherwise. */
const defaultRefreshSeconds = 300;

/** How many event ids are remembered to drop repetitions. */
const remembered = 1000;

/**
 * What a service uses of Rekey: it hears notices, refreshes, gives its code the right value, and proves that it moved.
 * `moved` is sent only when no use of an older value is under way.
 */
export function rekeyConsumer(options: ConsumerOptions): RekeyConsumer {
  const keys = new Map<string, HeldKey>();
  const places = new Map<string, readonly Place[]>();
  const newest = new Map<string, { readonly version: number; readonly time: string }>();
  const seen = new Set<string>();
  const moves = new Map<string, AbortController>();
  const underWay = new Map<string, Promise<void>>();
  const tended = new Set<Promise<void>>();
  const stopping = new AbortController();
  let loop: Promise<void> | undefined;

  const held = (keyId: string): HeldKey => {
    const key =
      keys.get(keyId) ??
      heldKey(keyId, {
        read: () => options.read(keyId, places.get(keyId) ?? []),
        readPrevious: options.readPrevious && (async () => options.readPrevious?.(keyId)),
        refreshMs: (options.refreshSeconds ?? defaultRefreshSeconds) * 1000,
      });
    keys.set(keyId, key);
    return key;
  };

  function hear(notice: KeyNotice): Promise<void> {
    const { id, keyId, version } = notice;
    const same = underWay.get(id);
    if (isRepeated(notice) || isOld(notice)) {
      options.onEvent?.({ what: 'dropped', keyId, ...(version === undefined ? {} : { version }) });
      // It came again while it is still worked on: it is done when that is.
      return same ?? Promise.resolve();
    }
    if (notice.places) places.set(keyId, notice.places);
    if (notice.action === 'none' && notice.type === 'key.retired') held(keyId).forgetPrevious();
    // What is told to everybody comes beside what is told to this service alone: it is acted on, and answered by those it is for.
    const own = notice.audience === undefined || notice.audience === options.name;
    if (notice.action === 'refresh' && own) return begin(notice, (signal) => move(notice, signal));
    if (notice.action === 'refresh' && !own && !moves.has(keyId))
      return begin(notice, (signal) => refresh(notice, signal).then(() => undefined));
    if (notice.action === 'stop-using') return begin(notice, (signal) => stopUsing(notice, signal, own));
    return Promise.resolve();
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
  function begin(notice: KeyNotice, act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    moves.get(notice.keyId)?.abort();
    const controller = new AbortController();
    moves.set(notice.keyId, controller);
    const work = act(AbortSignal.any([controller.signal, stopping.signal]))
      .catch(() => undefined)
      .finally(() => {
        underWay.delete(notice.id);
        if (moves.get(notice.keyId) === controller) moves.delete(notice.keyId);
      });
    underWay.set(notice.id, work);
    return work;
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
    const { id: noticeId, keyId, operationId } = notice;
    const version = notice.version ?? newest.get(keyId)?.version;
    // A service that never heard of any version has nothing to say about one.
    if (version === undefined) return 'accepted';
    for (let wait = pauseMs.first; ; wait = Math.min(2 * wait, pauseMs.longest)) {
      try {
        return await options.receipts.send({ keyId, operationId, version, noticeId, ...receipt }, signal);
      } catch {
        await pause(wait, undefined, { signal });
      }
    }
  }

  function report(notice: KeyNotice, what: ConsumerEvent['what'], detail?: string): void {
    const { keyId, version } = notice;
    options.onEvent?.({ what, keyId, ...(version === undefined ? {} : { version }), ...(detail === undefined ? {} : { detail }) });
  }

  async function listen(feed: NoticeFeed): Promise<void> {
    let wait = pauseMs.first;
    while (!stopping.signal.aborted) {
      try {
        for (const notice of await feed.next(stopping.signal)) tend(feed, notice);
        wait = pauseMs.first;
      } catch (error) {
        if (stopping.signal.aborted) return;
        options.onEvent?.({ what: 'feed failed', detail: (error as Error).name });
        await pause(wait * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => undefined);
        wait = Math.min(2 * wait, pauseMs.longest);
      }
    }
  }

  /** Lets go of a notice once it is done; what a stop cut short comes again, to whoever runs next. */
  function tend(feed: NoticeFeed, notice: KeyNotice): void {
    const work = hear(notice)
      .then(async () => {
        if (!stopping.signal.aborted) await feed.done?.(notice);
      })
      .catch((error: Error) => options.onEvent?.({ what: 'feed failed', detail: error.name }))
      .finally(() => tended.delete(work));
    tended.add(work);
  }

  return {
    withKey: (keyId, use) => held(keyId).use(use),
    accepts: (keyId, presented) => held(keyId).accepts(presented),
    hear,
    start() {
      if (options.feed) loop ??= listen(options.feed);
    },
    async stop() {
      stopping.abort();
      await loop;
      await Promise.all([...underWay.values(), ...tended]);
    },
  };
}
