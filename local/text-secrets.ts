import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Refused } from '../core/errors.ts';
import { Value } from '../core/value.ts';
import type { SecretOf } from '../requests/senders/sender.ts';

/**
 * Secrets of the laptop that are one text each: `<folder>/<name>`, readable by its owner only. What senders of reports sign with, and what the channels to
 * people need. Read each time, so that one can be replaced while Rekey runs. Undefined for one that was not set up. Throws Refused
 * E_INPUT_INVALID for a file that others can read.
 */
export function fileTextSecrets(folder: string): SecretOf {
  return async (name) => {
    const path = join(folder, encodeURIComponent(name));
    try {
      const mode = (await stat(path)).mode & 0o777;
      if (process.platform !== 'win32' && mode & 0o077)
        throw new Refused('E_INPUT_INVALID', `the secret ${name} has mode ${mode.toString(8)}; it must be 600`);
      return new Value((await readFile(path, 'utf8')).replace(/\r?\n$/, ''));
    } catch (error) {
      if (error instanceof Refused) throw error;
      return undefined;
    }
  };
}
