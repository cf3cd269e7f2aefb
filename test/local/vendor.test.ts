import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Value } from '../../core/value.ts';
import { startVendor, type Vendor, type VendorOptions } from '../../local/sandbox/vendor.ts';
import { vendorClient } from '../support/vendor-client.ts';

let folder: string;
let vendor: Vendor;
let clock: number;

const start = async (options: VendorOptions = {}) => {
  vendor = await startVendor({ now: () => clock, ...options });
};
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vendor-'));
  clock = Date.parse('2026-01-01T00:00:00Z');
  await start();
});
afterEach(async () => {
  await vendor.stop();
  rmSync(folder, { recursive: true });
});

const { call, admin, door, create, whoami } = vendorClient(() => vendor);

describe('the sandbox vendor', () => {
  it('shows a value once, copies the scopes, and says whose the key is', async () => {
    const { id, value } = await create('a', ['read', 'write']);
    const { body } = await admin('GET', '');
    expect(body).toEqual({
      keys: [{ id, name: 'a', scopes: ['read', 'write'], enabled: true, createdAt: '2026-01-01T00:00:00.000Z' }],
      next: null,
    });
    expect((await call('GET', '/v1/whoami', value)).body).toEqual({
      vendor: 'rekey-sandbox',
      principal: 'robot',
      keyId: id,
      scopes: ['read', 'write'],
    });
    expect((await call('GET', '/v1/work', value)).status).toBe(200);
  });

  it.each([
    [true, 409],
    [false, 201],
  ])('keeps a limit of live keys; disabled ones count: %s', async (countsDisabled, status) => {
    vendor.behave({ maxLive: 2, countsDisabled });
    const { id } = await create();
    await create();
    expect((await admin('POST', '', { name: 'c' })).status).toBe(409);
    await admin('POST', `/${id}/disable`);
    expect((await admin('POST', '', { name: 'c' })).status).toBe(status);
  });

  it('refuses a disabled key, a deleted one, a stranger and nobody', async () => {
    const [one, two] = [await create(), await create()];
    await admin('POST', `/${one.id}/disable`);
    await admin('DELETE', `/${two.id}`);
    expect([
      await whoami(one.value),
      await whoami(two.value),
      await whoami('sbx_never'),
      (await fetch(`${vendor.url}/v1/work`)).status,
    ]).toEqual([401, 401, 401, 401]);
    expect([(await admin('DELETE', `/${two.id}`)).status, (await admin('POST', `/${two.id}/disable`)).status]).toEqual([404, 404]);
  });

  it('keeps principals apart', async () => {
    const { id } = await create();
    const other = await call('DELETE', `/v1/principals/other/keys/${id}`, vendor.adminKey.reveal());
    expect(other.status).toBe(404);
  });

  it('lets nobody but the admin key administer, and no key of a subject open the door', async () => {
    const { value } = await create();
    expect((await call('GET', '/v1/principals/robot/keys', value)).status).toBe(401);
    expect((await call('GET', '/_sandbox/log', value)).status).toBe(401);
    expect((await call('POST', '/_sandbox/settle', 'nobody')).status).toBe(401);
  });

  it('takes its time: a new key, a disabled one and the list follow after their delays', async () => {
    vendor.behave({ activateMs: 1000, disableMs: 2000, listMs: 3000 });
    const { id, value } = await create();
    expect([await whoami(value), (await admin('GET', '')).body.keys.length]).toEqual([401, 0]);
    clock += 1000;
    expect(await whoami(value)).toBe(200);
    clock += 2000;
    expect((await admin('GET', '')).body.keys.length).toBe(1);
    await admin('POST', `/${id}/disable`);
    expect([await whoami(value), (await admin('GET', '')).body.keys[0].enabled]).toEqual([200, true]);
    clock += 2000;
    expect(await whoami(value)).toBe(401);
    clock += 1000;
    expect((await admin('GET', '')).body.keys[0].enabled).toBe(false);
  });

  it('does not start the delay of a disable again when it is disabled again', async () => {
    vendor.behave({ disableMs: 2000 });
    const { id, value } = await create();
    await admin('POST', `/${id}/disable`);
    clock += 1500;
    await admin('POST', `/${id}/disable`);
    clock += 500;
    expect(await whoami(value)).toBe(401);
  });

  it('tells the last use with its accuracy', async () => {
    vendor.behave({ lastUsedMs: 60_000 });
    const { id, value } = await create();
    expect((await admin('GET', `/${id}`)).body.lastUsedAt).toBeNull();
    clock += 90_000;
    await call('GET', '/v1/work', value);
    expect((await admin('GET', `/${id}`)).body.lastUsedAt).toBe('2026-01-01T00:01:00.000Z');
    vendor.behave({ whoamiIsUse: false });
    clock += 90_000;
    await whoami(value);
    expect((await admin('GET', `/${id}`)).body.lastUsedAt).toBe('2026-01-01T00:01:00.000Z');
  });

  it('gives lists in pages', async () => {
    vendor.behave({ pageSize: 2 });
    for (const name of ['a', 'b', 'c']) await create(name);
    const first = (await admin('GET', '')).body;
    const rest = (await admin('GET', `?cursor=${first.next}`)).body;
    expect([...first.keys, ...rest.keys].map(({ name }: { name: string }) => name)).toEqual(['a', 'b', 'c']);
    expect(rest.next).toBeNull();
  });

  it('answers the same idempotency key with the same credential', async () => {
    const key = { 'idempotency-key': 'once' };
    const [one, two] = [await admin('POST', '', { name: 'a' }, key), await admin('POST', '', { name: 'a' }, key)];
    expect(two.body).toEqual(one.body);
    expect((await admin('GET', '')).body.keys).toHaveLength(1);
  });

  it('logs who presented what and how it ended, by the hash of the value and never the value', async () => {
    const { id, value } = await create();
    await whoami(value);
    await admin('POST', `/${id}/disable`);
    await whoami(value);
    await whoami('sbx_stranger');
    await call('GET', `/v1/principals/${value}/keys`, value);
    const lines = vendor.log();
    expect(lines.map(({ operation, credentialId, outcome, status }) => [operation, credentialId, outcome, status])).toEqual([
      ['create', 'admin', 'accepted', 201],
      ['whoami', id, 'accepted', 200],
      ['disable', 'admin', 'accepted', 200],
      ['whoami', id, 'refused', 401],
      ['whoami', 'unknown', 'refused', 401],
      ['list', id, 'refused', 401],
    ]);
    expect(lines[1]?.valueSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(lines[1]?.valueSha256).toBe(lines[3]?.valueSha256);
    const text = JSON.stringify([lines, (await door('GET', '/log')).body]);
    expect([text.includes(value), text.includes(vendor.adminKey.reveal())]).toEqual([false, false]);
  });

  it('survives a restart with its keys, its log and no value on disk', async () => {
    await vendor.stop();
    const dataFile = join(folder, 'vendor.jsonl');
    const adminKey = new Value('adm_of-this-test');
    await start({ dataFile, adminKey });
    const [kept, dead] = [await create('kept'), await create('dead')];
    await admin('POST', `/${dead.id}/disable`);
    await vendor.stop();
    await start({ dataFile, adminKey });
    expect([await whoami(kept.value), await whoami(dead.value)]).toEqual([200, 401]);
    expect(vendor.log().map(({ operation }) => operation)).toEqual(['create', 'create', 'disable', 'whoami', 'whoami']);
    const file = readFileSync(dataFile, 'utf8');
    expect([kept.value, dead.value, adminKey.reveal()].some((value) => file.includes(value))).toBe(false);
  });

  it('plants the values that a test asks for', async () => {
    await vendor.stop();
    await start({ mint: () => 'sbx_planted' });
    expect((await create()).value).toBe('sbx_planted');
  });
});
