import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Refused } from '../core/errors.ts';
import { localFiles, type RunningInstance } from '../local/files.ts';
import { type Door, post } from './door.ts';

/** Most seconds to wait for an answer: a first disable may take a vendor's whole time. */
const askSeconds = 30;

/** The installation that runs on this machine: its folder is REKEY_HOME, or the nearest `.rekey` here or in a folder above. */
export function localDoor(): Door {
  const folder = localFolder();
  const files = localFiles(folder);
  return {
    kind: 'local',
    name: folder,
    async ask(request, input) {
      const { url, token } = runningInstance(folder);
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      return post(
        `${url}/requests/${request}`,
        headers,
        JSON.stringify(input),
        askSeconds,
        `Nothing answers at ${url}: start it with "npm start"`,
      );
    },
    async secrets() {
      const { fileSecretStore } = await import('../adapters/file/secret-store.ts');
      return fileSecretStore({ dir: files.secrets, masterKeyFile: files.masterKey });
    },
  };
}

/** What the running instance says of itself. Throws Refused E_UNREACHABLE when there is none. */
export function runningInstance(folder: string): RunningInstance {
  try {
    return JSON.parse(readFileSync(localFiles(folder).running, 'utf8'));
  } catch {
    throw new Refused('E_UNREACHABLE', `no Rekey runs in ${folder}: start it with "npm start", or name a deployed one with --stage`);
  }
}

/** Where this machine's installation keeps its things, whether it runs or not. */
export function localFolder(): string {
  const named = process.env['REKEY_HOME'];
  if (named) return resolve(named);
  const start = process.cwd();
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.rekey'))) return join(folder, '.rekey');
    if (dirname(folder) === folder) return join(start, '.rekey');
  }
}
