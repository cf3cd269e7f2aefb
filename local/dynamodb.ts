import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { Refused } from '../core/errors.ts';
import { createTable } from './dynamodb-table.ts';

export interface LocalDynamo {
  readonly endpoint: string;
  /** What a client needs to talk to it. The credentials are made up: the engine checks none. */
  readonly client: DynamoDBClientConfig;
  /** Ends the engine and waits until it is gone; what was written stays in the data directory. Again: nothing happens. */
  stop(): Promise<void>;
}

interface LocalDynamoOptions {
  /** Where the database file lives; created when missing. Without it the database is in memory and gone after stop(). */
  readonly dataDir?: string;
  readonly table: string;
  /** Which of the engine's packages to use; this machine's unless a test says otherwise. */
  readonly platform?: string;
}

const endpointVariable = 'REKEY_DYNAMODB_ENDPOINT';
const startSeconds = 10;
const stopSeconds = 5;
const portAttempts = 5;

/**
 * Starts the embedded DynamoDB engine on a free loopback port and creates the inventory's table when it is missing.
 * An engine that a killed process left behind on the same data directory is ended first. Where REKEY_DYNAMODB_ENDPOINT is set, that
 * endpoint is used and nothing is started. Throws Refused E_UNREACHABLE when there is no engine to start, E_BUSY when a running
 * process already uses the data directory.
 */
export async function startDynamo({ dataDir, table, platform }: LocalDynamoOptions): Promise<LocalDynamo> {
  const given = process.env[endpointVariable];
  const engine = given ? undefined : await startEngine(engineBinary(platform), dataDir && resolve(dataDir));
  const endpoint = given || engine!.endpoint;
  const client = { endpoint, region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const stop = async () => await engine?.stop();
  try {
    await createTable(new DynamoDBClient(client), table);
  } catch {
    await stop();
    throw new Refused('E_UNREACHABLE', `the table ${table} could not be created at ${endpoint}`);
  }
  return { endpoint, client, stop };
}

interface Engine {
  readonly endpoint: string;
  stop(): Promise<void>;
}

function engineBinary(platform = `${process.platform}-${process.arch}`): string {
  const name = `@dynoxide/${platform}`;
  try {
    return realpathSync(join(createRequire(import.meta.url).resolve(`${name}/package.json`), '..', 'dynoxide'));
  } catch {
    const hint = `install the npm package ${name}, or set ${endpointVariable} to the address of a DynamoDB-compatible server`;
    throw new Refused('E_UNREACHABLE', `there is no embedded DynamoDB engine for this machine: ${hint}`);
  }
}

async function startEngine(binary: string, dataDir: string | undefined): Promise<Engine> {
  const files = dataDir && { database: join(dataDir, 'inventory.db'), pid: join(dataDir, 'inventory.pid') };
  if (files) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    await reap(binary, files);
  }
  for (let attempt = 1; attempt <= portAttempts; attempt++) {
    const port = await freePort();
    const args = ['--host', '127.0.0.1', '--port', String(port), ...(files ? ['--db-path', files.database] : [])];
    // In a process group of its own: Ctrl-C in the terminal reaches us alone, and we end the engine after our last write.
    const child = spawn(binary, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    if (files && child.pid) writeFileSync(files.pid, `${child.pid} ${process.pid}\n`, { mode: 0o600 });
    const end = () => child.kill();
    process.once('exit', end);
    if (await listening(child)) {
      const stop = async () => {
        process.off('exit', end);
        await ended(child);
        if (files) rmSync(files.pid, { force: true });
      };
      return { endpoint: `http://127.0.0.1:${port}`, stop };
    }
    process.off('exit', end);
    await ended(child);
  }
  throw new Refused('E_UNREACHABLE', `the embedded DynamoDB engine did not start in ${portAttempts} attempts`);
}

/** Whether the child itself says that it listens; another server could answer on the port. False when it ended or said nothing. */
async function listening(child: ChildProcess): Promise<boolean> {
  const heard = Promise.withResolvers<boolean>();
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      // Read to the end of its life, or the engine blocks on a full pipe; remembered only until it listens.
      if (said.length < 10_000) said += chunk;
      if (said.includes('Dynoxide listening')) heard.resolve(true);
    });
  }
  child.once('exit', () => heard.resolve(false));
  child.once('error', () => heard.resolve(false));
  const timer = setTimeout(() => heard.resolve(false), startSeconds * 1000);
  const answer = await heard.promise;
  clearTimeout(timer);
  // The engine alone does not keep this process running; when this process ends, the engine is ended.
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
  return answer;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopSeconds * 1000);
  await gone;
  clearTimeout(timer);
}

/** Ends the engine that a process which is no more left on this database. A pid alone proves nothing: it must be that program on that file. */
async function reap(binary: string, files: { readonly database: string; readonly pid: string }): Promise<void> {
  const [pid, parent] = read(files.pid).split(/\s+/).map(Number);
  const lives = () => pid && exe(pid) === binary && read(`/proc/${pid}/cmdline`).split('\0').includes(files.database);
  if (!pid || !lives()) return;
  // A child whose parent is gone gets another parent.
  if (parentOf(pid) === parent) throw new Refused('E_BUSY', `process ${parent} is already running on this data directory`);
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; lives(); waited += 20) {
    if (waited >= stopSeconds * 1000) process.kill(pid, 'SIGKILL');
    await sleep(20);
  }
}

function exe(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  } catch {
    return '';
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1]);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
