import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Refused } from '../core/errors.ts';
import { Value } from '../core/value.ts';
import type { SecretOf } from '../requests/senders/sender.ts';

/**
 * The laptop's secrets of senders of reports: `<folder>/<name>`, one text, readable by its owner only. Read at each message, so that one can be
 * replaced while Rekey runs. Undefined for a sender that was not set up. Throws Refused E_INPUT_INVALID for a file that others can read.
 */
export function fileSenderSecrets(folder: string): SecretOf {
  return async (sender) => {
    const path = join(folder, encodeURIComponent(sender));
    try {
      const mode = (await stat(path)).mode & 0o777;
      if (process.platform !== 'win32' && mode & 0o077)
        throw new Refused('E_INPUT_INVALID', `the secret of sender ${sender} has mode ${mode.toString(8)}; it must be 600`);
      return new Value((await readFile(path, 'utf8')).replace(/\r?\n$/, ''));
    } catch (error) {
      if (error instanceof Refused) throw error;
      return undefined;
    }
  };
}
