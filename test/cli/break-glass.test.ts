import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, localInstallation } from '../support/local-installation.ts';

let here: Installation;
beforeAll(async () => {
  here = await localInstallation();
});
afterAll(() => here.stop());

const glass = () => ({ REKEY_BREAK_GLASS: join(here.workspace, 'glass') });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('with Rekey down, a key is ended by its vendor alone, and handed over when Rekey is back', async () => {
  const { id, value } = here.vendor.stranger('glass-one', 'made by hand');
  await here.rekey(['key', 'add', '-f', here.keyFile('one.yaml', 'glass/one'), '--value-from', '-'], { stdin: value });
  expect(await here.rekey(['revoke', 'glass/one', '--break-glass', '--confirm', 'glass/one'], { env: glass() })).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/E_NOT_FOUND.*nothing was prepared/),
  });
  const prepared = await here.rekey(['break-glass', 'prepare'], { env: glass() });
  expect([prepared.code, prepared.stdout]).toEqual([0, expect.stringMatching(/^1 keys with 1 credentials/)]);
  const files = readdirSync(join(here.workspace, 'glass', 'local'));
  for (const file of files.filter((name) => name !== 'providers')) {
    const path = join(here.workspace, 'glass', 'local', file);
    expect(readFileSync(path, 'utf8')).not.toContain(value);
    expect(statSync(path).mode & 0o077).toBe(0);
  }

  await here.meanwhile(async () => {
    const admin = { stdin: JSON.stringify({ apiKey: here.vendor.adminKey.reveal() }), env: glass() };
    const order = ['revoke', 'glass/one', '--break-glass', '--admin-from', '-', '--reason', 'all is down'];
    expect(await here.rekey(order, admin)).toMatchObject({ code: 2, stderr: expect.stringMatching(/--confirm glass\/one/) });
    const since = here.vendor.log().length;
    const { code, stdout, stderr } = await here.rekey([...order, '--confirm', 'glass/one'], admin);
    expect([code, stderr, stdout]).toEqual([
      0,
      expect.stringMatching(/version 1: disabled/),
      expect.stringMatching(/1 of 1 credentials: the provider was told[\s\S]*rekey break-glass import/),
    ]);
    expect(stdout + stderr).not.toContain(here.vendor.adminKey.reveal());
    const calls = here.vendor.log(since).map(({ operation, path, status }) => [operation, path.includes(id), status]);
    expect(calls).toEqual([
      ['disable', true, 200],
      ['list', false, 200],
    ]);
  });

  const imported = await here.rekey(['break-glass', 'import', '--json'], { env: glass() });
  expect([imported.code, JSON.parse(imported.stdout)]).toMatchObject([0, { imported: [{ outcome: 'revoked', keyId: 'glass/one' }] }]);
  expect((await here.rekey(['key', 'show', 'glass/one', '--watch', '--timeout', '90'])).code).toBe(0);
  const { stdout } = await here.rekey(['certificate', 'glass/one']);
  expect(stdout).toMatch(/DEATH CERTIFICATE {2}glass\/one, version 1/);
  const uses = here.vendor.log().filter(({ valueSha256 }) => valueSha256 === sha256(value));
  expect(uses.at(-1)?.outcome).toBe('refused');
  const again = await here.rekey(['break-glass', 'import', '--json'], { env: glass() });
  expect(JSON.parse(again.stdout)).toMatchObject({ imported: [{ outcome: 'already known' }] });
}, 180_000);

test('with a wrong credential nothing is claimed: exit 6, NOT CONTAINED, and the try is on record', async () => {
  await here.rekey(['key', 'add', '-f', here.keyFile('two.yaml', 'glass/two'), '--value-from', '-'], {
    stdin: here.vendor.stranger('glass-two', 'made by hand').value,
  });
  await here.rekey(['break-glass', 'prepare'], { env: glass() });
  const order = ['revoke', 'glass/two', '--break-glass', '--admin-from', 'env:ADMIN', '--confirm', 'glass/two'];
  const { code, stdout } = await here.rekey(order, { env: { ...glass(), ADMIN: 'wrong' } });
  expect([code, stdout]).toEqual([6, expect.stringMatching(/NOT CONTAINED/)]);
  const records = readFileSync(join(here.workspace, 'glass', 'local', 'records.jsonl'), 'utf8')
    .trim()
    .split('\n');
  expect(JSON.parse(records.at(-1) ?? '')).toMatchObject({ keyId: 'glass/two', answer: 'failed' });
}, 120_000);
