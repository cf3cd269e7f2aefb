import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DestinationUnavailable } from '../../core/errors.ts';

/**
 * The 32 bytes that encrypt every value under `dir`. Made on first use (mode 0600, its folder 0700); when several
 * processes are first at once, all get the same key. Throws DestinationUnavailable when others may read the file,
 * when it does not hold a key, and when it is missing although `dir` already holds values (a new key could not read them).
 */
export async function masterKey(path: string, dir: string): Promise<Buffer> {
  const found = await read(path);
  if (found) return found;
  if (await holdsSecrets(dir)) {
    // The key is made before the first value: one that another process made since our look is there by now.
    const since = await read(path);
    if (since) return since;
    throw new DestinationUnavailable('the master key file is missing, and there are values that only it can open');
  }
  await create(path);
  const made = await read(path);
  if (!made) throw new DestinationUnavailable('the master key file disappeared while it was made');
  return made;
}

async function read(path: string): Promise<Buffer | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const mode = (await stat(path)).mode & 0o777;
  // Windows has no such bits: its files always look readable by all.
  if (process.platform !== 'win32' && mode & 0o077) {
    throw new DestinationUnavailable(`the master key file has mode ${mode.toString(8)}; it must be 600`);
  }
  if (!/^[0-9a-f]{64}\s*$/.test(text)) throw new DestinationUnavailable('the master key file does not hold 64 hex digits');
  return Buffer.from(text.trim(), 'hex');
}

/** link() never replaces: of several processes exactly one creates the file, and it is complete when it appears. */
async function create(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}.tmp`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(32).toString('hex')}\n`);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

async function holdsSecrets(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).some((name) => name.endsWith('.json'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
