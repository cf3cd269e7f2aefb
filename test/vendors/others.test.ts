import { afterEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../adapters/providers/digest.ts';
import { findVersion, getKey } from '../../core/items.ts';
import type { Provider } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { answer } from '../../requests/answer.ts';
import { beginsRotation, end, revokes, untilIdle } from '../support/operations.ts';
import { world } from '../support/world.ts';
import { beside, grace, revokeOnly } from './described.ts';
import { type Description, openVendor, type Vendor } from './engine.ts';
import { alive, type Scene, stage, stands } from './product.ts';
import { providerServed } from './provider-of.ts';

/** The vendors that do not have a second key beside the first, and what only one vendor does. */
let scene: Scene | undefined;
let opened: { vendor: Vendor; provider: Provider; close: () => Promise<void> } | undefined;
afterEach(async () => {
  const vendor = scene?.vendor ?? opened?.vendor;
  if (scene) await end(scene.w);
  await opened?.close();
  [scene, opened] = [undefined, undefined];
  expect(vendor?.undocumented).toEqual([]);
});

async function open(description: Description) {
  const vendor = openVendor(description);
  const { provider, close } = await providerServed(vendor);
  opened = { vendor, provider, close };
  return { ...opened, subject: { keyId: 'team/key', account: 'default', params: description.params } };
}

describe('LaunchDarkly SDK keys: the vendor grants the overlap', () => {
  it('mints over real HTTP, tells versions apart by a digest, and reads again what it lost', async () => {
    const { vendor, provider, subject } = await open(grace);
    vendor.create('');
    const [before] = await provider.list(subject);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const { credentialId, value } = await provider.create(subject, 'label', { oldUntil: until });
    expect(credentialId).toBe(digestOf(value.reveal()));
    expect(vendor.find(before?.credentialId)?.refusedFrom).toBe(Date.parse(until));
    expect((await provider.probe(subject, value)).verdict).toBe('alive');
    expect((await provider.read?.(subject, credentialId))?.equals(value)).toBe(true);
    expect(await provider.read?.(subject, before?.credentialId ?? '')).toBeUndefined();
    expect((await provider.probe(subject, provider.neverIssued('0'.repeat(32)))).verdict).toBe('denied');
    // The old one cannot be ended sooner; the current one can, at once.
    expect(await provider.disable(subject, before?.credentialId ?? '')).toBe('gone');
    expect(await provider.disable(subject, credentialId)).toBe('disabled');
    expect((await provider.probe(subject, value)).verdict).toBe('denied');
  });

  it('is rotated with nobody refused, and the old key is proven dead when its time is over', async () => {
    scene = await stage(grace);
    const [old] = alive(scene);
    await beginsRotation(scene.w, scene.keyId);
    await untilIdle(scene.w, scene.keyId);
    expect(await stands(scene)).toEqual({ state: 'active', current: 2, attention: null });
    expect(alive(scene)).toHaveLength(2);
    await scene.w.pass(1300);
    expect(alive(scene)).not.toContain(old);
    expect((await findVersion(scene.w.ports, scene.keyId, 1))?.state).toMatch(/^(disabled|destroyed)$/);
    expect(scene.refused).toEqual([]);
    expect(await stands(scene)).toEqual({ state: 'active', current: 2, attention: null });
  });

  it('a reset whose answer was lost is taken over: there is no second reset', async () => {
    scene = await stage(grace);
    scene.vendor.strike('lost-answer', 1, 'POST ');
    await beginsRotation(scene.w, scene.keyId);
    await untilIdle(scene.w, scene.keyId);
    expect(await stands(scene)).toEqual({ state: 'active', current: 2, attention: null });
    expect(scene.vendor.held).toHaveLength(3);
    expect(scene.refused).toEqual([]);
  });

  it('is revoked at once, and a new key serves', async () => {
    scene = await stage(grace);
    const [leaked] = alive(scene);
    await revokes(scene.w, scene.keyId);
    await untilIdle(scene.w, scene.keyId);
    await scene.w.pass(100);
    expect(await stands(scene)).toEqual({ state: 'active', current: 2, attention: null });
    // What the reset left between the two lives on for its time, and nobody has its value.
    expect(alive(scene)).not.toContain(leaked);
    expect((await scene.versions()).map(({ accepted }) => accepted)).toEqual([false, true]);
  });
});

describe('GitHub tokens: only what leaked can be ended', () => {
  it('ends a token by its value, without any credential, and no other', async () => {
    const { vendor, provider, subject } = await open(revokeOnly);
    const [other, leaked] = [vendor.byHand(), vendor.byHand()];
    const value = new Value(leaked.value);
    expect((await provider.probe(subject, value)).verdict).toBe('alive');
    await provider.endByValue?.(value);
    expect((await provider.probe(subject, value)).verdict).toBe('denied');
    expect([other.deleted, leaked.deleted]).toEqual([false, true]);
    // Again, and for one that GitHub does not know: 202 all the same.
    await provider.endByValue?.(value);
    await provider.endByValue?.(provider.neverIssued('0'.repeat(32)));
    vendor.strike('slow-down');
    await expect(provider.endByValue?.(value)).rejects.toMatchObject({ name: 'ProviderUnavailable', retryAfterSeconds: 7 });
  });

  it('a leaked one that no key has is recognised, ended and seen refused, and is kept nowhere', async () => {
    const { vendor, provider } = await open(revokeOnly);
    const leaked = vendor.byHand();
    const w = world({ wrap: (ports) => ({ ...ports, provider: () => provider, providers: () => [provider.name] }) });
    const ask = (name: string, input: object) => answer(w.ports, name, input, { actor: 'ada', via: 'intake' });
    expect(await ask('revoke.find', { leaked: `TOKEN=${leaked.value}` })).toMatchObject({
      match: null,
      stranger: { looksLike: { surely: ['github-token'] }, byValue: ['github-token'] },
    });
    const at = { provider: provider.name, leaked: leaked.value };
    expect(await ask('revoke.unmanaged', { ...at, reason: 'in a gist' })).toEqual({ answer: 'disabled', recorded: true });
    expect(await ask('revoke.probe', at)).toMatchObject({ verdict: 'denied' });
    expect(JSON.stringify(w.inventory.items())).not.toContain(leaked.value);
    await end(w);
  });
});

describe('Okta: an app that always keeps one active secret', () => {
  const okta = beside.find(({ provider }) => provider === 'okta-client-secret') as Description;

  it('a leaked only secret dies at once: a stand-in takes its place until the new version is there', async () => {
    scene = await stage(okta);
    const [leaked] = alive(scene);
    await revokes(scene.w, scene.keyId, { source: 'unknown' });
    await scene.w.until(async () => (await getKey(scene!.w.ports, scene!.keyId)).state === 'contained');
    await scene.w.pass(60);
    // Held: the stand-in is all there is, and nobody has its value.
    expect(alive(scene)).toHaveLength(1);
    expect(alive(scene)).not.toContain(leaked);
    expect((await scene.versions()).map(({ accepted }) => accepted)).toEqual([false]);
  });

  it('a secret that leaks beside a dead one dies too: the dead one makes room', async () => {
    scene = await stage(okta);
    await beginsRotation(scene.w, scene.keyId);
    await untilIdle(scene.w, scene.keyId);
    expect(scene.vendor.present()).toHaveLength(2);
    await revokes(scene.w, scene.keyId);
    await untilIdle(scene.w, scene.keyId);
    await scene.w.pass(300);
    expect(await stands(scene)).toEqual({ state: 'active', current: 3, attention: null });
    expect((await scene.versions()).map(({ accepted }) => accepted)).toEqual([false, false, true]);
    expect(alive(scene)).toHaveLength(1);
  });

  it('both secrets leak in the middle of a rotation: both die', async () => {
    scene = await stage(okta);
    await beginsRotation(scene.w, scene.keyId);
    await scene.w.until(async () => (await getKey(scene!.w.ports, scene!.keyId)).rotation?.step === 'confirm');
    await revokes(scene.w, scene.keyId);
    await untilIdle(scene.w, scene.keyId);
    await scene.w.pass(300);
    expect((await scene.versions()).map(({ accepted }) => accepted)).toEqual([false, false, true]);
    expect(alive(scene)).toHaveLength(1);
  });
});

describe('Datadog application keys: a probe with a companion', () => {
  it('says nothing of the key when the companion does not work', async () => {
    const description = beside.find(({ provider }) => provider === 'datadog-application-key') as Description;
    const { provider, subject } = await open({ ...description, admin: { ...description.admin, apiKey: '0'.repeat(32) } });
    expect(await provider.probe(subject, provider.neverIssued('1'.repeat(32)))).toMatchObject({ verdict: 'inconclusive' });
  });
});
