import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelOf } from '../../core/attribution.ts';
import { findVersion, getKey, listVersions } from '../../core/items.ts';
import { showInventory } from '../../core/reassert/open.ts';
import { reassertKey } from '../../core/reassert/reassert.ts';
import { goLive, registerKey } from '../../core/register.ts';
import { history, showKey } from '../../core/show.ts';
import { beginsRotation, end, passInflight, revokes, untilIdle, untilStep } from '../support/operations.ts';
import type { Table } from '../support/restored.ts';
import {
  a,
  b,
  beginDrill,
  deploy,
  enabled,
  keyId,
  opens,
  operator,
  readOnly,
  reassertions,
  reasserts,
  restore,
  rotates,
  table,
  takeBackup,
  w,
} from '../support/restored.ts';
import { services, testFacts } from '../support/world.ts';

beforeEach(beginDrill);
afterEach(() => end(w));

describe('row 73: a table that was restored from a backup', () => {
  it('is read-only: no rotation, registration or hold, and operations of before do not go on', async () => {
    services(w, testFacts());
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    takeBackup();
    restore();
    const before = JSON.stringify(table.items());
    await w.pass(400);
    expect(JSON.stringify(table.items())).toBe(before);
    await expect(beginsRotation(w, keyId, 't2')).rejects.toThrow();
    await expect(registerKey(w.ports, testFacts({ id: 'payments/other', params: { user: 'other' } }), operator)).rejects.toMatchObject(
      readOnly,
    );
    await expect(goLive(w.ports, { keyId }, operator)).rejects.toThrow();
    expect(JSON.stringify(table.items())).toBe(before);
    expect(await showInventory(w.ports, {})).toMatchObject({ state: 'restored', madeFor: a, is: b, keys: [{ keyId, reasserted: false }] });
  });

  it('still takes a revocation, up to the proof that the version is dead', async () => {
    takeBackup();
    restore();
    const { versions } = await revokes(w, keyId, { source: 'unknown' });
    expect(versions).toEqual([{ number: 1, firstDisable: 'disabled' }]);
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled', compromised: true });
  });

  it('opens only when every key was re-asserted, and is like any other from then on', async () => {
    takeBackup();
    restore();
    await expect(opens()).rejects.toMatchObject({ code: 'E_BUSY', message: expect.stringContaining(keyId) });
    expect(await reasserts()).toMatchObject({ outcome: 'done', doubts: [] });
    await expect(beginsRotation(w, keyId)).rejects.toThrow();
    expect(await opens()).toEqual({ opened: `${b.name}/${b.id}`, keys: 1 });
    await expect(opens()).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    await expect(reassertKey(w.ports, { keyId }, operator)).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    await passInflight(w);
    expect((await rotates()).refused).toEqual([]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });

  it('never lets an attempt from before the restore write: each fence is far beyond what it holds', async () => {
    takeBackup();
    restore();
    const { fence } = await getKey(w.ports, keyId);
    await reasserts();
    expect((await getKey(w.ports, keyId)).fence).toBeGreaterThanOrEqual(fence + 1_000_000);
  });

  it('is re-asserted once: again changes nothing, and leaves one line for each key', async () => {
    takeBackup();
    restore();
    await reasserts();
    const before = JSON.stringify(table.items());
    expect(await reasserts()).toMatchObject({ outcome: 'done before' });
    expect(JSON.stringify(table.items())).toBe(before);
    expect(await reassertions()).toMatchObject([{ actor: operator }]);
    expect((await showKey(w.ports, keyId)).auditBreak).toBeNull();
  });

  it('goes on where it was interrupted', async () => {
    takeBackup();
    await revokes(w, keyId, { source: 'unknown' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    restore();
    // Every write of it fails once, one after the other.
    for (let nth = 1; nth < 40; nth++) {
      let writes = 0;
      const inner = table;
      const failing: Table = {
        ...inner,
        write: async (...args) => {
          if (++writes === nth) throw Object.assign(new Error('lost'), { name: 'InventoryUnavailable' });
          await inner.write(...args);
        },
      };
      deploy(failing);
      const failed = await reassertKey(w.ports, { keyId, from: a.name }, operator).then(
        () => false,
        () => true,
      );
      deploy(inner);
      if (!failed) break;
    }
    expect(await reasserts({ from: a.name })).toMatchObject({ outcome: 'done before' });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled', compromised: true });
    expect(await reassertions()).toHaveLength(1);
    expect((await showKey(w.ports, keyId)).auditBreak).toBeNull();
  });
});

describe('a revocation that the backup does not know', () => {
  beforeEach(async () => {
    takeBackup();
    await revokes(w, keyId, { source: 'unknown' });
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
  });

  it('would be forgotten by the copy, and is whole again from the former table', async () => {
    restore();
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'live', compromised: false });
    expect(await reasserts({ from: a.name })).toMatchObject({
      outcome: 'done',
      taken: 'all',
      versions: [{ number: 1, state: 'disabled', compromised: true }],
    });
    expect((await history(w.ports, keyId)).some(({ event }) => event === 'revocation.contained')).toBe(true);
    expect((await showKey(w.ports, keyId)).auditBreak).toBeNull();
    await opens();
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'contained', revocation: { held: true } });
    await expect(beginsRotation(w, keyId, 't9')).rejects.toMatchObject({ code: 'E_REVOKED' });
  });

  it('is known as a leak from an export of the history, when the former table is gone', async () => {
    restore({ formerIsReadable: false });
    const answer = await reasserts({ known: [{ number: 1, state: 'disabled', compromised: true }] });
    expect(answer).toMatchObject({ versions: [{ number: 1, state: 'disabled', compromised: true }] });
    // Nothing that is in use is known any more: a person has to say how it goes on.
    expect(answer.outcome).toBe('doubtful');
    expect(await getKey(w.ports, keyId)).toMatchObject({ facts: { mode: 'observe' }, attention: { reason: 'RestoredInDoubt' } });
  });

  it('leaves its version dead at least, when nothing but the provider can be asked', async () => {
    restore({ formerIsReadable: false });
    expect(await reasserts()).toMatchObject({ outcome: 'doubtful', versions: [{ number: 1, state: 'disabled' }] });
    expect(await enabled()).toEqual([]);
  });

  it('is carried out again when the leaked version was enabled at the vendor meanwhile', async () => {
    restore({ formerIsReadable: false });
    const [listed] = await w.provider.list({ keyId, account: 'default', params: {} });
    w.provider.enableInConsole(listed?.credentialId ?? '');
    expect(await reasserts({ known: [{ number: 1, compromised: true }] })).toMatchObject({ outcome: 'done' });
    expect(await enabled()).toEqual([]);
    await opens();
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled', compromised: true });
  });
});

