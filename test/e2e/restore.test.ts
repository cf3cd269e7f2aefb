import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Item } from '../../core/inventory.ts';
import type { InventoryReport } from '../../core/reassert/open.ts';
import type { KeyReport } from '../../core/show.ts';
import { type LocalDynamo, startDynamo } from '../../local/dynamodb.ts';
import { scan, tableWith } from '../support/copy-table.ts';
import { type Installation, localInstallation } from '../support/local-installation.ts';

/**
 * The drill of docs/restore.md on the whole product, with its own command line, against the real DynamoDB API: the table is made anew from
 * a copy of its items, which is what a restore is. It has its old name here; DynamoDB gives it another id.
 */
const table = 'rekey';
const former = 'rekey-before';
const revoked = 'drill/revoked';
const rotated = 'drill/rotated';

let dynamo: LocalDynamo;
let here: Installation;
let backup: Item[];
let histories: string;
const before = process.env['REKEY_DYNAMODB_ENDPOINT'];
const scratch = mkdtempSync(join(tmpdir(), 'rekey-drill-'));

beforeAll(async () => {
  dynamo = await startDynamo({ table });
  process.env['REKEY_DYNAMODB_ENDPOINT'] = dynamo.endpoint;
  here = await localInstallation();
});
afterAll(async () => {
  await here?.stop();
  await dynamo?.stop();
  rmSync(scratch, { recursive: true, force: true });
  if (before === undefined) delete process.env['REKEY_DYNAMODB_ENDPOINT'];
  else process.env['REKEY_DYNAMODB_ENDPOINT'] = before;
});

const show = async (key: string) => JSON.parse((await here.rekey(['key', 'show', key, '--json'])).stdout) as KeyReport;
const inventory = async (...args: string[]) =>
  JSON.parse((await here.rekey(['inventory', 'show', ...args, '--json'])).stdout) as InventoryReport;
const stateOf = async (key: string, number: number) => {
  const version = (await show(key)).versions.find((one) => one.number === number);
  return { state: version?.state, compromised: version?.compromised };
};

/** The backup takes the table's place; what the table held until now can be read under another name. */
const restore = () =>
  here.meanwhile(async () => {
    await tableWith(dynamo.client, former, await scan(dynamo.client, table));
    await new DynamoDBClient(dynamo.client).send(new DeleteTableCommand({ TableName: table }));
    await tableWith(dynamo.client, table, backup);
  });

describe('the drill', () => {
  test('1: a key is revoked and another rotates after the backup was taken', { timeout: 240_000 }, async () => {
    const made = [];
    for (const key of [revoked, rotated]) {
      const one = here.vendor.stranger(key.replaceAll('/', '-'), 'made by hand');
      made.push(one);
      const file = here.keyFile(`${key.replaceAll('/', '-')}.yaml`, key);
      expect(await here.rekey(['key', 'add', '-f', file, '--value-from', '-'], { stdin: one.value })).toMatchObject({ code: 0 });
    }
    expect(await inventory()).toMatchObject({ state: 'open', is: { name: table } });
    backup = await scan(dynamo.client, table);
    expect(await here.rekey(['revoke', revoked, '--confirm', revoked, '--timeout', '90'])).toMatchObject({ code: 0 });
    expect(await stateOf(revoked, 1)).toEqual({ state: 'disabled', compromised: true });
    histories = JSON.stringify({ [revoked]: JSON.parse((await here.rekey(['history', revoked, '--json'])).stdout) });
  });

  test('2: the restored table has forgotten it, is recognised, and takes no rotation', { timeout: 240_000 }, async () => {
    await restore();
    const report = await inventory('--from', former);
    expect(report).toMatchObject({ state: 'restored', is: { name: table }, madeFor: { name: table } });
    expect(report.is.id).not.toBe(report.madeFor?.id);
    // This is what a restore brings back, if nobody does anything about it.
    expect(await stateOf(revoked, 1)).toEqual({ state: 'live', compromised: false });
    expect(await here.rekey(['rotate', rotated, '--yes', '--reason', 'drill'])).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/^E_READ_ONLY: .*inventory reassert/),
    });
    expect((await show(rotated)).state).toBe('active');
    expect((await here.rekey(['inventory', 'show'])).stdout).toMatch(/read-only[\s\S]*drill\/revoked/);
  });

  test('3: an export that was tampered with is refused', async () => {
    const file = join(scratch, 'tampered.json');
    writeFileSync(file, histories.replace('versions.compromised', 'versions.forgotten'));
    expect(await here.rekey(['inventory', 'reassert', '--lines', file])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^E_INPUT_INVALID: .*does not hold/),
    });
    expect((await inventory()).keys.filter(({ reasserted }) => reasserted)).toEqual([]);
  });

  test('4: re-asserted from the former table, it is dead and marked again, and the table is open', { timeout: 240_000 }, async () => {
    const file = join(scratch, 'histories.json');
    writeFileSync(file, histories);
    const { code, stdout, stderr } = await here.rekey(['inventory', 'reassert', '--from', former, '--lines', file, '--json']);
    expect(stderr).toMatch(/done +drill\/revoked[\s\S]*done +drill\/rotated/);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout);
    expect(answer.keys.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['done', 'done']);
    expect(answer.opened).toMatch(/^rekey\//);
    expect(await stateOf(revoked, 1)).toEqual({ state: 'disabled', compromised: true });
    expect(await show(revoked)).toMatchObject({ state: 'contained', auditBreak: null });
    expect(await inventory()).toMatchObject({ state: 'open', is: { name: table }, madeFor: { name: table } });
    expect(await here.rekey(['inventory', 'reassert'])).toMatchObject({ code: 5, stderr: expect.stringMatching(/^E_NOTHING_TO_DO/) });
  });

  test('5: writes are open: the revoked key is reissued, and the other one can rotate', { timeout: 240_000 }, async () => {
    expect(await here.rekey(['reissue', revoked, '--reason', 'drill', '--wait'])).toMatchObject({ code: 0 });
    expect(await show(revoked)).toMatchObject({ state: 'active', current: 2, auditBreak: null });
    // What an attempt from before the restore may still do is waited for.
    for (let tries = 0; ; tries++) {
      const { code, stderr } = await here.rekey(['rotate', rotated, '--yes', '--reason', 'drill']);
      if (code === 0) break;
      expect([tries < 60, stderr]).toEqual([true, expect.stringMatching(/^E_TOO_SOON/)]);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect((await show(rotated)).state).toBe('rotating');
  });
});
