import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { receive } from '../../core/adoption.ts';
import { findVersion, getKey } from '../../core/items.ts';
import { registerKey } from '../../core/register.ts';
import { releaseReissue } from '../../core/revoke/release.ts';
import { history } from '../../core/show.ts';
import { sweep } from '../../core/sweep.ts';
import type { Value } from '../../core/value.ts';
import { beginsRotation, end, noticeTo, receiptFor, revokes, untilIdle } from '../support/operations.ts';
import { adopted, testFacts, type World, world } from '../support/world.ts';

/** A key that AWS Secrets Manager rotates: Rekey follows, tells and revokes. */
const spec = { id: 'app', kind: 'secrets-manager', at: 'prod/app', environment: 'staging' } as const;
const facts = testFacts({ managedBy: 'secretsmanager', exclusive: false, destinations: [spec] });

let w: World;
let keyId: string;
let writes: string[];
beforeEach(async () => {
  writes = [];
  w = world({
    wrap: (ports) => ({
      ...ports,
      provider: (name) => ({
        ...ports.provider(name),
        create: (...args) => {
          writes.push('create');
          return ports.provider(name).create(...args);
        },
        disable: (subject, id) => {
          writes.push(`disable ${id}`);
          return ports.provider(name).disable(subject, id);
        },
        delete: (subject, id) => {
          writes.push(`delete ${id}`);
          return ports.provider(name).delete(subject, id);
        },
      }),
      destination: (kind) => ({
        ...ports.destination(kind),
        write: (...args) => {
          // Neither AWS's own nor the one that was there before the key was registered.
          if (!/^(aws-|00000000-)/.test(args[2])) writes.push('destination');
          return ports.destination(kind).write(...args);
        },
      }),
    }),
  });
  keyId = await adopted(w, facts);
});
afterEach(() => end(w));

let made = 0;
/** What AWS's rotation does: another credential at the vendor, and its value in the secret. */
async function awsRotates(): Promise<{ credentialId: string; value: Value }> {
  const one = w.provider.stranger(`made by AWS ${made++}`);
  await w.ports.destination(spec.kind).write(spec, one.value, `aws-${one.credentialId}`);
  return one;
}
const current = async () => (await getKey(w.ports, keyId)).current;
const subject = { keyId: 'payments/stripe', account: 'default', params: {} };
const idOf = async (number: number) => (await findVersion(w.ports, keyId, number))?.credentialId ?? '';