describe('a rotation that the backup does not know', () => {
  it('has its version back from the secret store and the vendor, and no service is ever refused', async () => {
    takeBackup();
    const { refused } = await rotates();
    restore({ formerIsReadable: false });
    expect(await reasserts()).toMatchObject({
      outcome: 'done',
      versions: [
        { number: 1, state: 'disabled', compromised: false },
        { number: 2, state: 'live', compromised: false },
      ],
    });
    await opens();
    await w.pass(600);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2, lastVersion: 2, attention: null });
    expect(await enabled()).toHaveLength(1);
    expect((await listVersions(w.ports, keyId)).map(({ role }) => role)).toEqual(['none', 'current']);
    await beginsRotation(w, keyId, 't2');
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 3 });
    expect(refused).toEqual([]);
  });

  it.each(['issue', 'confirm'])('that was at %s when the backup was made ends well from where the backup left it', async (step) => {
    const { refused } = services(w, testFacts());
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, step);
    takeBackup();
    await untilIdle(w, keyId);
    restore({ formerIsReadable: false });
    expect(await reasserts()).toMatchObject({ outcome: 'done' });
    await opens();
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled' });
    expect(refused).toEqual([]);
  });

  it('that others followed ends where it stood', async () => {
    const { refused } = services(w, testFacts());
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'issue');
    takeBackup();
    await untilIdle(w, keyId);
    await passInflight(w);
    await beginsRotation(w, keyId, 't2');
    await untilIdle(w, keyId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 3 });
    restore({ formerIsReadable: false });
    await reasserts();
    expect(await getKey(w.ports, keyId)).toMatchObject({ rotation: null, state: 'active', current: 3 });
    await opens();
    await w.pass(600);
    expect(await getKey(w.ports, keyId)).toMatchObject({ rotation: null, state: 'active', current: 3 });
    expect(await enabled()).toHaveLength(1);
    expect(refused).toEqual([]);
  });

  it('that reached one destination only is a doubt: its credential is left alone', async () => {
    takeBackup();
    const { credentialId, value } = w.provider.stranger(labelOf(keyId, 'rotate-abcdefghijklmnopqrstuvwxyz', 2, 1));
    const [spec] = testFacts().destinations;
    if (spec) await w.ports.destination(spec.kind).write(spec, value, '00000000-0000-8000-a000-000000000009');
    restore({ formerIsReadable: false });
    expect(await reasserts()).toMatchObject({ outcome: 'doubtful', doubts: [expect.stringContaining('delivered to api')] });
    await opens();
    await w.pass(600);
    expect(await enabled()).toContain(credentialId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ facts: { mode: 'observe' } });
  });
});
