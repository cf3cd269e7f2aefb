import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DrillResult } from '../../core/drills/drill.ts';
import type { CanaryView } from '../../core/drills/last.ts';
import type { Runbook } from '../../core/drills/runbook.ts';
import { type Installation, keyDocument, launcher, localInstallation, type Ran } from '../support/local-installation.ts';

let here: Installation;
beforeAll(async () => {
  here = await localInstallation();
});
afterAll(() => here.stop());

const canary = 'canary/sandbox';

async function adopt(key: string, document: (text: string) => string = (text) => text): Promise<void> {
  writeFileSync(join(here.workspace, 'one.yaml'), document(keyDocument(key)));
  const { value } = here.vendor.stranger(key.replaceAll('/', '-'), 'made by hand');
  expect(await here.rekey(['key', 'add', '-f', 'one.yaml', '--value-from', '-'], { stdin: value })).toMatchObject({ code: 0 });
}

/** A line as somebody copies it from the screen: a shell takes it apart. */
async function typed(line: string): Promise<Ran> {
  const function_ = `rekey() { "${process.execPath}" "${launcher}" "$@"; }`;
  const child = spawn('sh', ['-c', `${function_}\n${line}`], {
    cwd: here.workspace,
    env: { PATH: process.env.PATH ?? '', HOME: here.workspace },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (chunk: string) => (texts[name] += chunk));
  return { code: await new Promise((resolve) => child.on('close', resolve)), ...texts };
}

describe('rekey drill', () => {
  test('says what a canary is while there is none, and drills no key that services use', async () => {
    expect(await here.rekey(['drill', '--list'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/canary: true/) });
    expect(await here.rekey(['drill'])).toMatchObject({ code: 3, stderr: expect.stringMatching(/^E_NOT_FOUND/) });
    await adopt('in/use');
    expect(await here.rekey(['drill', 'in/use'])).toMatchObject({ code: 5, stderr: expect.stringMatching(/^E_NOT_A_CANARY/) });
    const { stdout } = await here.rekey(['revoke', 'in/use', '--dry-run']);
    expect(stdout).toMatch(/Last drill: none at sandbox: no canary is registered there/);
  });

  test('POL-R7 POL-K3 POL-R8: rotates, revokes and restores a canary at the vendor, and whoever revokes there sees how it went', async () => {
    await adopt(canary, (text) => text.replace(/consumers:\n.*\n/, 'consumers: []\ncanary: true\nexposure: isolated\noverlap: PT6S\n'));
    const before = here.vendor.log().length;
    let ran = await here.rekey(['drill', canary, '--json']);
    // A late worker of the adoption may still be writing.
    while (ran.code === 5 && ran.stderr.includes('E_TOO_SOON')) ran = await here.rekey(['drill', canary, '--json']);
    expect(ran).toMatchObject({ code: 0, stderr: expect.not.stringContaining('E_') });
    const result = JSON.parse(ran.stdout) as DrillResult;
    expect(result).toMatchObject({ passed: true, failures: [], fault: 'disable-unanswered' });
    for (const seconds of [result.rotateSeconds, result.disableSeconds, result.deadSeconds, result.restoreSeconds])
      expect(seconds).toBeGreaterThanOrEqual(0);
    expect(ran.code).toBe(0);
    const disabled = here.vendor
      .log()
      .slice(before)
      .filter(({ operation, status }) => operation === 'disable' && status === 200);
    expect(new Set(disabled.map(({ path }) => path)).size).toBe(2);

    const [view] = JSON.parse((await here.rekey(['drill', '--list', '--json'])).stdout) as CanaryView[];
    expect(view).toMatchObject({ keyId: canary, overdue: false, open: null, last: { id: result.id }, trend: [{ id: result.id }] });
    const { stdout } = await here.rekey(['revoke', 'in/use', '--dry-run']);
    expect(stdout).toMatch(/Last drill: passed at .*: disabled after .* s, restored after .* s/);
  });
});

describe('POL-F12: the tabletop', () => {
  test('prints the runbook of a key, and every command of it works as it is printed', async () => {
    await adopt('table/top');
    const text = (await here.rekey(['drill', '--tabletop', 'table/top'])).stdout;
    const { steps } = JSON.parse((await here.rekey(['drill', '--tabletop', 'table/top', '--json'])).stdout) as Runbook;
    const commands = steps.flatMap((step) => step.commands);
    expect(commands.length).toBeGreaterThan(8);
    for (const command of commands) {
      expect(text).toContain(`     ${command}\n`);
      expect([command, await typed(command)]).toMatchObject([command, { code: 0 }]);
    }
    const shown = JSON.parse((await here.rekey(['key', 'show', 'table/top', '--json'])).stdout);
    expect(shown).toMatchObject({ state: 'active', current: 2, versions: [{ number: 1, compromised: true }, { number: 2 }] });
  });
});
