import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile } from '../adapters/replace-file.ts';
import { DestinationUnavailable } from '../core/errors.ts';
import { toCloudEvent } from '../core/notice.ts';
import type { Notifier } from '../core/ports.ts';

/** One notice in the feed: the CloudEvent under a number that only grows. */
export interface FeedEntry {
  readonly seq: number;
  readonly audience: string;
  readonly event: Readonly<Record<string, unknown>>;
}

export interface Feed extends Notifier {
  /** Entries of an audience behind `after`, oldest first. Waits for one, at most `waitSeconds` or until `signal`; then the list is empty. */
  next(audience: string, after: number, waitSeconds: number, signal?: AbortSignal): Promise<readonly FeedEntry[]>;
  /** Afterwards nobody waits any more and the file is closed. */
  close(): Promise<void>;
}

/** How many notices a restart keeps. A consumer that missed more reads its destination, which is always right. */
const kept = 10_000;

/** Most entries one call of next() returns. */
const page = 100;

/**
 * The laptop's notifier: one file of lines, on disk before publish() returns, so that an accepted notice survives the process.
 * A half-written last line, left by a killed process, was never accepted and is dropped.
 */
export async function openFeed({ path, stage }: { readonly path: string; readonly stage: string }): Promise<Feed> {
  const entries = await load(path);
  const file = await open(path, 'a', 0o600);
  const waiting = new Set<() => void>();
  let size = (await file.stat()).size;
  let last = Promise.resolve();
  let closed = false;

  async function append(audience: string, event: FeedEntry['event']): Promise<void> {
    const entry: FeedEntry = { seq: (entries.at(-1)?.seq ?? 0) + 1, audience, event };
    size = await appendLine(file, size, JSON.stringify(entry));
    entries.push(entry);
    if (entries.length > 2 * kept) entries.splice(0, entries.length - kept);
    for (const wake of waiting) wake();
  }

  function find(audience: string, after: number): readonly FeedEntry[] {
    return entries.filter((entry) => entry.seq > after && entry.audience === audience).slice(0, page);
  }

  return {
    publish(notice) {
      const turn = last.then(() => {
        if (closed) throw new DestinationUnavailable('the feed is closed');
        return append(notice.audience, toCloudEvent(notice, stage));
      });
      last = turn.catch(() => undefined);
      return turn;
    },

    async next(audience, after, waitSeconds, signal) {
      const until = Date.now() + waitSeconds * 1000;
      for (;;) {
        const found = find(audience, after);
        const left = until - Date.now();
        if (found.length || closed || left <= 0 || signal?.aborted) return found;
        await new Promise<void>((resolve) => {
          const wake = () => {
            clearTimeout(timer);
            waiting.delete(wake);
            signal?.removeEventListener('abort', wake);
            resolve();
          };
          const timer = setTimeout(wake, left);
          signal?.addEventListener('abort', wake);
          waiting.add(wake);
        });
      }
    },

    async close() {
      if (closed) return;
      closed = true;
      for (const wake of [...waiting]) wake();
      await last;
      await file.close();
    },
  };
}

/** Afterwards the line is on disk; or the file is as it was, and DestinationUnavailable is thrown. Returns the file's size. */
async function appendLine(file: FileHandle, size: number, line: string): Promise<number> {
  try {
    await file.appendFile(`${line}\n`);
    await file.datasync();
    return size + Buffer.byteLength(line) + 1;
  } catch (error) {
    await file.truncate(size).catch(() => undefined);
    throw new DestinationUnavailable(`the feed could not be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
  }
}

async function load(path: string): Promise<FeedEntry[]> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = complete.split('\n').filter(Boolean).slice(-kept);
  if (complete !== text || lines.length === kept) await replaceFile(path, lines.map((line) => `${line}\n`).join(''));
  return lines.map((line) => JSON.parse(line) as FeedEntry);
}
