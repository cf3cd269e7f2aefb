import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startVendor, type Vendor } from '../../local/sandbox/vendor.ts';
import { vendorClient } from '../support/vendor-client.ts';

let vendor: Vendor;
let clock: number;
const { call, admin, door, create, whoami } = vendorClient(() => vendor);

beforeEach(async () => {
  clock = Date.parse('2026-01-01T00:00:00Z');
  vendor = await startVendor({ now: () => clock });
});
afterEach(async () => await vendor.stop());

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
