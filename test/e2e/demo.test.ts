import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const main = join(import.meta.dirname, '..', '..', 'local', 'demo', 'main.ts');

test('POL-V4: the demo ends well: every claim was seen in the vendor’s own log, and nothing is left behind', {
  timeout: 240_000,
}, async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'rekey-demo-test-'));
  onTestFinished(() => rm(temporary, { recursive: true, force: true }));
  const child = spawn(process.execPath, [main], { env: { ...process.env, TMPDIR: temporary }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk));
  const [code] = await once(child, 'exit');
  expect(printed).toMatch(/(\d+) of \1 statements were seen in the vendor's own log/);
  for (const claim of ['version 2 is dead', 'the rollback is done', 'no call of a service was refused', 'proven dead'])
    expect(printed).toContain(claim);
  expect(printed).not.toMatch(/✗|Error:|\n\s+at /);
  expect(code).toBe(0);
  expect(await readdir(temporary)).toEqual([]);
  expect(await processesWith(temporary)).toEqual([]);
});

async function processesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(text)) found.push(pid);
  }
  return found;
}
