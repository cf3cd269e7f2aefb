import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';
import { type Started, startLocal } from '../../local/start.ts';

/** What one command line did. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
}

export const launcher = join(import.meta.dirname, '..', '..', 'cli', 'rekey.mjs');

/** Runs the real launcher as a process of its own. stdin is a pipe, and so are its outputs: nobody sits in front of it. */
export async function rekey(args: readonly string[], { stdin = '', env = {}, cwd = tmpdir() }: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [launcher, ...args], { cwd, env: { PATH: process.env.PATH ?? '', HOME: cwd, ...env } });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (chunk: string) => (texts[name] += chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { code, ...texts };
}

/** The whole local product in this process, on a folder of its own, with a sandbox vendor that the test can look into. */
export interface Installation {
  readonly workspace: string;
  readonly vendor: Vendor;
  readonly started: Started;
  /** A command line in its workspace. */
  rekey(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** A key document in its workspace; returns the file's name. */
  keyFile(name: string, ...ids: readonly string[]): string;
  /** Stops the product, lets something be done behind its back, and starts it again on the same folder. */
  meanwhile(work: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** As short as the inequalities of the settings allow. */
const settings = `
callSeconds: 0.9
functionSeconds: 6
marginSeconds: 1
settleSeconds: 0.5
skewSeconds: 0.5
reconcileSeconds: 1
orphanSeconds: 4
stuckSeconds: 8
`;

/** Starts it. Rotations are not started by schedules: no key of a test is due. */
export async function localInstallation(): Promise<Installation> {
  const workspace = mkdtempSync(join(tmpdir(), 'rekey-cli-'));
  const folder = join(workspace, '.rekey');
  const vendor = await startVendor();
  mkdirSync(join(folder, 'admin', 'sandbox'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'settings.yaml'), settings);
  writeFileSync(join(folder, 'admin', 'sandbox', 'default.json'), JSON.stringify({ apiKey: vendor.adminKey.reveal() }), { mode: 0o600 });
  let started = await startLocal({ folder, workspace, sandbox: vendor.url });
  return {
    workspace,
    vendor,
    get started() {
      return started;
    },
    rekey: (args, options) => rekey(args, { cwd: workspace, ...options }),
    keyFile(name, ...ids) {
      writeFileSync(join(workspace, name), ids.map(keyDocument).join('---\n'));
      return name;
    },
    async meanwhile(work) {
      await started.stop();
      await work();
      started = await startLocal({ folder, workspace, sandbox: vendor.url });
    },
    async stop() {
      await started.stop();
      await vendor.stop();
      rmSync(workspace, { recursive: true, force: true });
    },
  };
}

/** A good key document of tier medium, delivered to a file of the workspace. */
export function keyDocument(id: string): string {
  return `apiVersion: rekey/v1
kind: Key
id: ${id}
owner: team-payments
environment: staging
purpose: a test
provider: sandbox
params: {principal: ${id.replaceAll('/', '-')}}
store: rekey
destinations:
  - {id: file, kind: local-file, at: values/${id}}
consumers:
  - {name: checkout, owner: team-shop, contact: shop@example.test, refresh: PT2S}
expires: never
`;
}
