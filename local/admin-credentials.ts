import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '../adapters/replace-file.ts';
import { ProviderRefused } from '../core/errors.ts';
import { Value } from '../core/value.ts';

/**
 * The laptop's admin credentials at providers: `<folder>/<provider>/<account>.json`, a JSON object of texts, readable by its owner only.
 * Read at each call, so that one can be replaced while Rekey runs. Throws ProviderRefused when the file is missing, open to others or malformed.
 */
export function fileAdminCredentials(folder: string) {
  return async (provider: string, account: string): Promise<Readonly<Record<string, Value>>> => {
    const name = `${provider}/${account}`;
    const path = pathOf(folder, provider, account);
    let fields: unknown;
    try {
      const mode = (await stat(path)).mode & 0o777;
      if (process.platform !== 'win32' && mode & 0o077)
        throw new ProviderRefused(`the admin credential ${name} has mode ${mode.toString(8)}; it must be 600`);
      fields = JSON.parse(await readFile(path, 'utf8'));
    } catch (error) {
      if (error instanceof ProviderRefused) throw error;
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      throw new ProviderRefused(
        missing
          ? `there is no admin credential ${name}: put it into .rekey/admin/${name}.json, a JSON object with the fields that "rekey provider show ${provider}" lists`
          : `the admin credential ${name} cannot be read`,
      );
    }
    const entries = typeof fields === 'object' && fields !== null ? Object.entries(fields) : [];
    if (!entries.length || entries.some(([, text]) => typeof text !== 'string'))
      throw new ProviderRefused(`the admin credential ${name} is not a JSON object of texts`);
    return Object.fromEntries(entries.map(([field, text]) => [field, new Value(text)]));
  };
}

/** Afterwards the admin credential is on disk, readable by its owner only. */
export async function writeAdminCredential(
  folder: string,
  provider: string,
  account: string,
  fields: Readonly<Record<string, Value>>,
): Promise<void> {
  const path = pathOf(folder, provider, account);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await replaceFile(path, JSON.stringify(Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, value.reveal()]))));
}

function pathOf(folder: string, provider: string, account: string): string {
  return join(folder, encodeURIComponent(provider), `${encodeURIComponent(account)}.json`);
}
