import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Refused } from '../core/errors.ts';
import { type KeyRow, type RejectedRow, readKeyFile } from '../requests/key-document.ts';

export interface KeyFiles {
  readonly keys: readonly KeyRow[];
  readonly rejected: readonly RejectedRow[];
}

/**
 * The keys of files and folders of files (`*.yaml`, `*.yml`, by name). An id that two files use is refused in both. A file that cannot be
 * read as YAML, or that seems to hold a value, stops everything. Throws Refused E_USAGE for a path that is not there, E_INPUT_EMPTY.
 */
export function readKeyFiles(paths: readonly string[]): KeyFiles {
  const read = paths.flatMap(filesOf).map((path) => readKeyFile(textOf(path), path));
  const keys = read.flatMap((file) => file.keys);
  const count = new Map<string, number>();
  for (const { facts } of keys) count.set(facts.id, (count.get(facts.id) ?? 0) + 1);
  const twice = keys.filter(({ facts }) => (count.get(facts.id) ?? 0) > 1);
  return {
    keys: keys.filter((row) => !twice.includes(row)),
    rejected: [
      ...read.flatMap((file) => file.rejected),
      ...twice.map(({ facts, source }) => ({
        id: facts.id,
        source,
        problems: [{ path: `${source} id`, message: `${facts.id} is in more than one file` }],
      })),
    ],
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch (error) {
    throw unreadable(path, error);
  }
  const files = readdirSync(path)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort();
  if (files.length === 0) throw new Refused('E_INPUT_EMPTY', `${path} holds no .yaml file`);
  return files.map((name) => join(path, name));
}

function unreadable(path: string, error: unknown): Refused {
  return new Refused('E_USAGE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
}
