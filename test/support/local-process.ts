import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningInstance } from '../../local/files.ts';
import type { Vendor } from '../../local/sandbox/vendor.ts';

/** The real `npm start` in a process of its own, on a folder that outlives it. */
export interface LocalProcess {
  /** `<workspace>/.rekey` */
  readonly folder: string;
  readonly port: number;
  /** Starts it and waits until its door answers. */
  start(): Promise<void>;
  /** Ends it with a signal and waits until it is gone. Returns its exit code, or the signal. */
  end(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<number | string | null>;
  /** POST /requests/<name> with the operator's token. Throws an Error named after the refusal's code. */
  ask<T = unknown>(name: string, input?: object): Promise<T>;
  /** What it printed so far. */
  printed(): string;
}

const main = join(import.meta.dirname, '..', '..', 'local', 'main.ts');
const startSeconds = 30;

/** Durations as short as the inequalities allow without starving a busy machine. */
const shortSettings = `
callSeconds: 1.1
functionSeconds: 6.5
marginSeconds: 0.5
settleSeconds: 0.5
skewSeconds: 0.5
reconcileSeconds: 1
idleCheckSeconds: 2
orphanSeconds: 4
stuckSeconds: 8
sweepSeconds: { high: 1, medium: 1, low: 1 }
`;

/** A local process on the workspace that talks to a vendor which is not part of it and so outlives it. */
export async function localProcess(
  workspace: string,
  vendor: Pick<Vendor, 'url' | 'adminKey'>,
  settings = shortSettings,
): Promise<LocalProcess> {
  const folder = join(workspace, '.rekey');
  mkdirSync(join(folder, 'admin', 'sandbox'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'settings.yaml'), settings);
  writeFileSync(join(folder, 'admin', 'sandbox', 'default.json'), JSON.stringify({ apiKey: vendor.adminKey.reveal() }), { mode: 0o600 });
  const port = await freePort();
  let child: ChildProcess | undefined;
  let printed = '';

  const running = (): RunningInstance => JSON.parse(readFileSync(join(folder, 'local.json'), 'utf8'));

  return {
    folder,
    port,
    async start() {
      const args = [main, '--folder', folder, '--port', String(port), '--sandbox', vendor.url];
      const started = spawn(process.execPath, args, { cwd: workspace, stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      for (const stream of [started.stdout, started.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          printed += chunk;
        });
      }
      for (let waited = 0; waited < startSeconds * 1000; waited += 20) {
        if (started.exitCode !== null) throw new Error(`it ended at once with ${started.exitCode}: ${printed}`);
        try {
          if (running().pid === started.pid) return;
        } catch {
          // Not written yet.
        }
        await pause(20);
      }
      throw new Error(`it did not start: ${printed}`);
    },
    async end(signal) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
      const gone = once(child, 'exit');
      child.kill(signal);
      const [code, by] = await gone;
      return code ?? by;
    },
    async ask(name, input = {}) {
      if (child?.exitCode !== null || child.signalCode !== null) {
        throw new Error(`it is not running: exit code ${child?.exitCode}, signal ${child?.signalCode}; it printed: ${printed.slice(-500)}`);
      }
      const { url, token } = running();
      const response = await fetch(`${url}/requests/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify(input),
      });
      const body = (await response.json()) as { result: never; error: { code: string; message: string } };
      if (response.ok) return body.result;
      throw Object.assign(new Error(body.error.message), { name: body.error.code });
    },
    printed: () => printed,
  };
}

/** What a key file would say: one destination `values/<id>`, used by the consumers named. */
export function factsOf(id: string, consumers: readonly string[]) {
  return {
    id,
    owner: 'team-payments',
    team: 'team-payments',
    unit: 'default',
    environment: 'staging',
    purpose: 'a test',
    provider: 'sandbox',
    account: 'default',
    params: { principal: id.replaceAll('/', '-') },
    privileged: false,
    exposure: 'internal',
    readers: [],
    scopes: [],
    store: 'rekey',
    destinations: [{ id: 'file', kind: 'local-file', at: `values/${id}`, environment: 'staging' }],
    consumers: consumers.map((name) => ({
      name,
      owner: 'team-payments',
      contact: 'payments@example.com',
      refreshSeconds: 1,
      class: 'cached',
      proof: 'possession',
    })),
    exclusive: false,
    incident: { contacts: ['payments@example.com'], reissue: 'automatic' },
    monitors: [],
    expiresAt: null,
    overlapSeconds: null,
    mode: 'live',
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
