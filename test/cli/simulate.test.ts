import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Rehearsal } from '../../local/rehearsal/rehearse.ts';

const cli = join(import.meta.dirname, '..', '..', 'cli', 'rekey.mjs');
const day = 86_400_000;

const key = (id: string, more: string) => `apiVersion: rekey/v1
kind: Key
id: ${id}
owner: team-${id.split('/')[0]}
environment: staging
purpose: a key of the simulated fleet
provider: acme
params: { principal: ${id} }
store: rekey
destinations:
  - { id: app, kind: local-file, at: ${id} }
expires: never
${more}`;
const consumer = (refresh: string) =>
  `consumers: [{ name: api, owner: team, contact: a@example.test, refresh: ${refresh}, class: cached, proof: possession }]`;

const tier = (every: string) =>
  `{ rotateEvery: ${every}, overlapMin: PT2H, overlapMax: PT12H, atOverlapMax: hold, soak: PT6H, quiet: PT24H, tolerance: PT1H }`;
const quick = `apiVersion: rekey/v1
kind: Policy
version: quick
approvedStores: [rekey]
maxHold: P14D
tiers: { high: ${tier('P3D')}, medium: ${tier('P9D')}, low: ${tier('P18D')} }
`;

const folder = mkdtempSync(join(tmpdir(), 'rekey-simulate-'));
const keys = join(folder, 'keys.yaml');
const policy = join(folder, 'policy.yaml');
writeFileSync(policy, quick);
writeFileSync(
  keys,
  [
    key('pay/high', `exposure: public\nprivileged: true\n${consumer('PT5M')}`),
    key('pay/medium', `exposure: internal\n${consumer('PT1H')}`),
    key('lab/unmapped', 'exposure: public\nprivileged: true\nconsumers: []'),
  ].join('\n---\n'),
);

async function simulate(...more: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = [cli, 'simulate', '--keys', keys, '--policy', policy, '--start', '2027-01-01', ...more];
  return promisify(execFile)(process.execPath, command, { timeout: 120_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

test('the calendar has the rotations that the periods ask for, each overlap as long as it must be, and names the key that waits for a person', async () => {
  const { code, stdout } = await simulate('--days', '10', '--json');
  expect(code).toBe(0);
  const { rotations, held, refused } = JSON.parse(stdout) as Rehearsal;
  expect(refused).toEqual([]);
  const starts = (id: string) => rotations.filter(({ keyId }) => keyId === id).map(({ startedAt }) => Date.parse(startedAt));
  // 3 days in the high tier and 9 in the medium one, each up to a tenth earlier by the key's own jitter.
  expect(starts('pay/high')).toHaveLength(3);
  expect(starts('pay/medium')).toHaveLength(1);
  let before = Date.UTC(2027, 0, 1);
  for (const at of starts('pay/high')) {
    expect(at - before).toBeGreaterThanOrEqual(2.7 * day);
    expect(at - before).toBeLessThanOrEqual(3 * day + day / 10);
    before = at;
  }
  for (const { keyId, startedAt, endedAt, outcome } of rotations.filter((one) => one.keyId !== 'lab/unmapped')) {
    expect([keyId, outcome]).toEqual([keyId, 'rotated']);
    expect(Date.parse(endedAt!) - Date.parse(startedAt)).toBeGreaterThanOrEqual(2 * 3_600_000);
  }
  expect(held.map(({ keyId }) => keyId)).toEqual(['lab/unmapped']);
  expect(rotations.find(({ keyId }) => keyId === 'lab/unmapped')).toMatchObject({ outcome: 'open', endedAt: null });
});

test('the same keys and the same day give the same calendar, byte for byte', async () => {
  const [one, two] = await Promise.all([simulate('--days', '4', '--json'), simulate('--days', '4', '--json')]);
  expect(one.stdout).toBe(two.stdout);
  expect(one.stdout).toContain('"startedAt"');
});

test('people see the weeks, the rotations and what is held', async () => {
  const { stdout } = await simulate('--days', '4');
  expect(stdout).toMatch(/week of 2027-01-01 +\d+ +H/);
  expect(stdout).toMatch(/pay\/high +high +team-pay +never-rotated +rotated 2027-/);
  expect(stdout).toMatch(/HELD +OWNER/);
});

test.each([
  [['--days', '0'], 'E_USAGE'],
  [['--days', '90x'], 'E_USAGE'],
  [['--start', '2027-13-45'], 'E_USAGE'],
  [['--policy', join(folder, 'none.yaml')], 'E_USAGE'],
  [['--policy', keys], 'E_INPUT_INVALID'],
])('%j is refused with %s and no stack trace', async (more, errorCode) => {
  const { code, stderr, stdout } = await simulate(...more);
  expect(code).toBe(2);
  expect(stderr).toContain(errorCode);
  expect(stderr + stdout).not.toMatch(/\n\s+at /);
});
