import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { KeyReport } from '../../core/show.ts';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';
import { factsOf, type LocalProcess, localProcess } from '../support/local-process.ts';

/** What the vendor saw of one consumer while its key was rotated again and again. */
export interface Rotated {
  readonly rotations: number;
  /** Calls of the consumer with the key, and how many of them the vendor refused. */
  readonly requests: number;
  readonly refused: number;
  /** How many versions the consumer was seen to use; each rotation brings a new one. */
  readonly used: number;
  /** How many versions the vendor still accepts. */
  readonly alive: number;
}

const keyId = 'payments/vendor';

/** As short as the inequalities of the settings allow. */
const settings = `
callSeconds: 0.45
functionSeconds: 2.6
marginSeconds: 0.1
settleSeconds: 0.1
skewSeconds: 0.1
reconcileSeconds: 0.25
idleCheckSeconds: 2
orphanSeconds: 4
stuckSeconds: 8
sweepSeconds: { high: 60, medium: 60, low: 60 }
`;

const policy = `
apiVersion: rekey/v1
kind: Policy
version: rotations
approvedStores: [rekey]
maxHold: P1D
tiers:
  high: &tier { rotateEvery: P30D, overlapMin: PT0S, overlapMax: PT60S, atOverlapMax: hold, soak: P7D, quiet: P1D, tolerance: PT1H }
  medium: *tier
  low: *tier
`;

/** Between two calls of the vendor by the consumer, in milliseconds. */
const paceMs = 25;
const limitSeconds = 120;

/**
 * Rotates one key so many times in a row, with the product in a process of its own, a vendor over HTTP, and a consumer in a process of its
 * own that knows its name, its token, the file it may read and the two addresses: it hears of rotations by notices alone, and calls the
 * vendor all the time. `onRotation` is told of each that has ended. Throws when one does not end.
 */
export async function rotateInARow(count: number, onRotation: (done: number) => void = () => undefined): Promise<Rotated> {
  const workspace = mkdtempSync(join(tmpdir(), 'rekey-rotations-'));
  const vendor = await startVendor({ knobs: { maxLive: 5 } });
  const local = localProcess(workspace, vendor, settings);
  try {
    const product = await local;
    quickSpec(product.folder, vendor);
    writeFileSync(join(product.folder, 'policy.yaml'), policy);
    await product.start();
    await until(async () => Boolean(await product.ask('key.register', { facts: { ...factsOf(keyId, ['app']), provider: 'quick' } })));
    await until(async () => Boolean(await product.ask('key.mint', { keyId, requestId: 'first-version' })));
    await until(async () => (await shown(product)).state === 'active');
    const service = startService(workspace, product, vendor);
    try {
      await until(async () => work(vendor).length > 0);
      for (let done = 1; done <= count; done++) {
        await rotated(product, done);
        onRotation(done);
      }
      // What it does with the last version counts too.
      const seen = work(vendor).length;
      await until(async () => work(vendor).length > seen + 10);
    } finally {
      service.kill('SIGTERM');
    }
    const calls = work(vendor);
    const { versions } = await shown(product);
    return {
      rotations: count,
      requests: calls.length,
      refused: calls.filter(({ outcome }) => outcome !== 'accepted').length,
      used: new Set(calls.map(({ credentialId }) => credentialId)).size,
      alive: versions.filter(({ state }) => state !== 'disabled' && state !== 'destroyed').length,
    };
  } finally {
    await (await local).end('SIGTERM');
    await vendor.stop();
    rmSync(workspace, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The sandbox vendor's own description, for a vendor that answers at once: nothing has to be waited for. */
function quickSpec(folder: string, { url, adminKey }: Vendor): void {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'adapters', 'providers', 'specs', 'sandbox.yaml'), 'utf8')
    .replace('id: sandbox', 'id: quick')
    .replace("'http://127.0.0.1:4010'", `'${url}'`)
    .replace('{ activate: PT10S, revoke: PT10S }', '{ activate: PT1S, revoke: PT1S }')
    .replace('{ alive: 2, denied: 2, every: PT1S }', '{ alive: 1, denied: 1, every: PT1S }');
  mkdirSync(join(folder, 'providers'));
  writeFileSync(join(folder, 'providers', 'quick.yaml'), text);
  mkdirSync(join(folder, 'admin', 'quick'), { mode: 0o700 });
  writeFileSync(join(folder, 'admin', 'quick', 'default.json'), JSON.stringify({ apiKey: adminKey.reveal() }), { mode: 0o600 });
}

function startService(workspace: string, { folder, port }: LocalProcess, vendor: Vendor) {
  const args = {
    name: 'app',
    key: keyId,
    file: join(workspace, 'values', keyId),
    'token-file': join(folder, 'consumers', 'app.token'),
    rekey: `http://127.0.0.1:${port}`,
    vendor: vendor.url,
    pace: String(paceMs),
  };
  const file = join(import.meta.dirname, '..', '..', 'local', 'demo', 'service.ts');
  const command = [file, ...Object.entries(args).flatMap(([name, text]) => [`--${name}`, text])];
  return spawn(process.execPath, command, { stdio: ['pipe', 'ignore', 'inherit'] });
}

/** One rotation from the request to its end; right after an operation it is refused for as long as a late worker may still be writing. */
async function rotated(product: LocalProcess, nth: number): Promise<void> {
  const requestId = `rotation-${nth}`;
  await until(async () => Boolean(await product.ask('rotate', { keyId, reason: 'again', requestId })));
  await until(async () => {
    const { state, current } = await shown(product);
    return state === 'active' && current === nth + 1;
  });
}

const shown = (product: LocalProcess): Promise<KeyReport> => product.ask<KeyReport>('key.show', { keyId });
const work = (vendor: Vendor) => vendor.log().filter(({ operation }) => operation === 'work');

/** A busy machine answers late, and then the request says that it did not: what was asked is asked again. */
const again = ['E_TOO_SOON', 'E_BUSY', 'E_UNREACHABLE'];

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + limitSeconds * 1000; Date.now() < end; await pause(100)) {
    try {
      if (await holds()) return;
    } catch (error) {
      if (!again.includes((error as Error).name)) throw error;
    }
  }
  throw new Error(`not within ${limitSeconds} s`);
}
