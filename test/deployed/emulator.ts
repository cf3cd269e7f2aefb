import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { CannotRun } from './cannot-run.ts';
import { run } from './child.ts';

/** The emulator that the tests start when they are told no endpoint: MiniStack, from the Python package index. */
const version = '1.5.33';
const root = join(import.meta.dirname, '..', '..', '.emulator');
/** Its Python part: the one correction, and what ends it with us. */
const program = join(import.meta.dirname, 'emulator.py');
const startSeconds = 60;
const stopSeconds = 5;
const portAttempts = 3;

export interface Emulator {
  /** What its clients need in their environment. Its root user has made-up credentials. */
  readonly environment: Readonly<Record<string, string>>;
  /** The file with everything it printed. */
  readonly log: string;
  /** Ends it and everything it started. Again: nothing happens. */
  stop(): Promise<void>;
}

/**
 * Installs the emulator into `.emulator/` when it is not there, starts it on a free port of 127.0.0.1 with TLS, signatures and policies
 * enforced, and waits until it says that it is ready. It ends with this process, however this process ends.
 * Throws CannotRun: E_NO_PYTHON, E_NO_VENV, E_NO_PACKAGE, E_NO_OPENSSL, E_PORT_TAKEN, E_START.
 */
export async function startEmulator(say: (text: string) => void): Promise<Emulator> {
  const python = await install(say);
  tidy();
  for (let attempt = 1; attempt <= portAttempts; attempt++) {
    const started = await start(python, await freePort());
    if (started) return started;
  }
  throw new CannotRun('E_PORT_TAKEN', `the emulator found its port taken ${portAttempts} times in a row; try again`);
}

/** The python of a virtual environment that holds exactly this version. */
async function install(say: (text: string) => void): Promise<string> {
  await need('python3', ['--version'], 'E_NO_PYTHON', 'the emulator is a Python program: install Python 3.10 or newer as python3');
  await need('openssl', ['version'], 'E_NO_OPENSSL', 'the emulator makes its TLS certificate with the openssl command: install it');
  const folder = join(root, `ministack-${version}`);
  const python = join(folder, 'bin', 'python3');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return python;
  say(`installing the emulator, MiniStack ${version}, into .emulator`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  await need('python3', ['-m', 'venv', folder], 'E_NO_VENV', 'python3 cannot make a virtual environment: install its venv module');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `ministack==${version}`];
  await need(python, pip, 'E_NO_PACKAGE', `ministack==${version} cannot be installed from the Python package index`);
  writeFileSync(complete, '');
  return python;
}

async function need(program: string, args: readonly string[], code: CannotRun['code'], message: string): Promise<void> {
  const ended = await run(program, args);
  if (ended.code === 0) return;
  const why = (ended.err.trim() || ended.out.trim()).split('\n').slice(-3).join(' / ');
  throw new CannotRun(code, `${message}. Or set AWS_ENDPOINT_URL to an endpoint that runs already.${why && ` (${why})`}`);
}

/** Removes what runs left that were killed. */
function tidy(): void {
  for (const folder of readdirSync(root)) {
    const pid = Number(/^run-(\d+)-/.exec(folder)?.[1]);
    if (pid && !lives(pid)) rmSync(join(root, folder), { recursive: true, force: true });
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Undefined when somebody took the port in the meantime. */
async function start(python: string, port: number): Promise<Emulator | undefined> {
  const folder = join(root, `run-${process.pid}-${port}`);
  const log = join(root, 'emulator.log');
  mkdirSync(folder, { recursive: true });
  // Functions are unpacked below; they are no part of this package, whose modules are of the other kind.
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
  // In a group of its own, so that the processes which it starts for functions can be ended with it.
  const child = spawn(python, [program], { detached: true, stdio: 'pipe', cwd: folder, env: environmentOf(folder, port) });
  const file = createWriteStream(log);
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= ended(child).then(() => {
      file.end();
      rmSync(folder, { recursive: true, force: true });
    });
    return stopping;
  };
  const outcome = await ready(child, (chunk) => file.write(chunk));
  if (outcome === 'ready') {
    const certificate = join(folder, 'ministack-tls', 'server.crt');
    const environment = {
      AWS_ENDPOINT_URL: `https://127.0.0.1:${port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      NODE_EXTRA_CA_CERTS: certificate,
      // What the CDK goes by.
      AWS_CA_BUNDLE: certificate,
    };
    return { environment, log, stop };
  }
  await stop();
  if (outcome.includes('already in use')) return undefined;
  throw new CannotRun('E_START', `the emulator did not start within ${startSeconds} s. It printed last:\n${outcome}`);
}

function environmentOf(folder: string, port: number): NodeJS.ProcessEnv {
  const { PATH = '', HOME = folder, LANG = 'C.UTF-8' } = process.env;
  // Nothing else of our environment: it hands its own certificate to the functions only where none is named, and must not find our credentials.
  return {
    HOME,
    LANG,
    PATH: `${dirname(process.execPath)}:${PATH}`,
    TMPDIR: folder,
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    USE_SSL: '1',
    AUTH: 'true',
  };
}

/** `ready`, or the last lines of what it printed when it ended before or said nothing in time. */
async function ready(child: ChildProcess, keep: (chunk: Buffer) => void): Promise<string> {
  const answer = Promise.withResolvers<string>();
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      keep(chunk);
      said = (said + chunk).slice(-20_000);
      if (said.includes('Ready —')) answer.resolve('ready');
    });
  }
  const last = () => said.trim().split('\n').slice(-12).join('\n');
  child.once('exit', () => answer.resolve(last()));
  child.once('error', (error) => answer.resolve(error.message));
  const timer = setTimeout(() => answer.resolve(last()), startSeconds * 1000);
  const outcome = await answer.promise;
  clearTimeout(timer);
  return outcome;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // Nobody of its group is left.
    }
  };
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    signal('SIGTERM');
    const timer = setTimeout(() => signal('SIGKILL'), stopSeconds * 1000);
    await gone;
    clearTimeout(timer);
  }
  signal('SIGKILL');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