describe('a key that AWS Secrets Manager rotates', () => {
  it('is followed: what AWS put into its secret becomes the version in use, and nothing is written anywhere', async () => {
    const before = await getKey(w.ports, keyId);
    await w.pass(30);
    const one = await awsRotates();
    await w.until(async () => (await current()) === 2);
    const key = await getKey(w.ports, keyId);
    expect(key).toMatchObject({ state: 'active', current: 2, lastVersion: 2, attention: null });
    expect(key.nextDueAt && before.nextDueAt && key.nextDueAt > before.nextDueAt).toBe(true);
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ state: 'live', role: 'current', credentialId: one.credentialId });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'live', role: 'previous' });
    const token = (await findVersion(w.ports, keyId, 2))?.token ?? '';
    expect((await w.ports.secrets.read(keyId, token))?.equals(one.value)).toBe(true);
    expect((await w.ports.secrets.labels(keyId))['AWSCURRENT']).toBe(token);
    await w.pass(600);
    expect(writes).toEqual([]);
    expect((await history(w.ports, keyId)).filter(({ event }) => event === 'version.followed')).toHaveLength(1);
  });

  it('its consumers are told at once, and prove that they moved', async () => {
    await awsRotates();
    await w.until(async () => (await current()) === 2);
    const notice = noticeTo(w, 'api', 'key.issued');
    expect(notice.data).toMatchObject({ action: 'refresh', version: 2, destinations: [{ id: 'app', at: 'prod/app' }] });
    expect(await receive(w.ports, await receiptFor(w, notice), 'api')).toMatchObject({ accepted: true });
  });

  it('is never rotated by Rekey: not by its schedule, not by a person; being late is a breach on record', async () => {
    await expect(beginsRotation(w, keyId)).rejects.toMatchObject({ code: 'E_MANAGED', message: expect.stringContaining('rotate-secret') });
    await w.pass(90_000);
    expect(await sweep(w.ports, { tier: (await getKey(w.ports, keyId)).tier })).toMatchObject({
      started: [],
      skipped: [{ keyId, reason: 'managed' }],
    });
    const key = await getKey(w.ports, keyId);
    expect(key).toMatchObject({ state: 'active', rotation: null, current: 1 });
    expect(key.breaches.map(({ rule }) => rule)).toContain('overdue');
    expect(writes).toEqual([]);
  });

  it('a version that AWS ended is proven dead, one that AWS left alive is left alone', async () => {
    await awsRotates();
    await w.until(async () => (await current()) === 2);
    await awsRotates();
    await w.until(async () => (await current()) === 3);
    await w.provider.delete(subject, await idOf(1));
    await w.until(async () => (await findVersion(w.ports, keyId, 1))?.state === 'disabled', 2000);
    await w.pass(600);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled', disabledAt: expect.any(String) });
    expect(await findVersion(w.ports, keyId, 2)).toMatchObject({ state: 'live' });
    expect(writes).toEqual([]);
  });

  it('is revoked by Rekey, and its reissue goes on by itself when AWS has made the next version', async () => {
    await revokes(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'contained',
      attention: { reason: 'ReissueHeld', message: expect.stringContaining('rotate-secret --secret-id prod/app') },
    });
    expect(writes).toContain(`disable ${await idOf(1)}`);
    const ask = { keyId, mistake: false, reason: 'go on' };
    await expect(releaseReissue(w.ports, ask, 'responder')).rejects.toMatchObject({ code: 'E_MANAGED' });
    await w.pass(100);
    expect(await current()).toBe(1);
    const one = await awsRotates();
    await untilIdle(w, keyId);
    const key = await getKey(w.ports, keyId);
    expect(key).toMatchObject({ state: 'active', attention: null });
    expect(await findVersion(w.ports, keyId, key.current ?? 0)).toMatchObject({
      credentialId: one.credentialId,
      state: 'live',
      role: 'current',
    });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: expect.stringMatching(/disabled|destroyed/), compromised: true });
    expect(noticeTo(w, 'api', 'key.reissued').data).toMatchObject({ version: key.current, action: 'refresh' });
    expect(writes.filter((one) => one === 'create' || one === 'destination')).toEqual([]);
  });

  it('whose leak may have come from its secret waits for a responder even then', async () => {
    await revokes(w, keyId, { source: 'destination' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    await awsRotates();
    await w.until(async () => (await current()) !== 1);
    await w.pass(100);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'contained', revocation: { held: true } });
    await releaseReissue(w.ports, { keyId, mistake: false, reason: 'checked' }, 'responder');
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active' });
  });

  it('calls a person when its secret holds an old version again, or what the vendor refuses, and takes that back', async () => {
    const first = await w.ports.destination(spec.kind).read(spec);
    const two = await awsRotates();
    await w.until(async () => (await current()) === 2);
    await w.ports.destination(spec.kind).write(spec, first as Value, 'aws-back');
    await w.until(async () => (await getKey(w.ports, keyId)).attention?.reason === 'RepairFailed');
    expect((await getKey(w.ports, keyId)).attention?.message).toContain('StoreConflict');
    await w.ports.destination(spec.kind).write(spec, two.value, 'aws-forward');
    await w.until(async () => (await getKey(w.ports, keyId)).attention === null);
    const dead = await awsRotates();
    await w.provider.delete(subject, dead.credentialId);
    await w.until(async () => (await getKey(w.ports, keyId)).attention?.reason === 'RepairFailed');
    expect(await current()).toBe(2);
  });

  it.each([
    ['a second destination', { destinations: [spec, { ...spec, id: 'copy' }] }, 'destinations'],
    ['another kind of destination', { destinations: [{ ...spec, kind: 'memory' }] }, 'destinations'],
    ['a principal that is Rekey’s alone', { exclusive: true }, 'exclusive'],
  ])('is not registered with %s', async (_what, more, path) => {
    await expect(registerKey(w.ports, { ...facts, id: 'team/other', ...more }, 'owner')).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      problems: [expect.objectContaining({ path })],
    });
  });
});
