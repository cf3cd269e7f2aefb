import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findVersion, getKey } from '../../core/items.ts';
import type { Verdict } from '../../core/ports.ts';
import { history } from '../../core/show.ts';
import { beginsRotation, end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
  services(w, testFacts());
});
afterEach(() => end(w));

/** The provider's next answers to a probe; afterwards it answers as it does. */
function answers(...verdicts: readonly Verdict[]): void {
  const { probe } = w.provider;
  const left = [...verdicts];
  w.provider.probe = async (...args) => {
    const verdict = left.shift();
    return verdict ? { verdict, detail: 'scripted' } : probe(...args);
  };
}

const probesOf = async (version: number) =>
  (await history(w.ports, keyId))
    .filter(({ event, detail }) => event === 'version.probed' && detail['version'] === version)
    .map(({ detail }) => `${detail['verdict']} ${detail['count']}`);

describe('a version is proven dead', () => {
  it('by three refusals in a row; what is no answer counts for nothing and begins the row again', async () => {
    answers('denied', 'denied', 'inconclusive', 'denied', 'denied');
    await revokes(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).state !== 'revoking');
    expect(await probesOf(1)).toEqual(['denied 1', 'denied 2', 'inconclusive 0', 'denied 1', 'denied 2', 'denied 3']);
  });

  it('not while the provider still lists it as enabled, though it refuses it', async () => {
    const { list } = w.provider;
    let lies = true;
    w.provider.list = async (...args) => (await list(...args)).map((one) => (lies ? { ...one, enabled: true } : one));
    await revokes(w, keyId);
    await w.pass(300);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'revoking', attention: { reason: 'ContainmentIncomplete' } });
    lies = false;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });

  it('not when its value is gone, so that nobody can try it', async () => {
    const { read } = w.ports.secrets;
    let gone = true;
    w.ports.secrets.read = async (...args) => (gone ? undefined : read(...args));
    await revokes(w, keyId);
    await w.pass(300);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'revoking' });
    gone = false;
    await untilIdle(w, keyId);
  });

  it('not while the provider says nothing clear; when that takes longer than its own budget, a person is called', async () => {
    const { probe } = w.provider;
    w.provider.probe = async () => ({ verdict: 'inconclusive', detail: 'scripted' });
    await revokes(w, keyId);
    await w.pass(300);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'revoking', attention: { reason: 'ContainmentIncomplete' } });
    expect(w.notices.filter(({ type }) => type === 'key.revocation.incomplete')).toMatchObject([{ severity: 'critical' }]);
    w.provider.probe = probe;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, attention: null });
  });

  it('only by refusals that came after it was disabled', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    // Verify takes it for dead already, and gives the rotation up: the control, then the new version, three times.
    answers('denied', 'denied', 'denied', 'denied', 'denied', 'denied');
    await untilIdle(w, keyId);
    const lines = await history(w.ports, keyId);
    const disabled = lines.findIndex(({ event, detail }) => event === 'version.disabling' && detail['version'] === 2);
    const after = lines.slice(disabled).filter(({ event }) => event === 'version.probed');
    expect(after.map(({ detail }) => detail['count'])).toEqual([1, 2, 3]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 1 });
  });
});

describe('a new version is accepted', () => {
  it('by two acceptances in a row, whatever came before', async () => {
    answers('denied', 'denied', 'alive', 'denied', 'alive');
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    expect(await probesOf(2)).toEqual(['denied 1', 'denied 2', 'alive 1', 'denied 1', 'alive 1', 'alive 2']);
  });

  it('and probed no faster than the provider’s pace, however often its step runs', async () => {
    await end(w);
    w = world({ provider: { traits: { probe: { alive: 2, denied: 3, everySeconds: 10 } } } });
    keyId = await adopted(w);
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const at = (await history(w.ports, keyId)).filter(({ event }) => event === 'version.probed').map((line) => Date.parse(line.at));
    expect(at).toHaveLength(2);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(10_000);
  });

  it('never: then its credential is deleted, another is minted, and after three the key stays what it was', async () => {
    const { probe } = w.provider;
    const v1 = await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, 1))?.token ?? '');
    w.provider.probe = async (subject, value) => (v1?.equals(value) ? probe(subject, value) : { verdict: 'denied', detail: 'scripted' });
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect((await history(w.ports, keyId)).filter(({ event }) => event === 'mint.abandoned').map(({ detail }) => detail['mint'])).toEqual([
      1, 2, 3,
    ]);
    expect(await getKey(w.ports, keyId)).toMatchObject({
      state: 'active',
      current: 1,
      attention: { message: expect.stringContaining('VerificationFailed') },
    });
    expect((await w.provider.list({ keyId, account: '', params: {} })).map((one) => one.credentialId)).toEqual(['cred-0001']);
  });

  it('and would be by anybody, when the provider accepts a value that was never issued: then it is taken back', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    answers('alive');
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({
      current: 1,
      attention: { message: expect.stringContaining('VerificationFailed') },
    });
  });

  it('not before the provider lists it as enabled', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const { list } = w.provider;
    w.provider.list = async (...args) => (await list(...args)).filter((one) => one.credentialId !== 'cred-0002');
    await w.pass(60);
    expect(await getKey(w.ports, keyId)).toMatchObject({ rotation: { step: 'verify', verifiedAt: null, ponr: false } });
    w.provider.list = list;
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 2 });
  });
});
