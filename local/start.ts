import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { withFileLock } from '../adapters/file-lock.ts';
import { replaceFile } from '../adapters/replace-file.ts';
import { receive } from '../core/adoption.ts';
import { Refused } from '../core/errors.ts';
import { findKey } from '../core/items.ts';
import type { KeyFacts } from '../core/key.ts';
import type { Ports } from '../core/ports.ts';
import { resumeAll } from '../core/reconcile/reconcile.ts';
import { takeReports } from '../core/reports/batch.ts';
import { answer } from '../requests/answer.ts';
import { receiptOf } from '../requests/receipt.ts';
import { awsReports } from '../requests/senders/aws.ts';
import { receiveReport } from '../requests/senders/receive.ts';
import type { SecretOf } from '../requests/senders/sender.ts';
import { fileAdminCredentials, writeAdminCredential } from './admin-credentials.ts';
import { composeLocal, localTable } from './compose.ts';
import { type ConsumerTokens, consumerTokens } from './consumer-tokens.ts';
import { startDynamo } from './dynamodb.ts';
import { localFiles, type RunningInstance } from './files.ts';
import { type LocalInstallation, readLocalInstallation } from './installation.ts';
import { startVendor, type Vendor } from './sandbox/vendor.ts';
import { startSchedules } from './schedules.ts';
import { type LocalServer, startServer } from './server.ts';
import { fileTextSecrets } from './text-secrets.ts';

export interface StartOptions {
  /** Where everything is kept; made when missing. */
  readonly folder: string;
  /** Where relative paths of `local-file` destinations start. */
  readonly workspace: string;
  /** A sandbox vendor that runs already; `none` for no sandbox at all; without it one is started here. */
  readonly sandbox?: string | 'none';
  /** The door's port; any free one by default. */
  readonly port?: number;
}

export interface Started {
  readonly url: string;
  readonly sandboxUrl: string | undefined;
  readonly installation: LocalInstallation;
  /** Operations that an earlier run left open and that go on now. */
  readonly resumed: readonly string[];
  /** Ends everything that was started, the latest first. What is unfinished goes on at the next start. */
  stop(): Promise<void>;
}

/** How long to wait for another start on the same folder, in seconds. */
const lockSeconds = 20;

/**
 * Starts the whole product on this machine. Throws Refused E_BUSY when it already runs on this folder, E_UNREACHABLE when the inventory's
 * engine does not start, E_INPUT_INVALID when settings, policy or a provider's spec are refused. After a throw nothing is left running.
 */
export async function startLocal(options: StartOptions): Promise<Started> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const installation = readLocalInstallation(options.folder, options.workspace);
  const { running } = localFiles(options.folder);
  return await withFileLock(running, lockSeconds, async () => {
    await refuseSecond(running);
    const stops: (() => Promise<unknown>)[] = [];
    const stop = async () => {
      for (const end of stops.splice(0).reverse()) await end();
    };
    try {
      return { ...(await startParts(options, installation, stops)), installation, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  });
}

async function startParts(options: StartOptions, installation: LocalInstallation, stops: (() => Promise<unknown>)[]) {
  const { folder } = options;
  const files = localFiles(folder);
  const dynamo = await startDynamo({ dataDir: files.inventory, table: localTable });
  stops.push(dynamo.stop);
  const vendor = options.sandbox === undefined ? await startSandbox(folder) : undefined;
  if (vendor) stops.push(vendor.stop);
  const sandboxUrl = vendor?.url ?? (options.sandbox === 'none' ? undefined : options.sandbox);
  const { ports, executions, feed } = await composeLocal({ ...options, installation, dynamo, ...(sandboxUrl ? { sandboxUrl } : {}) });
  stops.push(feed.close);
  const consumers = await consumerTokens(files.consumers);
  await ensureConsumers(ports, consumers);
  stops.push(executions.stop);
  const token = randomBytes(32).toString('hex');
  const server = await startDoor(ports, consumers, feed, token, fileTextSecrets(files.senders), options.port);
  stops.push(server.stop);
  const resumed = await resumeAll(ports);
  stops.push(startSchedules(ports, installation.policy));
  const instance: RunningInstance = {
    url: server.url,
    token,
    pid: process.pid,
    startedAt: new Date().toISOString(),
    ...(sandboxUrl ? { sandboxUrl } : {}),
  };
  await replaceFile(files.running, `${JSON.stringify(instance)}\n`);
  stops.push(() => rm(files.running, { force: true }));
  ports.log.info('local mode started', { url: server.url, resumed: resumed.length });
  return { url: server.url, sandboxUrl, resumed };
}

/** The file may be left over from a killed process; only an answer from that very process counts. */
async function refuseSecond(running: string): Promise<void> {
  const text = await readFile(running, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  try {
    const { url, pid } = JSON.parse(text) as RunningInstance;
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) });
    const health = (await response.json()) as { pid?: number };
    if (health.pid !== pid) return;
    throw new Refused('E_BUSY', `Rekey already runs on this folder: process ${pid}, ${url}`);
  } catch (error) {
    if (error instanceof Refused) throw error;
  }
}

async function startSandbox(folder: string): Promise<Vendor> {
  const { admin, sandbox } = localFiles(folder);
  const known = await fileAdminCredentials(admin)('sandbox', 'default').catch(() => undefined);
  const vendor = await startVendor({ dataFile: sandbox, ...(known?.apiKey ? { adminKey: known.apiKey } : {}) });
  if (!known) await writeAdminCredential(admin, 'sandbox', 'default', { apiKey: vendor.adminKey });
  return vendor;
}

async function startDoor(
  ports: Ports,
  consumers: ConsumerTokens,
  feed: Parameters<typeof startServer>[0]['feed'],
  token: string,
  secretOf: SecretOf,
  port = 0,
): Promise<LocalServer> {
  const caller = { actor: `local:${userInfo().username}`, via: 'operate' } as const;
  return await startServer({
    answer: async (name, input) => {
      const result = await answer(ports, name, input, caller);
      if (name === 'key.register') for (const one of consumersIn(input)) await consumers.ensure(one);
      return result;
    },
    receive: (input, consumer) => receive(ports, receiptOf(input), consumer),
    report: (sender, message) => receiveReport(ports, secretOf, sender, message),
    // Whoever holds the token says whose event it is: on this machine there is no account to compare with.
    awsEvent: (event) =>
      takeReports(ports, awsReports(event, String((event as { account?: unknown } | null)?.account)), {
        actor: caller.actor,
        budget: true,
      }),
    feed,
    consumers,
    token,
    log: ports.log,
    port,
  });
}

/** The consumers of the keys that were just registered: one, or many. */
function consumersIn(input: unknown): string[] {
  const { facts, rows = [facts] } = input as { readonly facts?: KeyFacts; readonly rows?: readonly (KeyFacts | undefined)[] };
  return rows.flatMap((one) => (one?.consumers ?? []).map(({ name }) => name));
}

/** Every consumer of every key can hear and answer. */
async function ensureConsumers(ports: Ports, consumers: ConsumerTokens): Promise<void> {
  for await (const { keyId } of ports.inventory.hints('keys')) {
    const key = await findKey(ports, keyId);
    for (const { name } of key?.facts.consumers ?? []) await consumers.ensure(name);
  }
}
