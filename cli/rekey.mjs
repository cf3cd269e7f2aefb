#!/usr/bin/env node
/**
 * Starts the command line. Plain JavaScript that any Node from 18 on can read: the command line itself is TypeScript and
 * needs Node 24, which `npm ci` puts into the project, so an older Node only hands over to that one.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const needed = 24;
const ownNode = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= needed) {
  // Most of a command's time is reading TypeScript. What was read is kept inside the project, where nobody else can write.
  module.enableCompileCache?.(fileURLToPath(new URL('../node_modules/.cache/rekey', import.meta.url)));
  const { run } = await import('./main.ts');
  process.exitCode = await run(process.argv.slice(2));
} else if (existsSync(ownNode) && !process.env.REKEY_HANDED_OVER) {
  handOver();
} else {
  process.stderr.write(
    `rekey needs Node ${needed}; this is ${process.versions.node}. Run "npm ci" in the project, which installs it there.\n`,
  );
  process.exitCode = 1;
}

/** The same arguments, the same streams, the same exit code; a signal sent to this process reaches the command. */
function handOver() {
  // The mark stops a chain of hand-overs where the project's own Node turns out to be as old as this one.
  const env = { ...process.env, REKEY_HANDED_OVER: '1' };
  const child = spawn(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`rekey cannot start the project's own Node: ${error.code}. Run "npm ci" again.\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
