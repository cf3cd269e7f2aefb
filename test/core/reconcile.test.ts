import { afterEach, describe, expect, it } from 'vitest';
import { labelOf } from '../../core/attribution.ts';
import type { Write } from '../../core/inventory.ts';
import { findVersion, getKey, listVersions, operationIdOf } from '../../core/items.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { Ports } from '../../core/ports.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { history, showKey } from '../../core/show.ts';
import { Value } from '../../core/value.ts';
import { beginsRotation, end, passInflight, revokes, untilIdle } from '../support/operations.ts';
import { adopted, services, testFacts, testPolicy, testSettings, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
let keyId: string;
afterEach(() => end(w));

/** A key that is active on version 1, in a world where nothing else happens. */
async function idleKey(facts: KeyFacts = testFacts(), options: WorldOptions = {}): Promise<void> {
  w = world({ provider: { traits: { maxLive: 5 } }, ...options });
  keyId = await adopted(w, facts);
  services(w, facts);
  await w.pass(testSettings.idleCheckSeconds);
}

const listed = () => w.provider.list({ keyId, account: '', params: {} });
const enabled = async () => (await listed()).filter((one) => one.enabled).map((one) => one.credentialId);
const ids = async () => (await listed()).map((one) => one.credentialId);
const events = async (event: string) => (await history(w.ports, keyId)).filter((entry) => entry.event === event);
const ours = labelOf('payments/stripe', operationIdOf('rotate', 'payments/stripe', 'lost'), 2, 1);
const { idleCheckSeconds, orphanSeconds, reconcileSeconds } = testSettings;
const soakSeconds = testPolicy.tiers.medium.soakSeconds;

/** `broken.yes` makes the notifier fail. */
function breakable(broken: { yes: boolean }): (ports: Ports) => Ports {
  return (ports) => ({
    ...ports,
    notifier: {
      publish: async (notice) => {
        if (broken.yes) throw new TypeError('no route');
        await ports.notifier.publish(notice);
      },
    },
  });
}

describe('the reconciler, on a key that is idle,', () => {
  it('disables a credential of ours that no record has at the next look, and deletes it after the orphan time, not before', async () => {
    await idleKey(testFacts({ exclusive: false }));
    const { credentialId } = w.provider.stranger(ours);
    await w.until(async () => !(await enabled()).includes(credentialId), idleCheckSeconds + reconcileSeconds);
    await w.pass(orphanSeconds - 2 * reconcileSeconds);
    expect(await ids()).toContain(credentialId);
    await w.pass(4 * reconcileSeconds);
    expect(await ids()).not.toContain(credentialId);
    expect(await events('orphan.disabled')).toHaveLength(1);
    expect(await events('orphan.deleted')).toHaveLength(1);
    expect((await w.inventory.list(`ORPHAN#${keyId}`)).length).toBe(0);
  });

  it('deletes an item only on its own and only among notices and orphans, because the permission to delete names those partitions', async () => {
    const deleting: Write[][] = [];
    const watched = (ports: Ports): Ports => ({
      ...ports,
      inventory: {
        ...ports.inventory,
        write: (writes, permit) => {
          if (writes.some((write) => write.do === 'delete')) deleting.push([...writes]);
          return ports.inventory.write(writes, permit);
        },
      },
    });
    await idleKey(testFacts({ exclusive: false }), { wrap: watched });
    w.provider.stranger(ours);
    await w.pass(idleCheckSeconds + orphanSeconds + 5 * reconcileSeconds);
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    const partitions = deleting.map((writes) =>
      writes.map((write) => (write.do === 'delete' ? write.key.pk.split('#')[0] : write.do)).join(' '),
    );
    expect([...new Set(partitions)].sort()).toEqual(['ORPHAN', 'OUT']);
  });

  it('treats every unrecorded credential of a principal that is Rekey’s alone as its own', async () => {
    await idleKey(testFacts({ exclusive: true }));
    const { credentialId } = w.provider.stranger('made by hand');
    await w.pass(idleCheckSeconds + orphanSeconds + 3 * reconcileSeconds);
    expect(await ids()).not.toContain(credentialId);
  });

  it.each([
    'made by hand',
    'rekey-payments.other-rotate-aaaaaaaaaaaaa-2-1',
    'rekey-payments.stripe-eu-rotate-aaaaaaaaaaaaa-2-1',
    'payments.stripe',
    undefined,
  ])('never touches a credential labelled %s, and reports it once', async (label) => {
    await idleKey(testFacts({ exclusive: false }));
    const { credentialId } = w.provider.stranger(label);
    await w.pass(orphanSeconds + 5 * idleCheckSeconds);
    expect(await enabled()).toContain(credentialId);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', attention: { reason: 'UnattributedCredential' } });
    expect(w.notices.filter(({ type }) => type === 'key.attention')).toHaveLength(1);
  });

  it('forgets an orphan that somebody else deleted', async () => {
    await idleKey(testFacts({ exclusive: false }));
    const { credentialId } = w.provider.stranger(ours);
    await w.until(async () => !(await enabled()).includes(credentialId));
    await w.pass(1);
    expect((await w.inventory.list(`ORPHAN#${keyId}`)).length).toBe(1);
    await w.provider.delete({ keyId, account: '', params: {} }, credentialId);
    await w.pass(2 * idleCheckSeconds);
    expect((await w.inventory.list(`ORPHAN#${keyId}`)).length).toBe(0);
  });

  it('deletes a dead version at the provider after its soak, and not before', async () => {
    await idleKey();
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    await w.pass(soakSeconds - idleCheckSeconds);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'disabled' });
    expect(await ids()).toContain('cred-0001');
    await w.pass(3 * idleCheckSeconds);
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ state: 'destroyed', role: 'none' });
    expect(await ids()).toEqual(['cred-0002']);
    expect(await events('version.destroyed')).toMatchObject([{ detail: { version: 1, reason: 'soak over' } }]);
  });

  it('disables again, and reports, a dead version that somebody enabled in the vendor’s console', async () => {
    await idleKey();
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    await passInflight(w);
    w.provider.enableInConsole('cred-0001');
    expect(w.provider.accepts('cred-0001')).toBe(true);
    await w.until(async () => !(await enabled()).includes('cred-0001'), idleCheckSeconds + reconcileSeconds);
    await w.pass(1);
    expect(await getKey(w.ports, keyId)).toMatchObject({ attention: { reason: 'EnabledAgain' }, current: 2 });
    expect(w.notices.filter(({ type }) => type === 'key.attention')).toHaveLength(1);
  });

  it.each<[name: string, held: Value | null]>([
    ['another value', new Value('somebody else wrote this')],
    ['the value of the version before', null],
  ])('restores a destination that holds %s, and leaves the others alone', async (_name, held) => {
    await idleKey();
    const old = await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, 1))?.token ?? '');
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    const [spec] = testFacts().destinations;
    if (!spec) throw new Error('the key has a destination');
    await w.ports.destination('memory').write(spec, held ?? (old as Value), 'by hand');
    const current = await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, 2))?.token ?? '');
    const right = async () => current !== undefined && ((await w.ports.destination('memory').read(spec))?.equals(current) ?? false);
    expect(await right()).toBe(false);
    await w.until(right, 3 * idleCheckSeconds);
    await w.pass(2 * idleCheckSeconds);
    expect(await events('destination.restored')).toMatchObject([{ detail: { destination: 'api', version: 2 } }]);
  });

  it('strips the labels of a version that is dead, and never AWSCURRENT', async () => {
    await idleKey();
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    const [one, two] = await listVersions(w.ports, keyId);
    expect(await w.ports.secrets.labels(keyId)).toMatchObject({ AWSCURRENT: two?.token, AWSPREVIOUS: one?.token });
    await passInflight(w);
    await w.pass(2 * idleCheckSeconds);
    const { AWSPREVIOUS: previous, ...labels } = await w.ports.secrets.labels(keyId);
    expect(previous).toBeUndefined();
    expect(labels['AWSCURRENT']).toBe(two?.token);
  });

  it('changes nothing that is in order: after many rounds the key, the provider and the destinations are the same', async () => {
    await idleKey();
    const before = { versions: await listVersions(w.ports, keyId), listed: await listed(), fence: (await getKey(w.ports, keyId)).fence };
    await w.pass(20 * idleCheckSeconds);
    expect({ versions: await listVersions(w.ports, keyId), listed: await listed(), fence: (await getKey(w.ports, keyId)).fence }).toEqual(
      before,
    );
    expect(w.notices).toEqual([]);
  });

  it('touches nothing while an operation moves, or may still have an attempt under way', async () => {
    await idleKey(testFacts(), { reconciler: false });
    await beginsRotation(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).rotation?.step === 'confirm');
    w.provider.stranger(ours);
    await w.pass(5);
    expect(await reconcile(w.ports)).toMatchObject({ looked: 1, repaired: [] });
    expect(await enabled()).toHaveLength(3);
    await untilIdle(w, keyId);
    const { credentialId } = w.provider.stranger(ours);
    expect(await reconcile(w.ports)).toMatchObject({ repaired: [] });
    expect(await enabled()).toContain(credentialId);
    await passInflight(w);
    expect(await reconcile(w.ports)).toMatchObject({ repaired: [expect.stringContaining('orphan disabled')] });
    expect(await enabled()).not.toContain(credentialId);
  });

  it('makes no repair that it planned before an operation began', async () => {
    await idleKey(testFacts(), { reconciler: false });
    w.provider.stranger(ours);
    const { list } = w.provider;
    w.provider.list = async (...args) => {
      const found = await list(...args);
      w.provider.list = list;
      await beginsRotation(w, keyId);
      return found;
    };
    expect(await reconcile(w.ports)).toMatchObject({ repaired: [] });
    expect((await history(w.ports, keyId)).filter(({ actor, event }) => actor === 'reconciler' && event.startsWith('effect'))).toEqual([]);
  });

  it('only looks at a key in observe mode', async () => {
    const facts = testFacts({ mode: 'observe' });
    await idleKey(facts);
    const { credentialId } = w.provider.stranger(ours);
    const [spec] = facts.destinations;
    if (spec) await w.ports.destination('memory').write(spec, new Value('somebody else wrote this'), 'by hand');
    const destination = async () => (spec ? await w.ports.destination('memory').read(spec) : undefined);
    await w.pass(orphanSeconds + 5 * idleCheckSeconds);
    expect(await enabled()).toEqual(['cred-0001', credentialId]);
    expect((await destination())?.equals(new Value('somebody else wrote this'))).toBe(true);
  });

  it('one key’s trouble does not keep it from the others', async () => {
    w = world({ reconciler: false });
    const facts = testFacts({ exclusive: false });
    keyId = await adopted(w, facts);
    const other = await adopted(w, testFacts({ id: 'payments/other', exclusive: false }));
    await w.inventory.update(
      { pk: `KEY#${other}`, sk: 'META' },
      { set: { 'facts.destinations': [{ id: 'x', kind: 'memory', at: 'x', environment: 'staging' }] } },
    );
    w.provider.list = async (subject) => {
      if (subject.keyId === other) throw new TypeError('no answer');
      return [];
    };
    const { looked, failed } = await reconcile(w.ports);
    expect({ looked, failed }).toEqual({ looked: 2, failed: [other] });
  });
});

