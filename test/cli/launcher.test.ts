import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { policyName, whoCan } from '../../core/authority.ts';
import { tiers } from '../../core/key.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { launcher, rekey } from '../support/local-installation.ts';

const nowhere = mkdtempSync(join(tmpdir(), 'rekey-nowhere-'));
afterAll(() => rmSync(nowhere, { recursive: true, force: true }));

describe('who-can', () => {
  test.each(['revoke', 'approve', 'confirm', 'rotate'] as const)(
    'POL-R9: %s is answered with nothing running, by the rules that are enforced',
    async (action) => {
      const { code, stdout } = await rekey(['who-can', 'payments/stripe', action, '--stage', 'prod', '--json'], { cwd: nowhere });
      expect(code).toBe(0);
      const policy = (role: ReturnType<typeof whoCan>[number]['role']) => (role === 'schedule' ? null : policyName('prod', role));
      const rows = tiers.flatMap((tier) =>
        whoCan(defaultPolicy.authority, action, tier).map((one) => ({ tier, ...one, policy: policy(one.role) })),
      );
      expect(JSON.parse(stdout)).toEqual({ action, who: rows });
      expect(rows.length).toBeGreaterThan(0);
    },
  );

  test('another word is refused with the words there are', async () => {
    expect(await rekey(['who-can', 'destroy'])).toMatchObject({ code: 2, stderr: expect.stringContaining('revoke') });
  });
});

describe('the launcher', () => {
  test('hands over to the project’s own Node when it is started by an older one', async () => {
    const older = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.1.0"}})';
    const child = spawn(process.execPath, ['--import', older, launcher, 'who-can', 'nothing'], { cwd: nowhere });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2);
    expect(stderr).toMatch(/^E_USAGE/);
  });

  test('says what it needs where that is not there either', async () => {
    const older = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"18.20.0"}})';
    const child = spawn(process.execPath, ['--import', older, launcher, 'status'], { cwd: nowhere, env: { REKEY_HANDED_OVER: '1' } });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
    expect(stderr).toMatch(/needs Node 24; this is 18\.20\.0.*npm ci/);
  });
});
