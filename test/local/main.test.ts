import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fileSecretStore } from '../../adapters/file/secret-store.ts';
import { Value } from '../../core/value.ts';
import { localFiles } from '../../local/files.ts';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';
import { factsOf, type LocalProcess, localProcess } from '../support/local-process.ts';

let workspace: string;
let vendor: Vendor;
let local: LocalProcess;

beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'rekey-main-'));
  vendor = await startVendor();
  local = await localProcess(workspace, vendor);
});

afterEach(async () => {
  await local.end('SIGTERM');
  await vendor.stop();
  await rm(workspace, { recursive: true, force: true, maxRetries: 5 });
});

/** How long to wait for what a process of its own does: it only ends what hangs, on a machine that is busy too. */
const patiently = { timeout: 90_000, interval: 50 };

const state = async (keyId: string) => (await local.ask<{ state: string }>('key.show', { keyId })).state;

describe('npm start', () => {
  test('prints where it is reached, its vendors, its policy and the durations it uses', async () => {
    await local.start();
    await vi.waitFor(() => expect(local.printed()).toContain('npx rekey'), patiently);
    expect(local.printed()).toContain(`http://127.0.0.1:${local.port}`);
    expect(local.printed()).toContain('high every 30 days');
    expect(local.printed()).toMatch(/call 1\.1 s, step 6\.5 s, quiesce 7\.5 s/);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it cleanly: exit code 0, no engine, no address left behind', async (signal) => {
    await local.start();
    const engine = Number.parseInt(await readFile(join(local.folder, 'inventory.pid'), 'utf8'), 10);
    expect(await local.end(signal)).toBe(0);
    expect(existsSync(join(local.folder, 'local.json'))).toBe(false);
    expect(() => process.kill(engine, 0)).toThrow('ESRCH');
  });

  test('everything it keeps is readable by its owner only', async () => {
    await local.start();
    await local.ask('key.register', { facts: factsOf('payments/stripe', ['checkout']) });
    expect((await stat(local.folder)).mode & 0o077).toBe(0);
    for (const name of ['local.json', 'pepper', 'rekey.log', 'notices.jsonl', 'consumers/checkout.token']) {
      expect((await stat(join(local.folder, name))).mode & 0o077, name).toBe(0);
    }
  });

  test('a second one on the same folder is refused and says which one runs', async () => {
    await local.start();
    const second = await localProcess(workspace, vendor);
    await expect(second.start()).rejects.toThrow(/ended at once with 5: Rekey already runs on this folder: process \d+/);
    expect(await local.ask('status')).toMatchObject({ keys: 0 });
  });

  test('settings that contradict each other are refused with their names, before anything is started', async () => {
    await writeFile(join(local.folder, 'settings.yaml'), 'callSeconds: 20\nsurprise: 1\nstage: 7\n');
    await expect(local.start()).rejects.toThrow(/ended at once with 2: .*settings\.yaml, line 2, column 1: surprise: is no field/s);
    await writeFile(join(local.folder, 'settings.yaml'), 'callSeconds: 20\n');
    await expect(local.start()).rejects.toThrow(/functionSeconds: must be more than 5 × callSeconds \+ marginSeconds/);
    expect(await readdir(local.folder)).not.toContain('inventory.db');
  });

  test('what it knew before it was killed it knows afterwards, and takes up what was under way', async () => {
    await local.start();
    await local.ask('key.register', { facts: factsOf('payments/stripe', ['checkout']) });
    vendor.fault({ kind: 'slow', on: 'create', ms: 60_000 });
    await local.ask('key.mint', { keyId: 'payments/stripe' });
    expect(await local.end('SIGKILL')).toBe('SIGKILL');
    vendor.clearFaults();
    await local.start();
    await vi.waitFor(() => expect(local.printed()).toContain('1 operation(s) that an earlier run left open'), patiently);
    await vi.waitFor(async () => expect(await state('payments/stripe')).toBe('active'), patiently);
    expect(existsSync(join(workspace, 'values/payments/stripe'))).toBe(true);
  });

  test('the schedule finds an adopted key that is due and rotates it', async () => {
    await local.start();
    const facts = { ...factsOf('payments/stripe', []), expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
    await local.ask('key.register', { facts });
    const made = vendor.stranger(facts.params.principal);
    const [files, token] = [localFiles(local.folder), randomUUID()];
    await fileSecretStore({ dir: files.secrets, masterKeyFile: files.masterKey }).put(facts.id, token, new Value(made.value));
    await local.ask('key.adopt', { keyId: facts.id, token });
    await vi.waitFor(async () => {
      const history = await local.ask<{ actor: string; event: string; detail: { reason?: string } }[]>('key.history', {
        keyId: facts.id,
      });
      const started = history.find(({ event }) => event === 'rotation.started');
      expect(started).toMatchObject({ actor: 'schedule', detail: { reason: 'vendor-expiry' } });
    }, patiently);
  });
});
