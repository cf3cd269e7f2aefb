import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../adapters/replace-file.ts';

export interface ConsumerTokens {
  /** Afterwards `<folder>/<name>.token` (mode 0600) holds the consumer's token; one that is there stays as it is. */
  ensure(name: string): Promise<void>;
  /** Whose token it is, or undefined. */
  consumerOf(token: string): string | undefined;
}

/** The identities of consumers on this machine: who can read a token file is that consumer. */
export async function consumerTokens(folder: string): Promise<ConsumerTokens> {
  const names = new Map<string, string>();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const file of await readdir(folder)) {
    if (file.endsWith(suffix)) await remember(decodeURIComponent(file.slice(0, -suffix.length)));
  }

  async function remember(name: string): Promise<void> {
    names.set(digest((await readFile(join(folder, fileOf(name)), 'utf8')).trim()), name);
  }

  return {
    async ensure(name) {
      if ([...names.values()].includes(name)) return;
      const token = randomBytes(32).toString('hex');
      await replaceFile(join(folder, fileOf(name)), `${token}\n`);
      names.set(digest(token), name);
    },
    // A look-up by digest takes the same time for every wrong token.
    consumerOf: (token) => names.get(digest(token)),
  };
}

const suffix = '.token';
const fileOf = (name: string) => `${encodeURIComponent(name)}${suffix}`;
const digest = (token: string) => createHash('sha256').update(token).digest('hex');