describe('the reconciler, whatever happens on a key,', () => {
  it('sends every notice that was committed and not sent, once the notifier is back, in their order', async () => {
    const broken = { yes: false };
    await idleKey(testFacts(), { wrap: breakable(broken) });
    broken.yes = true;
    await revokes(w, keyId, { source: 'unknown' });
    await w.pass(120);
    expect(w.notices).toEqual([]);
    const unsent = (await w.inventory.list(`OUT#${keyId}`)).map((item) => (item['notice'] as { id: string }).id);
    expect(unsent.length).toBeGreaterThan(2);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'contained' });
    broken.yes = false;
    await w.pass(idleCheckSeconds + reconcileSeconds);
    expect(w.notices.map(({ id }) => id)).toEqual(unsent);
    expect(await w.inventory.list(`OUT#${keyId}`)).toEqual([]);
    await w.pass(10 * idleCheckSeconds);
    expect(w.notices).toHaveLength(unsent.length);
  });

  it('files the lines that waiting attempts leave, so that none of them pile up on the key', async () => {
    w = world();
    keyId = await adopted(w);
    services(w, testFacts(), { silent: ['batch'] });
    await beginsRotation(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).rotation?.step === 'confirm');
    await requestRollback(w.ports, { keyId, reason: 'wrong day' }, 'owner');
    let most = 0;
    for (let i = 0; i < 20; i++) {
      await w.pass(60);
      most = Math.max(most, (await getKey(w.ports, keyId)).pendingCount);
    }
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'rolling-back' });
    expect(most).toBeLessThan(5);
  });

  it('shows an entry of the history that was changed, and where', async () => {
    await idleKey();
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    expect((await showKey(w.ports, keyId)).auditBreak).toBeNull();
    const [line] = await events('rotation.started');
    if (!line) throw new Error('the rotation is in the history');
    await w.inventory.update({ pk: `KEY#${keyId}`, sk: `AUD#${String(line.seq).padStart(10, '0')}` }, { set: { actor: 'somebody else' } });
    expect((await showKey(w.ports, keyId)).auditBreak).toBe(line.seq);
    await w.inventory.write([{ do: 'delete', key: { pk: `KEY#${keyId}`, sk: `AUD#${String(line.seq).padStart(10, '0')}` } }]);
    expect((await showKey(w.ports, keyId)).auditBreak).toBe(line.seq);
  });
});
