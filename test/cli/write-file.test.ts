import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rekey } from '../support/local-installation.ts';
import { ok, page, refused, type StubDoor, stubDoor } from '../support/stub-door.ts';

let door: StubDoor;
beforeAll(async () => {
  door = await stubDoor();
});
afterAll(() => door.stop());

const at = () => ({ cwd: door.workspace });

test('a file that cannot be written is named, and what stood there stays until the new one is whole', async () => {
  door.reply = () => ok(page([]));
  for (const out of ['', '/dev/null/keys.csv'])
    expect(await rekey(['export', '--csv', '--out', out], at())).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^E_USAGE: .*cannot be written \((ENOENT|ENOTDIR)\)/),
    });
  const file = join(door.workspace, 'keys.csv');
  writeFileSync(file, 'as it was');
  door.reply = () => refused('E_UNAVAILABLE', 503);
  expect((await rekey(['export', '--csv', '--out', file], at())).code).not.toBe(0);
  expect([readFileSync(file, 'utf8'), existsSync(`${file}.part`)]).toEqual(['as it was', false]);
  door.reply = () => ok(page([]));
  expect((await rekey(['export', '--csv', '--out', file], at())).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toMatch(/^id,/);
});
