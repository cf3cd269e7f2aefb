import { mkdir, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DestinationRefused, DestinationUnavailable, RekeyError } from '../../core/errors.ts';
import type { Destination } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { LockTimeout, withFileLock } from '../file-lock.ts';
import { replaceFile } from '../replace-file.ts';

/**
 * A file on this machine. `at` is a path (the file then holds exactly the value), or a path and `#field` (one
 * top-level field of a JSON object, whose other fields stay). A relative path starts at `baseDir`. The file is
 * replaced as a whole, mode 0600; its folder is made (0700) when absent; writers of one file take turns.
 */
export function localFileDestination(options: { readonly baseDir: string; readonly callSeconds?: number }): Destination {
  const { baseDir, callSeconds = 10 } = options;
  return {
    kind: 'local-file',

    write: ({ at }, value) =>
      named(at, async () => {
        const { path, field } = place(baseDir, at);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await withFileLock(path, callSeconds, async (held) => {
          const text = await textOf(path);
          if (field === undefined) return replaceFile(path, value.reveal(), held);
          const next = { ...fieldsOf(text ?? '{}', at), [field]: value.reveal() };
          return replaceFile(path, `${JSON.stringify(next, null, 2)}\n`, held);
        });
      }),

    read: ({ at }) =>
      named(at, async () => {
        const { path, field } = place(baseDir, at);
        const text = await textOf(path);
        if (text === undefined) return undefined;
        const held = field === undefined ? text : fieldsOf(text, at)[field];
        return typeof held === 'string' ? new Value(held) : undefined;
      }),
  };
}

function place(baseDir: string, at: string): { path: string; field: string | undefined } {
  const hash = at.lastIndexOf('#');
  const [name, field] = hash < 0 ? [at, undefined] : [at.slice(0, hash), at.slice(hash + 1)];
  if (!name || field === '' || at.includes('\0')) throw new DestinationRefused(`"at" is not a path, or a path and #field`);
  // Assigning this name to an object would set its prototype instead of a field.
  if (field === '__proto__') throw new DestinationRefused(`"${field}" cannot be a field`);
  return { path: resolve(baseDir, name), field };
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function fieldsOf(text: string, at: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a value.
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new DestinationRefused(`the file of ${at} is not a JSON object`);
  }
  return parsed as Record<string, unknown>;
}

const forGood = new Set(['EACCES', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'ENOTDIR', 'EPERM', 'EROFS', 'EEXIST']);

async function named<T>(at: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RekeyError) throw error;
    if (error instanceof LockTimeout) throw new DestinationUnavailable(`file ${at}: ${error.message}`);
    const code = (error as NodeJS.ErrnoException).code ?? 'cannot be written now';
    throw forGood.has(code) ? new DestinationRefused(`file ${at}: ${code}`) : new DestinationUnavailable(`file ${at}: ${code}`);
  }
}
