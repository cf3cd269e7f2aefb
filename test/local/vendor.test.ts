import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Value } from '../../core/value.ts';
import { startVendor, type Vendor, type VendorOptions } from '../../local/sandbox/vendor.ts';

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

async function call(method: string, path: string, key: string, body?: unknown, headers = {}) {
  const response = await fetch(`${vendor.url}${path}`, {
    method,
    redirect: 'manual',
    headers: { authorization: `Bearer ${key}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
}
const admin = (method: string, path: string, body?: unknown, headers = {}) =>
  call(method, `/v1/principals/robot/keys${path}`, vendor.adminKey.reveal(), body, headers);
const door = (method: string, path: string, body?: unknown) => call(method, `/_sandbox${path}`, vendor.adminKey.reveal(), body);
const create = async (name = 'a', scopes = ['read']) => (await admin('POST', '', { name, scopes })).body as { id: string; value: string };
const whoami = async (value: string) => (await call('GET', '/v1/whoami', value)).status;

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

describe('the faults of the sandbox vendor', () => {
  it.each([
    ['error-before', 500, 0],
    ['unavailable', 503, 0],
    ['throttled', 429, 0],
    ['permanent', 422, 0],
    ['redirect', 302, 0],
    ['error-after', 500, 1],
  ] as const)('%s answers %i and leaves %i keys', async (kind, status, made) => {
    vendor.fault({ kind, on: 'create', count: 1, retryAfterSeconds: 7 });
    const answer = await admin('POST', '', { name: 'a' });
    expect(answer.status).toBe(status);
    if (kind === 'throttled') expect(answer.headers.get('retry-after')).toBe('7');
    expect((await admin('GET', '')).body.keys).toHaveLength(made);
    expect((await admin('POST', '', { name: 'b' })).status).toBe(201);
  });

  it.each([
    ['reset', 0],
    ['lost-response', 1],
    ['truncated', 1],
    ['malformed', 1],
  ] as const)('%s gives no usable answer and leaves %i keys', async (kind, made) => {
    vendor.fault({ kind, on: 'create', count: 1 });
    await expect(admin('POST', '', { name: 'a' })).rejects.toThrow();
    expect((await admin('GET', '')).body.keys).toHaveLength(made);
  });

  it('timeout-after-success does the work and never answers', async () => {
    vendor.fault({ kind: 'timeout-after-success', on: 'create', count: 1 });
    const given = fetch(`${vendor.url}/v1/principals/robot/keys`, {
      method: 'POST',
      body: '{"name":"a"}',
      headers: { authorization: `Bearer ${vendor.adminKey.reveal()}` },
      signal: AbortSignal.timeout(300),
    });
    await expect(given).rejects.toThrow();
    expect((await admin('GET', '')).body.keys).toHaveLength(1);
    expect(vendor.log()[0]).toMatchObject({ operation: 'create', outcome: 'accepted', status: 0 });
  });

  it('strikes only the operation and as often as it is told', async () => {
    const { value } = await create();
    vendor.fault({ kind: 'unavailable', on: 'whoami', count: 2 });
    expect((await call('GET', '/v1/work', value)).status).toBe(200);
    expect([await whoami(value), await whoami(value), await whoami(value)]).toEqual([503, 503, 200]);
    vendor.fault({ kind: 'unavailable' });
    vendor.clearFaults();
    expect(await whoami(value)).toBe(200);
  });

  it('accepts everything, refuses everything, and answers for somebody else', async () => {
    const { value } = await create();
    vendor.fault({ kind: 'accepts-everything', on: 'whoami' });
    expect(await whoami('sbx_never')).toBe(200);
    vendor.clearFaults();
    vendor.fault({ kind: 'refuses-everything' });
    expect(await whoami(value)).toBe(401);
    vendor.clearFaults();
    vendor.fault({ kind: 'wrong-identity' });
    expect((await call('GET', '/v1/whoami', value)).body.vendor).not.toBe('rekey-sandbox');
  });

  it('is late until it is settled: not yet accepted, not yet effective, not yet listed', async () => {
    vendor.fault({ kind: 'create-not-yet-accepted', count: 1 });
    vendor.fault({ kind: 'list-not-yet-consistent', on: 'create', count: 1 });
    const { id, value } = await create();
    clock += 1e9;
    expect([await whoami(value), (await admin('GET', '')).body.keys.length]).toEqual([401, 0]);
    await door('POST', '/settle');
    expect([await whoami(value), (await admin('GET', '')).body.keys.length]).toEqual([200, 1]);
    vendor.fault({ kind: 'disable-not-yet-effective', count: 1 });
    await admin('POST', `/${id}/disable`);
    clock += 1e9;
    expect(await whoami(value)).toBe(200);
    vendor.settle();
    expect(await whoami(value)).toBe(401);
  });

  it('says OK and keeps the key alive', async () => {
    const { id, value } = await create();
    vendor.fault({ kind: 'disable-ignored', count: 2 });
    expect([(await admin('POST', `/${id}/disable`)).status, (await admin('DELETE', `/${id}`)).status, await whoami(value)]).toEqual([
      200, 204, 200,
    ]);
  });
});

describe('the door of the sandbox vendor', () => {
  it('makes a key outside Rekey and turns one on in the console, over HTTP', async () => {
    const stranger = (await door('POST', '/strangers', { principal: 'robot', name: 'by hand' })).body as { id: string; value: string };
    expect((await admin('GET', '')).body.keys).toMatchObject([{ id: stranger.id, name: 'by hand' }]);
    await admin('POST', `/${stranger.id}/disable`);
    expect(await whoami(stranger.value)).toBe(401);
    expect((await door('POST', `/console/${stranger.id}/enable`)).status).toBe(204);
    expect(await whoami(stranger.value)).toBe(200);
  });

  it('sets behaviour and faults, and refuses what it does not know', async () => {
    expect((await door('PATCH', '/behaviour', { maxLive: 1 })).status).toBe(204);
    await create();
    expect((await admin('POST', '', { name: 'b' })).status).toBe(409);
    expect((await door('POST', '/faults', { kind: 'unavailable', on: 'list', count: 1 })).status).toBe(204);
    expect((await admin('GET', '')).status).toBe(503);
    await door('POST', '/faults', { kind: 'unavailable' });
    await door('DELETE', '/faults');
    expect((await admin('GET', '')).status).toBe(200);
    for (const [path, body] of [
      ['/faults', { kind: 'gremlin' }],
      ['/faults', { kind: 'slow', extra: 1 }],
      ['/strangers', {}],
    ] as const)
      expect((await door('POST', path, body)).status).toBe(400);
    expect((await door('PATCH', '/behaviour', { maxLive: -1 })).status).toBe(400);
    expect((await door('GET', '/nowhere')).status).toBe(404);
    expect((await door('POST', '/console/key_none/enable')).status).toBe(404);
  });

  it('gives the log from a line on', async () => {
    await create();
    const { value } = await create();
    await whoami(value);
    expect((await door('GET', '/log?since=2')).body.lines).toMatchObject([{ operation: 'whoami' }]);
  });
});
