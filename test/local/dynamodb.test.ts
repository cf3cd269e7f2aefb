import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dynamoInventory } from '../../adapters/aws/inventory.ts';
import { type LocalDynamo, startDynamo } from '../../local/dynamodb.ts';

const table = 'rekey-local';
const item = { pk: 'KEY#a', sk: 'META', n: 1 };
let dataDir: string;
const started: LocalDynamo[] = [];
const processes: ChildProcess[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'rekey-dynamodb-'));
});
afterEach(async () => {
  for (const engine of started.splice(0)) await engine.stop();
  for (const child of processes.splice(0)) child.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

const start = async (options: Partial<Parameters<typeof startDynamo>[0]> = {}) => {
  const engine = await startDynamo({ dataDir, table, ...options });
  started.push(engine);
  return engine;
};
const inventoryOf = (engine: LocalDynamo) => dynamoInventory({ client: engine.client, table, callSeconds: 5 });
const pidFile = () => join(dataDir, 'inventory.pid');
const enginePid = () => Number(readFileSync(pidFile(), 'utf8').split(' ')[0]);
const lives = (pid: number) => {
  try {
    process.kill(pid, 0);
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
};

/** Another process that starts the engine on the same directory, writes one item, says so and then waits. */
async function otherProcess(afterwards: string): Promise<ChildProcess> {
  const root = new URL('../..', import.meta.url);
  const program = `
    import { startDynamo } from '${new URL('local/dynamodb.ts', root)}';
    import { dynamoInventory } from '${new URL('adapters/aws/inventory.ts', root)}';
    const engine = await startDynamo({ dataDir: ${JSON.stringify(dataDir)}, table: '${table}' });
    const inventory = dynamoInventory({ client: engine.client, table: '${table}', callSeconds: 5 });
    await inventory.write([{ do: 'put', item: ${JSON.stringify(item)} }]);
    console.log('written');
    ${afterwards}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  processes.push(child);
  await once(child.stdout!, 'data');
  return child;
}

describe('the embedded DynamoDB engine', () => {
  it('keeps what was written when it is stopped and started again, and leaves no process', async () => {
    const first = await start();
    await inventoryOf(first).write([{ do: 'put', item }]);
    const pid = enginePid();
    await first.stop();
    await first.stop();
    expect(lives(pid)).toBe(false);
    expect(await inventoryOf(await start()).get(item)).toEqual(item);
  });

  it('listens on loopback only', async () => {
    const { hostname, port } = new URL((await start()).endpoint);
    expect(hostname).toBe('127.0.0.1');
    const hexPort = Number(port).toString(16).toUpperCase().padStart(4, '0');
    const listening = ['tcp', 'tcp6']
      .flatMap((file) => readFileSync(`/proc/net/${file}`, 'utf8').split('\n'))
      .filter((line) => line.includes(`:${hexPort} `) && / 0A /.test(line));
    expect(listening.map((line) => line.trim().split(/\s+/)[1])).toEqual([`0100007F:${hexPort}`]);
  });

  it('is in memory without a data directory: two are apart, and a stopped one is forgotten', async () => {
    const memory = async () => {
      const engine = await startDynamo({ table });
      started.push(engine);
      return engine;
    };
    const [a, b] = [await memory(), await memory()];
    await inventoryOf(a).write([{ do: 'put', item }]);
    expect(await inventoryOf(b).get(item)).toBeUndefined();
    await a.stop();
    expect(await inventoryOf(await memory()).get(item)).toBeUndefined();
  });

  it('left behind by a killed process is ended, and its data is there', async () => {
    const other = await otherProcess('setInterval(() => {}, 1000);');
    const orphan = enginePid();
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(lives(orphan)).toBe(true);
    const engine = await start();
    await until(() => !lives(orphan));
    expect(enginePid()).not.toBe(orphan);
    expect(await inventoryOf(engine).get(item)).toEqual(item);
  });

  it('ends with the process that started it, even when that process forgets to stop it', async () => {
    const other = await otherProcess('');
    const pid = enginePid();
    await once(other, 'exit');
    await until(() => !lives(pid));
    expect(await inventoryOf(await start()).get(item)).toEqual(item);
  });

  it('of a process that still runs is left alone: the second start is refused', async () => {
    const other = await otherProcess('setInterval(() => {}, 1000);');
    await expect(startDynamo({ dataDir, table })).rejects.toMatchObject({ name: 'Refused', code: 'E_BUSY' });
    expect(lives(enginePid())).toBe(true);
    other.kill('SIGTERM');
    await once(other, 'exit');
    await start();
  });

  it('never ends a process that merely has the number in the file', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    processes.push(stranger);
    writeFileSync(pidFile(), `${stranger.pid} 1\n`);
    await start();
    expect(lives(stranger.pid!)).toBe(true);
    expect(enginePid()).not.toBe(stranger.pid);
  });

  it('starts beside a pid file that holds rubbish', async () => {
    writeFileSync(pidFile(), 'rubbish');
    await start();
    expect(enginePid()).toBeGreaterThan(0);
  });

  it('that does not exist for this machine is refused with what to install or set', async () => {
    const refused = startDynamo({ dataDir, table, platform: 'plan9-mips' });
    await expect(refused).rejects.toMatchObject({ name: 'Refused', code: 'E_UNREACHABLE' });
    await expect(refused).rejects.toThrow(/@dynoxide\/plan9-mips.*REKEY_DYNAMODB_ENDPOINT/);
  });

  it('is not started where an endpoint is given: that one is used, and its table is created', async () => {
    const engine = await start();
    process.env.REKEY_DYNAMODB_ENDPOINT = engine.endpoint;
    try {
      const given = await startDynamo({ table: 'rekey-given', platform: 'plan9-mips' });
      expect(given.endpoint).toBe(engine.endpoint);
      const inventory = dynamoInventory({ client: given.client, table: 'rekey-given', callSeconds: 5 });
      await inventory.write([{ do: 'put', item }]);
      await given.stop();
      expect(await inventory.get(item)).toEqual(item);
    } finally {
      delete process.env.REKEY_DYNAMODB_ENDPOINT;
    }
  });

  it('says where it looked when the given endpoint does not answer', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    process.env.REKEY_DYNAMODB_ENDPOINT = `http://127.0.0.1:${port}`;
    try {
      await expect(startDynamo({ table })).rejects.toThrow(new RegExp(`http://127.0.0.1:${port}`));
    } finally {
      delete process.env.REKEY_DYNAMODB_ENDPOINT;
    }
  });
});
