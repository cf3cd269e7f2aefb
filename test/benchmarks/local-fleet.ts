import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileSecretStore } from '../../adapters/file/secret-store.ts';
import { runningInstance } from '../../cli/local-door.ts';
import type { Consumer } from '../../core/consumer.ts';
import { uuidOf } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import { Value } from '../../core/value.ts';
import { localFiles } from '../../local/files.ts';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';
import { startLocal } from '../../local/start.ts';

/** Many keys in the whole local product, with the sandbox vendor over HTTP, each delivered to a file of its own. */
export interface LocalFleet {
  readonly vendor: Vendor;
  readonly ids: readonly string[];
  /** A request by the local door, with its token; one that finds the product away is sent again. */
  ask<T>(name: string, input: object): Promise<T>;
  /** The value that lies at a key's destination. */
  delivered(keyId: string): string;
  /** Where the product listens now, and the token of a consumer. */
  readonly url: () => string;
  token(consumer: string): string;
  /** Ends the product as a deploy does, with what it has under way, and starts it again. */
  restart(meanwhile: Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}

/** A machine that is busy with this many keys answers late: patience and idle looks as in the cloud. */
const settings =
  'callSeconds: 10\nfunctionSeconds: 60\nmarginSeconds: 5\nsettleSeconds: 1\nskewSeconds: 1\nstuckSeconds: 120\nidleCheckSeconds: 86400\norphanSeconds: 60\n';

/** Starts it and adopts `count` keys. */
export async function localFleet(count: number, consumers: readonly Consumer[] = []): Promise<LocalFleet> {
  const workspace = mkdtempSync(join(tmpdir(), 'rekey-fleet-'));
  const folder = join(workspace, '.rekey');
  const vendor = await startVendor({ knobs: { maxLive: 5 } });
  mkdirSync(join(folder, 'admin', 'sandbox'), { recursive: true, mode: 0o700 });
  mkdirSync(join(workspace, 'values', 'fleet'), { recursive: true });
  writeFileSync(join(folder, 'admin', 'sandbox', 'default.json'), JSON.stringify({ apiKey: vendor.adminKey.reveal() }), { mode: 0o600 });
  writeFileSync(join(folder, 'settings.yaml'), settings);
  let started = await startLocal({ folder, workspace, sandbox: vendor.url });
  const files = localFiles(folder);
  const store = fileSecretStore({ dir: files.secrets, masterKeyFile: files.masterKey });
  const ids = Array.from({ length: count }, (_, i) => `fleet/key-${String(i).padStart(5, '0')}`);

  async function ask<T>(name: string, input: object): Promise<T> {
    for (let tries = 1; ; tries++) {
      const { url, token } = runningInstance(folder);
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const response = await fetch(`${url}/requests/${name}`, { method: 'POST', headers, body: JSON.stringify(input) });
      const body = (await response.json()) as { result?: T; error?: { code?: string } };
      if (response.ok) return body.result as T;
      if (body.error?.code !== 'E_UNREACHABLE' || tries === 10) throw new Error(`${name}: ${JSON.stringify(body.error)}`);
      await pause(1000);
    }
  }

  async function adopt(keyId: string): Promise<void> {
    const principal = keyId.replaceAll('/', '-');
    const { value } = vendor.stranger(principal, 'made by hand');
    await ask('key.register', { facts: factsOf(keyId, principal, consumers) });
    const token = uuidOf('bench', keyId);
    await store.put(keyId, token, new Value(value));
    writeFileSync(join(workspace, 'values', keyId), value, { mode: 0o600 });
    await ask('key.adopt', { keyId, token });
  }

  const from = Date.now();
  await side(ids, 8, adopt);
  console.log(`${count} keys adopted in ${((Date.now() - from) / 1000).toFixed(0)} s`);
  return {
    vendor,
    ids,
    ask,
    delivered: (keyId) => readFileSync(join(workspace, 'values', keyId), 'utf8'),
    url: () => started.url,
    token: (consumer) => readFileSync(join(files.consumers, `${consumer}.token`), 'utf8'),
    async restart(meanwhile) {
      await started.stop();
      await meanwhile;
      started = await startLocal({ folder, workspace, sandbox: vendor.url });
    },
    async stop() {
      await started.stop();
      await vendor.stop();
      rmSync(workspace, { recursive: true, force: true });
    },
  };
}

/** Does `work` for all, so many at once. */
export async function side(all: readonly string[], atOnce: number, work: (one: string) => Promise<void>): Promise<void> {
  const next = all.values();
  const worker = async () => {
    for (const one of next) await work(one);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function factsOf(id: string, principal: string, consumers: readonly Consumer[]): KeyFacts {
  return {
    ...{ id, owner: 'team-fleet', team: 'team-fleet', unit: 'default', environment: 'staging', purpose: 'a benchmark' },
    ...{ provider: 'sandbox', account: 'default', params: { principal }, privileged: false, exposure: 'internal' },
    ...{ readers: [], scopes: [], store: 'rekey', consumers, exclusive: false, monitors: [], expiresAt: null, overlapSeconds: null },
    destinations: [{ id: 'file', kind: 'local-file', at: `values/${id}`, environment: 'staging' }],
    incident: { contacts: [], reissue: 'automatic' },
    mode: 'live',
  };
}
