import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { KeyFacts } from '../../core/key.ts';
import { readKeyFile } from '../../requests/key-document.ts';
import type { RunningInstance } from '../files.ts';
import { type Child, runToEnd, startChild } from './child.ts';
import { DemoFailed } from './failed.ts';
import { type Service, startService } from './services.ts';
import { type VendorClient, vendorClient } from './vendor-client.ts';

/** Everything the demo plays with: a temporary folder and real processes around it. */
export interface Stage {
  readonly workspace: string;
  /** The key documents of local/demo/keys, as they are registered. */
  readonly keys: readonly { readonly facts: KeyFacts; readonly file: string }[];
  readonly vendor: VendorClient;
  readonly services: readonly Service[];
  /** Asks the product's door as its operator. */
  ask<T>(request: string, input: object): Promise<T>;
  /** Runs the real command line in the workspace. Throws DemoFailed when it does not exit with 0. */
  rekey(args: readonly string[], input?: string): Promise<string>;
  /** Starts two processes per key. */
  startServices(): void;
  /** Waits until something was seen, `seconds` at most; throws DemoFailed when it was not, or a process ended, or the demo is interrupted. */
  until(what: string, seconds: number, seen: () => Promise<boolean> | boolean): Promise<void>;
  /** Ends every process and removes the folder. */
  close(): Promise<void>;
}

const here = import.meta.dirname;
const root = join(here, '..', '..');
const paceMs = 150;

/** Starts the vendor and the product. Whatever was started is ended by close(), also when this throws. */
export function openStage(
  waiting: (text: string) => void,
  interrupted: AbortSignal,
): { stage: Promise<Stage>; close: () => Promise<void> } {
  const workspace = mkdtempSync(join(tmpdir(), 'rekey-demo-'));
  const children: { readonly name: string; readonly child: Child }[] = [];
  let closing = false;

  const begin = (name: string, file: string, args: readonly string[], onLine: (line: string) => void = () => undefined): void => {
    children.push({ name, child: startChild(file, args, workspace, onLine) });
  };

  async function until(what: string, seconds: number, seen: () => Promise<boolean> | boolean): Promise<void> {
    const giveUpAt = Date.now() + seconds * 1000;
    while (!(await seen())) {
      if (interrupted.aborted) throw new DemoFailed('interrupted');
      const ended = closing ? undefined : children.find(({ child }) => child.exited());
      if (ended) throw new DemoFailed(`${ended.name} ended by itself: ${ended.child.complaints()}`);
      if (Date.now() > giveUpAt) throw new DemoFailed(`not seen within ${seconds} s: ${what}`);
      waiting(what);
      await pause(paceMs);
    }
  }

  async function close(): Promise<void> {
    closing = true;
    // The product first: its last calls still find the vendor.
    await Promise.all(children.filter(({ name }) => name !== 'the vendor').map(({ child }) => child.stop()));
    await Promise.all(children.map(({ child }) => child.stop()));
    rmSync(workspace, { recursive: true, force: true, maxRetries: 5 });
  }

  async function open(): Promise<Stage> {
    const folder = join(workspace, '.rekey');
    cpSync(join(here, 'installation'), folder, { recursive: true });
    const vendor = await startVendorProcess(workspace, begin, until);
    const admin = join(folder, 'admin', 'sandbox');
    mkdirSync(admin, { recursive: true, mode: 0o700 });
    writeFileSync(join(admin, 'default.json'), JSON.stringify({ apiKey: readFileSync(join(workspace, adminKeyFile), 'utf8').trim() }), {
      mode: 0o600,
    });
    begin('the product', join(root, 'local', 'main.ts'), ['--sandbox', vendor.url]);
    await until('the product to start', 30, () => existsSync(join(folder, 'local.json')));
    const { url, token }: RunningInstance = JSON.parse(readFileSync(join(folder, 'local.json'), 'utf8'));
    const keys = keyFiles();
    const services: Service[] = [];
    return {
      workspace,
      keys,
      vendor,
      services,
      until,
      close,
      async ask(request, input) {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const response = await fetch(`${url}/requests/${request}`, { method: 'POST', headers, body: JSON.stringify(input) });
        const body = (await response.json()) as { result: never; error?: { message: string } };
        if (!response.ok) throw new DemoFailed(`${request} was refused: ${body.error?.message}`);
        return body.result;
      },
      async rekey(args, input) {
        const { code, stdout, stderr } = await runToEnd(join(root, 'cli', 'rekey.mjs'), args, workspace, input);
        if (code !== 0) throw new DemoFailed(`"rekey ${args.slice(0, 3).join(' ')}" ended with ${code}: ${stderr}`);
        return stdout;
      },
      startServices() {
        for (const { facts } of keys) {
          for (const consumer of facts.consumers) {
            const service = startService({ consumer, keyId: facts.id, workspace, rekeyUrl: url, vendorUrl: vendor.url, begin });
            services.push(service);
          }
        }
      },
    };
  }

  return { stage: open(), close };
}

const adminKeyFile = 'vendor-admin.key';

async function startVendorProcess(
  workspace: string,
  begin: (name: string, file: string, args: readonly string[], onLine: (line: string) => void) => void,
  until: Stage['until'],
): Promise<VendorClient> {
  let url: string | undefined;
  const args = ['--port', '0', '--data-file', join(workspace, 'vendor.jsonl'), '--admin-key-file', join(workspace, adminKeyFile)];
  begin('the vendor', join(root, 'local', 'sandbox', 'main.ts'), args, (line) => {
    url ??= /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
  });
  await until('the vendor to start', 30, () => url !== undefined);
  return vendorClient(url as string, readFileSync(join(workspace, adminKeyFile), 'utf8').trim());
}

function keyFiles(): Stage['keys'] {
  const folder = join(here, 'keys');
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const file = join(folder, name);
      const { keys, rejected } = readKeyFile(readFileSync(file, 'utf8'), file);
      const [only] = keys;
      if (!only || rejected.length) throw new DemoFailed(`${name} is not a key document: ${rejected[0]?.problems[0]?.message}`);
      return { facts: only.facts, file };
    });
}
