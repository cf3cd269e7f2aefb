import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A child process of the demo. */
export interface Child {
  /** Asks it to end and waits until it is gone; after a while it is killed. */
  stop(): Promise<void>;
  /** What it wrote to stderr, at most the last part. */
  complaints(): string;
  readonly exited: () => boolean;
}

const stopMs = 15_000;

/** Runs a TypeScript file of this repository with this Node. Each line of its stdout goes to `onLine`. Its stdin stays open as long as the demo lives. */
export function startChild(file: string, args: readonly string[], cwd: string, onLine: (line: string) => void): Child {
  const child = spawn(process.execPath, [file, ...args], { cwd, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
  createInterface({ input: child.stdout }).on('line', onLine);
  const complaints = keepTail(child);
  return {
    exited: () => child.exitCode !== null || child.signalCode !== null,
    complaints,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
      await gone;
      clearTimeout(timer);
    },
  };
}

/** Runs a command to its end, with text for its stdin. */
export async function runToEnd(
  file: string,
  args: readonly string[],
  cwd: string,
  input = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [file, ...args], { cwd, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  const complaints = keepTail(child);
  // A command that does not read its stdin closes it; that is its affair.
  child.stdin.on('error', () => undefined).end(input);
  const [code] = await once(child, 'close');
  return { code, stdout, stderr: complaints() };
}

function keepTail(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk).slice(-4000);
  });
  return () => text;
}
