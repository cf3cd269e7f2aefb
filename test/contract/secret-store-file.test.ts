import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSecretStore } from '../../adapters/file/secret-store.ts';
import { DestinationUnavailable } from '../../core/errors.ts';
import type { SecretStore } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';

describe('secret store: encrypted files in particular', () => {
  let home: string;
  let dir: string;
  let masterKeyFile: string;
  let store: SecretStore;
  const canary = 'CANARY-0b7e44';

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'rekey-store-'));
    dir = join(home, 'secrets');
    masterKeyFile = join(home, 'keys', 'master.key');
    store = fileSecretStore({ dir, masterKeyFile });
  });
  afterEach(() => rm(home, { recursive: true }));

  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  it('keeps files and folders to their owner, and no value in any of them', async () => {
    await store.put('team/key', randomUUID(), new Value(canary));
    const file = join(dir, 'team%2Fkey.json');
    expect(await Promise.all([dir, file, masterKeyFile].map(modeOf))).toEqual(['700', '600', '600']);
    const text = await readFile(file, 'utf8');
    for (const form of [canary, Buffer.from(canary).toString('base64'), Buffer.from(canary).toString('hex')]) {
      expect(text.includes(form)).toBe(false);
    }
  });

  it('leaves no draft and no lock behind', async () => {
    await store.put('k', randomUUID(), new Value(canary));
    expect(await readdir(dir)).toEqual(['k.json']);
    expect(await readdir(join(home, 'keys'))).toEqual(['master.key']);
  });

  it('does not make a second master key when the first one is gone', async () => {
    const token = randomUUID();
    await store.put('k', token, new Value(canary));
    await rm(masterKeyFile);
    await expect(store.read('k', token)).rejects.toBeInstanceOf(DestinationUnavailable);
    await expect(store.put('k2', randomUUID(), new Value(canary))).rejects.toBeInstanceOf(DestinationUnavailable);
    expect(await readdir(join(home, 'keys'))).toEqual([]);
  });

  it('does not use a master key that others may read', async () => {
    const token = randomUUID();
    await store.put('k', token, new Value(canary));
    await chmod(masterKeyFile, 0o644);
    await expect(store.read('k', token)).rejects.toThrow('must be 600');
  });

  it('notices a value that was changed, or moved to another version', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    await store.put('k', one, new Value(canary));
    await store.put('k', two, new Value('other'));
    const file = join(dir, 'k.json');
    const secret = JSON.parse(await readFile(file, 'utf8'));
    secret.versions[two] = secret.versions[one];
    await writeFile(file, JSON.stringify(secret));
    await expect(store.read('k', two)).rejects.toBeInstanceOf(DestinationUnavailable);
    expect((await store.read('k', one))?.equals(new Value(canary))).toBe(true);
  });

  it('reports a damaged file without quoting it', async () => {
    await store.put('k', randomUUID(), new Value(canary));
    await writeFile(join(dir, 'k.json'), `{"${canary}`);
    const failed = await store.labels('k').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(DestinationUnavailable);
    expect((failed as Error).message).toBe('the secret file of k cannot be read or written: SyntaxError');
  });

  it('takes over the lock of a process that died', async () => {
    await store.put('k', randomUUID(), new Value(canary));
    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    await writeFile(join(dir, 'k.json.lock'), `${dead.pid} left-behind`);
    const token = randomUUID();
    await store.put('k', token, new Value(canary));
    expect(await store.labels('k')).toEqual({ AWSPENDING: token });
  });

  it('waits for the lock of a living process, and gives up with a named error', async () => {
    await store.put('k', randomUUID(), new Value(canary));
    await writeFile(join(dir, 'k.json.lock'), `${process.pid} somebody-else`);
    const impatient = fileSecretStore({ dir, masterKeyFile, callSeconds: 0.05 });
    await expect(impatient.put('k', randomUUID(), new Value(canary))).rejects.toThrow('LockTimeout');
  });

  it('makes one master key, however many ask for the first value at once', async () => {
    for (let round = 0; round < 20; round++) {
      const fresh = { dir: join(home, `secrets-${round}`), masterKeyFile: join(home, `master-${round}.key`) };
      const tokens = Array.from({ length: 8 }, () => randomUUID());
      const stored = tokens.map(async (token, nth) => {
        // Each starts while the one before is at another line; each has a key of its own, so that no lock orders them.
        for (let turn = 0; turn < nth * 3; turn++) await new Promise(setImmediate);
        await fileSecretStore(fresh).put(`key-${token}`, token, new Value(token));
      });
      await Promise.all(stored);
      const right = tokens.map(async (token) => (await fileSecretStore(fresh).read(`key-${token}`, token))?.equals(new Value(token)));
      expect(await Promise.all(right)).not.toContain(false);
    }
  });

  it('loses nothing when several processes write one key, the first of them making the master key', async () => {
    const program = `
      import { randomUUID } from 'node:crypto';
      import { fileSecretStore } from ${JSON.stringify(new URL('../../adapters/file/secret-store.ts', import.meta.url).href)};
      import { Value } from ${JSON.stringify(new URL('../../core/value.ts', import.meta.url).href)};
      const [dir, masterKeyFile] = process.argv.slice(1);
      const store = fileSecretStore({ dir, masterKeyFile });
      for (let i = 0; i < 5; i++) {
        const token = randomUUID();
        await store.put('shared', token, new Value(token));
        console.log(token);
      }
    `;
    const writers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program, dir, masterKeyFile], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let output = '';
        child.stdout.on('data', (chunk) => {
          output += chunk;
        });
        const [code] = await once(child, 'close');
        return { code, tokens: output.trim().split('\n') };
      }),
    );
    expect(writers.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const tokens = writers.flatMap(({ tokens }) => tokens);
    expect(tokens).toHaveLength(20);
    const right = await Promise.all(tokens.map(async (token) => (await store.read('shared', token))?.equals(new Value(token))));
    expect(right.every(Boolean)).toBe(true);
  });
});
