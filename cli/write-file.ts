import { Refused } from '../core/errors.ts';

/** Runs what writes to a place in the file system. Throws Refused E_USAGE, which names the place, when the system refuses it; other errors stay. */
export async function writing<T>(place: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new Refused('E_USAGE', `${place === '' ? 'a file without a name' : place} cannot be written (${code ?? 'unknown'})`);
  }
}
