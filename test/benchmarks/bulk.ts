import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileSecretStore } from '../../adapters/file/secret-store.ts';
import { runningInstance } from '../../cli/local-door.ts';
import type { AuditEntry } from '../../core/audit.ts';
import type { Bulk } from '../../core/bulk/bulk.ts';
import type { BulkProof } from '../../core/bulk/proofs.ts';
import { uuidOf } from '../../core/items.ts';
import { Value } from '../../core/value.ts';
import { localFiles } from '../../local/files.ts';
import { startVendor } from '../../local/sandbox/vendor.ts';
import { type Started, startLocal } from '../../local/start.ts';

/**
 * How long a bulk revocation takes against the vendor's rate: the whole local product with the sandbox vendor over HTTP, stopped twice on its
 * way, once while it disables and once while it proves. `npx node test/benchmarks/bulk.ts [keys]`, 2,000 by default. Ends with 1 unless every
 * key has its certificate, one revocation and one new version on record.
 */
const count = Number(process.argv[2] ?? 2000);
/** What the sandbox's spec says, less the share that is kept for single revocations. */
const callsPerSecond = 50;
const workspace = mkdtempSync(join(tmpdir(), 'rekey-bulk-'));
const folder = join(workspace, '.rekey');
const vendor = await startVendor({ knobs: { maxLive: 5 } });
mkdirSync(join(folder, 'admin', 'sandbox'), { recursive: true, mode: 0o700 });
writeFileSync(join(folder, 'admin', 'sandbox', 'default.json'), JSON.stringify({ apiKey: vendor.adminKey.reveal() }), { mode: 0o600 });
// A machine that is busy with this many keys answers late: patience and idle looks as in the cloud.
writeFileSync(
  join(folder, 'settings.yaml'),
  'callSeconds: 10\nfunctionSeconds: 60\nmarginSeconds: 5\nsettleSeconds: 1\nskewSeconds: 1\nstuckSeconds: 120\nidleCheckSeconds: 86400\norphanSeconds: 60\n',
);
let started: Started = await startLocal({ folder, workspace, sandbox: vendor.url });

async function ask<T>(name: string, input: object): Promise<T> {
  const { url, token } = runningInstance(folder);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  for (let tries = 1; ; tries++) {
    const response = await fetch(`${url}/requests/${name}`, { method: 'POST', headers, body: JSON.stringify(input) });
    const body = (await response.json()) as { result?: T; error?: { code?: string } };
    if (response.ok) return body.result as T;
    if (body.error?.code !== 'E_UNREACHABLE' || tries === 10) throw new Error(`${name}: ${JSON.stringify(body.error)}`);
    await pause(1000);
  }
}

const files = localFiles(folder);
const store = fileSecretStore({ dir: files.secrets, masterKeyFile: files.masterKey });
const ids = Array.from({ length: count }, (_, i) => `fleet/key-${String(i).padStart(5, '0')}`);

async function adopt(keyId: string): Promise<void> {
  const principal = keyId.replaceAll('/', '-');
  const { value } = vendor.stranger(principal, 'made by hand');
  const destinations = [{ id: 'file', kind: 'local-file', at: `values/${keyId}`, environment: 'staging' }];
  await ask('key.register', {
    facts: {
      ...{
        id: keyId,
        owner: 'team-fleet',
        team: 'team-fleet',
        unit: 'default',
        environment: 'staging',
        purpose: 'a benchmark',
        provider: 'sandbox',
      },
      ...{
        account: 'default',
        params: { principal },
        privileged: false,
        exposure: 'internal',
        readers: [],
        scopes: [],
        store: 'rekey',
        destinations,
      },
      ...{
        consumers: [],
        exclusive: false,
        incident: { contacts: [], reissue: 'automatic' },
        monitors: [],
        expiresAt: null,
        overlapSeconds: null,
      },
      mode: 'live',
    },
  });
  const token = uuidOf('bench', keyId);
  await store.put(keyId, token, new Value(value));
  writeFileSync(join(workspace, 'values', keyId), value, { mode: 0o600 });
  await ask('key.adopt', { keyId, token });
}

async function side(all: readonly string[], work: (one: string) => Promise<void>): Promise<void> {
  const next = all.values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const one of next) await work(one);
    }),
  );
}

const begun = Date.now();
mkdirSync(join(workspace, 'values', 'fleet'), { recursive: true });
await side(ids, adopt);
console.log(`${count} keys adopted in ${((Date.now() - begun) / 1000).toFixed(0)} s`);

const from = Date.now();
const order = { selector: { owner: 'team-fleet' }, count, reason: 'a benchmark', source: 'repository', requestId: 'benchmark-bulk-1' };
const { id } = await ask<Bulk>('bulk.begin', order);
const interruptions: ((bulk: Bulk) => boolean)[] = [({ disabled }) => disabled > count / 3, ({ started: running }) => running > count / 3];
let disabledAt = 0;
let bulk: Bulk;
do {
  const answer = await ask<{ bulk: Bulk; againSeconds: number }>('bulk.advance', { id });
  bulk = answer.bulk;
  if (bulk.phase !== 'disabling' && disabledAt === 0) disabledAt = Date.now();
  if (interruptions[0]?.(bulk)) {
    interruptions.shift();
    const cut = ask('bulk.advance', { id }).catch(() => undefined);
    await pause(150);
    await started.stop();
    await cut;
    console.log(`stopped at ${bulk.disabled} disabled, ${bulk.started} running, ${bulk.proven} contained`);
    started = await startLocal({ folder, workspace, sandbox: vendor.url });
  }
  if (bulk.phase !== 'done') await pause(Math.max(1, answer.againSeconds) * 1000);
} while (bulk.phase !== 'done');
const seconds = (Date.now() - from) / 1000;

const proofs: BulkProof[] = [];
for (let at: number | null = 0; at !== null; ) {
  const page: { proofs: BulkProof[]; next: number | null } = await ask('bulk.proofs', { id, from: at });
  proofs.push(...page.proofs);
  at = page.next;
}
let wrong = 0;
await side(ids, async (keyId) => {
  for (let tries = 0; tries < 300; tries++) {
    const { state } = await ask<{ state: string }>('key.show', { keyId });
    if (state === 'active') break;
    await pause(1000);
  }
  const events = await ask<AuditEntry[]>('key.history', { keyId });
  const once = (event: string) => events.filter((entry) => entry.event === event).length === 1;
  const { versions } = await ask<{ versions: unknown[] }>('key.show', { keyId });
  if (!once('revocation.requested') || !once('revocation.closed') || versions.length !== 2) wrong += 1;
});
const created = vendor.log().filter(({ operation, status }) => operation === 'create' && status === 201).length;
const certified = proofs.filter(({ dead }) => dead.length === 1).length;
const budget = callsPerSecond * 0.8;
console.log(
  `${count} keys: fenced and disabled after ${((disabledAt - from) / 1000).toFixed(0)} s (the vendor's rate alone: ${(count / budget).toFixed(0)} s)`,
);
console.log(
  `all proven dead after ${seconds.toFixed(0)} s; ${certified} certificates, ${wrong} keys touched twice or not at all; ${created - count} mints were lost to the two stops and made anew`,
);
await started.stop();
await vendor.stop();
rmSync(workspace, { recursive: true, force: true });
process.exit(certified === count && wrong === 0 ? 0 : 1);
