import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** Thrown by withFileLock when the lock stayed taken for the whole wait. */
export class LockTimeout extends Error {
  override readonly name = 'LockTimeout';
}

/** Work under this lock takes milliseconds; a lock this old was left by a process whose id now belongs to another. */
const staleSeconds = 30;

/**
 * Runs `work` while this process alone holds `<path>.lock`, against other processes and other calls in this one.
 * A lock left by a dead process is taken over. `held` tells whether the lock is still ours (it is not after a stall of
 * more than 30 seconds): ask it before the one write that matters. Throws LockTimeout after `waitSeconds`.
 */
export async function withFileLock<T>(path: string, waitSeconds: number, work: (held: () => Promise<boolean>) => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const mine = `${process.pid} ${randomUUID()}`;
  const giveUpAt = Date.now() + waitSeconds * 1000;
  while (!(await take(lock, mine))) {
    await removeStale(lock);
    if (Date.now() > giveUpAt) throw new LockTimeout(`${waitSeconds} s passed and another process still holds the lock`);
    await pause(5 + Math.random() * 20);
  }
  const held = async () => (await contentOf(lock)) === mine;
  try {
    return await work(held);
  } finally {
    if (await held()) await rm(lock, { force: true });
  }
}

async function take(lock: string, mine: string): Promise<boolean> {
  try {
    await writeFile(lock, mine, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two waiters may find the same stale lock; without a second lock around the removal, the slower one would remove the
 * lock that the faster one has just taken.
 */
async function removeStale(lock: string): Promise<void> {
  if (!(await isStale(lock))) return;
  const removal = `${lock}.removal`;
  if (!(await take(removal, String(process.pid)))) {
    if (await isStale(removal)) await rm(removal, { force: true });
    return;
  }
  try {
    if (await isStale(lock)) await rm(lock, { force: true });
  } finally {
    await rm(removal, { force: true });
  }
}

async function isStale(lock: string): Promise<boolean> {
  const content = await contentOf(lock);
  if (content === undefined) return false;
  const age = await ageSeconds(lock);
  if (age === undefined) return false;
  const pid = Number.parseInt(content, 10);
  // Between creation and its first byte a fresh lock is empty: only age can condemn it.
  return age > staleSeconds || (Number.isInteger(pid) && pid > 0 && !isRunning(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function contentOf(lock: string): Promise<string | undefined> {
  try {
    return await readFile(lock, 'utf8');
  } catch {
    return undefined;
  }
}

async function ageSeconds(lock: string): Promise<number | undefined> {
  try {
    return (Date.now() - (await stat(lock)).mtimeMs) / 1000;
  } catch {
    return undefined;
  }
}
