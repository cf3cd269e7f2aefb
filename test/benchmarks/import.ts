import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { startLocal } from '../../local/start.ts';

/**
 * How fast keys are imported, and how much memory the command takes, from a CSV file into the whole local product: its door over HTTP, its
 * inventory in the embedded engine. Then the same file once more, of which nothing changes, and an export. `npx node test/benchmarks/import.ts
 * [keys]`, 100,000 by default. Ends with 1 when the command took 300 MB or more, or the counts are wrong.
 */
const count = Number(process.argv[2] ?? 100_000);
const most = 300;
const workspace = mkdtempSync(join(tmpdir(), 'rekey-import-'));
const path = join(workspace, 'keys.csv');
const file = createWriteStream(path);
file.write('id,owner,environment,purpose,provider,store,destinations,consumers,expires,scopes,params.principal\n');
for (let i = 0; i < count; i++) {
  const line = `fleet/key-${i},team-${i % 50},staging,charge cards,sandbox,rekey,app=local-file:values/${i}.key,,never,charges,principal-${i}\n`;
  if (!file.write(line)) await once(file, 'drain');
}
file.end();
await finished(file);
const folder = join(workspace, '.rekey');
// The reconciler would look at every new key meanwhile; how fast it does is not what is measured.
mkdirSync(folder);
writeFileSync(
  join(folder, 'settings.yaml'),
  'callSeconds: 10\nfunctionSeconds: 60\nmarginSeconds: 5\nstuckSeconds: 120\nreconcileSeconds: 3600\norphanSeconds: 10800\n',
);
const started = await startLocal({ folder, workspace, sandbox: 'http://127.0.0.1:9' });
try {
  const first = await rekey(['import', '-f', path, '--json']);
  const again = await rekey(['import', '-f', path, '--json']);
  const out = await rekey(['export', '--csv', '--out', join(workspace, 'out.csv')]);
  const exported = readFileSync(join(workspace, 'out.csv'), 'utf8').split('\n').length - 2;
  for (const [what, ran] of [
    ['import', first],
    ['import again', again],
    ['export', out],
  ] as const)
    console.log(
      `${what}: ${count} keys in ${ran.seconds.toFixed(1)} s, ${Math.round(count / ran.seconds)} a second, peak ${ran.megabytes} MB`,
    );
  const right = first.answer?.created === count && again.answer?.unchanged === count && exported === count;
  if (!right || [first, again, out].some(({ megabytes }) => megabytes >= most)) {
    console.error('not as it should be', first.answer, again.answer, exported);
    process.exitCode = 1;
  }
} finally {
  await started.stop();
  rmSync(workspace, { recursive: true, force: true });
}

/** Runs the command in a process of its own; its peak is what the kernel counted. */
async function rekey(args: readonly string[]) {
  const from = performance.now();
  const report = `process.on('exit', () => require('node:fs').writeSync(2, '\\npeak ' + process.resourceUsage().maxRSS))`;
  const child = spawn(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(`import { createRequire } from 'node:module'; const require = createRequire('file:///'); ${report}`)}`,
      join(import.meta.dirname, '..', '..', 'cli', 'rekey.mjs'),
      ...args,
    ],
    { cwd: workspace, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${stderr.slice(0, 500)}`);
  const [, peak = '0'] = /peak (\d+)/.exec(stderr) ?? [];
  return {
    seconds: (performance.now() - from) / 1000,
    megabytes: Math.round(Number(peak) / 1024),
    answer: args.includes('--json') ? (JSON.parse(stdout) as { created: number; unchanged: number }) : undefined,
  };
}
