import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Afterwards the file holds exactly `text`, mode 0600, on disk; a crash leaves the old content or the new, never a part.
 * `stillAllowed` is asked last, right before the rename; false leaves the file as it was and throws an Error.
 */
export async function replaceFile(path: string, text: string, stillAllowed: () => Promise<boolean> = async () => true): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text, 'utf8');
      await file.sync();
    } finally {
      await file.close();
    }
    if (!(await stillAllowed())) throw new Error('lost the lock before the file was replaced');
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Without this the rename itself may be lost with the power. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    // Some file systems cannot sync a folder; the rename is atomic all the same.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await folder.close();
  }
}
