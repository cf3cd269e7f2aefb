import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelOf } from '../../core/attribution.ts';
import type { Item } from '../../core/inventory.ts';
import { findVersion, getKey } from '../../core/items.ts';
import { showInventory } from '../../core/reassert/open.ts';
import { registerKey } from '../../core/register.ts';
import { findLeaked } from '../../core/revoke/find.ts';
import { showKey } from '../../core/show.ts';
import { beginsRotation, end } from '../support/operations.ts';
import {
  a,
  beginDrill,
  enabled,
  keyId,
  leaveOut,
  opens,
  operator,
  reasserts,
  restore,
  rotates,
  table,
  takeBackup,
  w,
} from '../support/restored.ts';
import { testFacts } from '../support/world.ts';

beforeEach(beginDrill);
afterEach(() => end(w));

describe('a credential of ours that no record of the copy knows', () => {
  it('is an orphan that the reconciler ends, once the table is open', async () => {
    takeBackup();
    const { credentialId } = w.provider.stranger(labelOf(keyId, 'rotate-abcdefghijklmnopqrstuvwxyz', 2, 1));
    restore();
    expect(await reasserts()).toMatchObject({ outcome: 'done' });
    expect(await table.list(`ORPHAN#${keyId}`)).toHaveLength(1);
    expect(await enabled()).toContain(credentialId);
    await opens();
    await w.pass(600);
    expect(await enabled()).not.toContain(credentialId);
    expect(await enabled()).toHaveLength(1);
  });
});

describe('what the copy lacks', () => {
  it('a key that was registered since comes from the former table, with its history', async () => {
    takeBackup();
    const destinations = [{ id: 'later', kind: 'memory', at: 'later', environment: 'staging' }];
    const facts = testFacts({ id: 'payments/later', params: { user: 'later' }, exclusive: false, destinations });
    await registerKey(w.ports, facts, operator);
    restore();
    expect((await showInventory(w.ports, { from: a.name })).keys.map((one) => one.keyId)).toEqual(['payments/later', keyId]);
    await reasserts();
    expect(await reasserts({ keyId: 'payments/later', from: a.name })).toMatchObject({ outcome: 'done', taken: 'all' });
    await opens();
    expect((await showKey(w.ports, 'payments/later')).auditBreak).toBeNull();
  });

  it('a leaked string finds its key again', async () => {
    const version = await findVersion(w.ports, keyId, 1);
    const value = await w.ports.secrets.read(keyId, version?.token ?? '');
    takeBackup();
    leaveOut('FP#');
    restore();
    expect(value && (await findLeaked(w.ports, value))).toBeUndefined();
    await reasserts();
    expect(value && (await findLeaked(w.ports, value))).toMatchObject({ keyId, version: 1 });
  });

  it('a former table whose history is another one gives the states of versions and nothing else', async () => {
    takeBackup();
    await rotates();
    const former = restore();
    const [first] = await former.list(`KEY#${keyId}`, 'AUD#');
    await former.write([{ do: 'put', item: { ...(first as Item), hash: 'f'.repeat(64) } }]);
    expect(await reasserts({ from: a.name })).toMatchObject({ taken: 'states', versions: [{ state: 'disabled' }, { state: 'live' }] });
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 2 });
    expect((await showKey(w.ports, keyId)).auditBreak).toBeNull();
  });
});

describe('a provider that does not answer', () => {
  it('keeps its key from being re-asserted, until the operator has it observed only', async () => {
    takeBackup();
    restore();
    const { list } = w.provider;
    Object.assign(w.provider, { list: async () => Promise.reject(Object.assign(new Error('down'), { name: 'ProviderUnavailable' })) });
    await expect(reasserts()).rejects.toMatchObject({ name: 'ProviderUnavailable' });
    await expect(opens()).rejects.toMatchObject({ code: 'E_BUSY' });
    expect(await reasserts({ observe: true })).toMatchObject({ outcome: 'doubtful' });
    Object.assign(w.provider, { list });
    await opens();
    await expect(beginsRotation(w, keyId)).rejects.toMatchObject({ code: 'E_OBSERVE_ONLY' });
  });
});
