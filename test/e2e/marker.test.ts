import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { rekeyConsumer } from '../../consumer/consumer.ts';
import { httpFeed, httpReceipts } from '../../consumer/http.ts';
import { startVendor } from '../../local/sandbox/vendor.ts';
import { rekey } from '../support/local-installation.ts';
import { factsOf, localProcess } from '../support/local-process.ts';
import { findMarkers } from '../support/marker.ts';

const policy = `
apiVersion: rekey/v1
kind: Policy
version: marker
approvedStores: [rekey]
maxHold: P1D
tiers:
  high: &tier { rotateEvery: P30D, overlapMin: PT1S, overlapMax: PT60S, atOverlapMax: hold, soak: P7D, quiet: P1D, tolerance: PT1H }
  medium: *tier
  low: *tier
`;

const keyId = 'payments/marked';

/**
 * INV-20, POL-F9: every value that the vendor mints is known here, and is looked for wherever Rekey writes, prints or hands on: the log,
 * the inventory's database file, notices, answers of every request, the command line's outputs, arguments and environments of every
 * process of the product. Only the destination and, encrypted, the secret store hold a value.
 */
test('no value is found in any log line, payload, event, error, table item, output, argument or environment', {
  timeout: 300_000,
}, async () => {
  const workspace = await mkdtemp(join(tmpdir(), 'rekey-marker-'));
  onTestFinished(() => rm(workspace, { recursive: true, force: true, maxRetries: 5 }));
  const values: string[] = [];
  const mint = () => {
    // The vendor's format, with what HTML, URLs and JSON would escape left out by the format itself.
    const value = `sbx_${randomBytes(20).toString('hex')}`;
    values.push(value);
    return value;
  };
  const vendor = await startVendor({ mint });
  onTestFinished(() => vendor.stop());
  const local = await localProcess(workspace, vendor);
  await writeFile(join(local.folder, 'policy.yaml'), policy);
  await local.start();
  onTestFinished(async () => void (await local.end('SIGTERM')));
  const http = { url: `http://127.0.0.1:${local.port}`, token: () => readFile(join(local.folder, 'consumers', 'app.token'), 'utf8') };
  const read = () => readFile(join(workspace, 'values', keyId), 'utf8');
  const consumer = rekeyConsumer({ name: 'app', feed: httpFeed(http), receipts: httpReceipts(http), read });
  onTestFinished(() => consumer.stop());

  const sinks: Record<string, string> = {};
  const run = async (args: readonly string[], stdin?: string) => {
    const ran = await rekey(args, { cwd: workspace, env: { REKEY_HOME: local.folder }, ...(stdin === undefined ? {} : { stdin }) });
    sinks[`rekey ${args.join(' ')}`] = ran.stdout + ran.stderr;
    return ran;
  };
  const state = async () => local.ask<{ state: string; operation: unknown; current: number | null }>('key.show', { keyId });
  const until = async (holds: () => Promise<boolean>) => {
    for (let i = 0; !(await holds()); i++) {
      if (i > 1200) throw new Error('it did not come to an end');
      Object.assign(sinks, await processes());
      await pause(50);
    }
  };
  const idle = async () => {
    const shown = await state();
    return shown.state === 'active' && shown.operation === null;
  };

  await local.ask('key.register', { facts: factsOf(keyId, ['app']) });
  await local.ask('key.mint', { keyId });
  await until(idle);
  consumer.start();
  // A lost answer on the way: an orphan, an error path, a second mint.
  vendor.fault({ kind: 'timeout-after-success', on: 'create', count: 1 });
  // Until the last attempt of the first issue can no longer be under way, a rotation is refused as too soon.
  await until(async () => (await run(['rotate', keyId, '--reason', 'marker', '--yes', '--json'])).code === 0);
  await until(async () => (await idle()) && (await state()).current === 2);
  const leaked = await read();
  const revoked = await run(['revoke', '--leaked', '-', '--source', 'repository', '--confirm', keyId, '--reason', 'marker'], leaked);
  expect(revoked.code, 'the leaked string was recognised and its version died').toBe(0);
  await until(async () => (await idle()) && (await state()).current === 3);
  // The strings of an unknown leak, and of one in the wrong place, are not echoed either.
  await run(['revoke', leaked]);
  await run(['rotate', keyId, '--reason', leaked, '--yes']);
  await run(['key', 'show', keyId, '--json']);
  await run(['key', 'explain', keyId]);
  await run(['history', keyId, '--json']);
  await run(['status', '--json']);
  await run(['doctor']);

  for (const name of ['key.show', 'key.history', 'key.explain', 'status']) {
    sinks[`answer of ${name}`] = JSON.stringify(await local.ask(name, name === 'status' ? {} : { keyId }));
  }
  sinks['what it printed'] = local.printed();
  Object.assign(sinks, await files(local.folder));

  expect(values.length, 'three versions and one orphan').toBe(4);
  expect(Object.keys(sinks)).toEqual(
    expect.arrayContaining([expect.stringContaining('inventory.db'), expect.stringContaining('rekey.log')]),
  );
  expect(findMarkers(values, sinks)).toEqual([]);
  // The search is able to find: the destination holds the value, as it must.
  expect(findMarkers(values, { destination: await read() })).toHaveLength(1);
});

/** Every file below a folder, byte for byte. */
async function files(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) found[entry.name] = (await readFile(join(entry.parentPath, entry.name))).toString('latin1');
  }
  return found;
}

/** Arguments and environments of every process that belongs to Rekey or was started by this test. */
async function processes(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      const cmdline = await readFile(`/proc/${pid}/cmdline`, 'latin1');
      if (!/rekey|dynoxide|local\/main/.test(cmdline)) continue;
      found[`arguments of ${pid}`] = cmdline;
      found[`environment of ${pid}`] = await readFile(`/proc/${pid}/environ`, 'latin1');
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}
