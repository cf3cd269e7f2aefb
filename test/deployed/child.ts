import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  /** The exit code; 128 and more for a signal; 127 when the program is not there. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to its stdin, which is then closed. */
  readonly input?: string;
  readonly limitSeconds?: number;
}

/** What runs now. It ends when this process ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs a program to its end and returns what it printed. Ends it after the limit (default 300 s), and when this process ends. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: 'pipe' });
  running.add(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), (options.limitSeconds ?? 300) * 1000);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk));
  // A program that ends before it has read everything is no failure of ours.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  try {
    const [code] = await once(child, 'close');
    return { code: code ?? 128, out, err };
  } catch {
    return { code: 127, out, err };
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}
