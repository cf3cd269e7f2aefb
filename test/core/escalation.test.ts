import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acknowledge } from '../../core/acknowledge.ts';
import { receive } from '../../core/adoption.ts';
import { commit } from '../../core/commit.ts';
import { DestinationUnavailable } from '../../core/errors.ts';
import { findEscalation, type Matter, openEscalations, raise } from '../../core/escalation.ts';
import { getKey } from '../../core/items.ts';
import { reconcileEscalations } from '../../core/reconcile/escalations.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { history, status } from '../../core/show.ts';
import { instant } from '../../core/time.ts';
import { beginsRotation, end, noticeTo, receiptFor, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, consumerNamed, testFacts, testPolicy, testSettings, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
const chain = [
  { who: 'owner', afterSeconds: 0 },
  { who: 'team', afterSeconds: 180 },
  { who: 'on-call', afterSeconds: 380 },
] as const;
const [teamSeconds, onCallSeconds] = [180, 380];
const { overlapMinSeconds } = testPolicy.tiers.medium;
const { remindSeconds } = testSettings;
const tier = { ...testPolicy.tiers.medium, page: chain };
const policy = { ...testPolicy, tiers: { high: tier, medium: tier, low: tier } };
const facts = testFacts({ consumers: [consumerNamed('api'), consumerNamed('batch')] });

beforeEach(async () => {
  w = world({ policy });
  keyId = await adopted(w, facts);
});
afterEach(() => end(w));

const triggers = () => w.pages.filter(({ action }) => action === 'trigger').map(({ level, to }) => `${level} ${to}`);
const resolves = () => w.pages.filter(({ action }) => action === 'resolve').map(({ level, to }) => `${level} ${to}`);

const asksForAttention = (reason: string, of = keyId) =>
  commit(w.ports, of, () => ({
    actor: 'test',
    set: { attention: { reason, message: `${reason} it is`, since: instant(Date.now()) } },
    events: [{ event: 'attention', detail: { reason } }],
  }));

const isOver = (of = keyId) =>
  commit(w.ports, of, () => ({ actor: 'test', set: { attention: null }, events: [{ event: 'attention.over' }] }));

/** One of several keys, of a team of its own unless said otherwise. */
const anotherKey = (name: string, owner = `team-${name}`) =>
  adopted(w, testFacts({ id: `payments/${name}`, owner, exclusive: false, params: { name }, consumers: [] }));

/** Only what waits for people is looked at; the keys are left alone. */
async function onlyEscalations(): Promise<void> {
  await end(w);
  w = world({ reconciler: false, policy });
  keyId = await adopted(w, facts);
  setInterval(() => void reconcileEscalations(w.ports), testSettings.reconcileSeconds * 1000);
}

describe('POL-R2: a consumer’s silence', () => {
  it('walks the chain: its owner, then the key’s team, then on-call, each at its time and once', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    await receive(w.ports, await receiptFor(w, noticeTo(w, 'api', 'key.issued')), 'api');
    const from = Date.now();
    const walked: [string, number][] = [];
    await w.until(() => {
      for (const whom of triggers().slice(walked.length)) walked.push([whom, Math.floor((Date.now() - from) / 1000)]);
      return walked.length === 3;
    });
    expect(walked.map(([whom]) => whom)).toEqual(['owner team-batch', 'team team-payments', 'on-call on-call']);
    for (const [i, after] of [0, teamSeconds, onCallSeconds].entries()) {
      const seconds = overlapMinSeconds + after;
      expect(walked[i]?.[1]).toBeGreaterThanOrEqual(seconds - 10);
      expect(walked[i]?.[1]).toBeLessThanOrEqual(seconds + 2 * testSettings.reconcileSeconds);
    }
    await w.pass(remindSeconds / 2);
    expect(triggers()).toHaveLength(3);
    expect(w.provider.accepts('cred-0001')).toBe(true);
  });

  it('that is broken in time is told to nobody', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    for (const name of ['api', 'batch']) await receive(w.ports, await receiptFor(w, noticeTo(w, name, 'key.issued')), name);
    await untilIdle(w, keyId);
    await w.pass(onCallSeconds + 60);
    expect(w.pages).toEqual([]);
    expect(await openEscalations(w.ports)).toEqual([]);
  });

  it('that ends late is taken back from everybody who was told, under the thread of the rotation, and the rotation completes by itself', async () => {
    const { operationId } = await beginsRotation(w, keyId);
    await w.until(() => triggers().length === 4);
    expect([...triggers()].sort()).toEqual(['on-call on-call', 'owner team-api', 'owner team-batch', 'team team-payments']);
    expect((await status(w.ports)).escalations).toMatchObject([{ keyId, acknowledgedBy: null, reason: 'ConsumersNotConfirmed' }]);
    for (const name of ['api', 'batch']) await receive(w.ports, await receiptFor(w, noticeTo(w, name, 'key.issued')), name);
    await untilIdle(w, keyId);
    await w.until(() => resolves().length === 4);
    expect([...resolves()].sort()).toEqual([...triggers()].sort());
    expect(new Set(w.pages.map(({ thread }) => thread))).toEqual(new Set([operationId]));
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });

  it('POL-M1: of a key without consumers is its owner’s to decide', async () => {
    await end(w);
    w = world({ policy });
    const unmapped = await adopted(w, testFacts({ owner: 'team-unmapped', consumers: [] }));
    await beginsRotation(w, unmapped);
    await w.until(() => triggers().length > 0);
    expect(w.pages[0]).toMatchObject({ level: 'owner', to: 'team-unmapped', lines: [{ keyId: unmapped }] });
    expect(w.pages[0]?.lines[0]?.text).toContain('its owner decides');
  });

  it('after a reissue is the consumer’s owner’s case, though nothing waits for it', async () => {
    const { revokes } = await import('../support/operations.ts');
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    await w.until(() => triggers().includes('owner team-batch'));
    for (const name of ['api', 'batch']) await receive(w.ports, await receiptFor(w, noticeTo(w, name, 'key.reissued')), name);
    await w.until(() => resolves().includes('owner team-batch'));
  });
});

describe('an escalation', () => {
  beforeEach(onlyEscalations);

  it('is opened by whatever asks for a person, told to the owner at once and to the others later, and over when that is over', async () => {
    const other = await anotherKey('quiet');
    await asksForAttention('RolledBack', other);
    await w.pass(2 * testSettings.reconcileSeconds);
    expect(triggers()).toEqual(['owner team-quiet']);
    expect(w.pages[0]).toMatchObject({ title: 'payments/quiet: RolledBack', severity: 'warning', lines: [{ reason: 'RolledBack' }] });
    await w.pass(teamSeconds);
    expect(triggers()).toEqual(['owner team-quiet', 'team team-payments']);
    await isOver(other);
    await w.pass(2 * testSettings.reconcileSeconds);
    expect(resolves()).toEqual(['owner team-quiet', 'team team-payments']);
    await w.pass(onCallSeconds);
    expect(triggers()).toHaveLength(2);
  });

  it('that somebody has taken stops its chain, is on record with who, and is told again when it is still open much later', async () => {
    const other = await anotherKey('taken');
    await asksForAttention('RolledBack', other);
    await w.pass(2 * testSettings.reconcileSeconds);
    await acknowledge(w.ports, { about: other }, 'anna');
    await w.pass(onCallSeconds + 60);
    expect(triggers()).toEqual(['owner team-taken']);
    expect((await history(w.ports, other)).find(({ event }) => event === 'escalation.acknowledged')).toMatchObject({ actor: 'anna' });
    expect((await status(w.ports)).escalations).toMatchObject([{ acknowledgedBy: 'anna' }]);
    await w.pass(remindSeconds);
    expect(triggers()).toEqual(expect.arrayContaining(['team team-payments', 'on-call on-call']));
  });

  it('that is not there cannot be taken: E_NOT_FOUND', async () => {
    await expect(acknowledge(w.ports, { about: 'payments/nothing' }, 'anna')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });

  it('is opened once, however often it is asked for', async () => {
    const matter: Matter = {
      ...{ id: 'review/2026', kind: 'attention', keyId, subject: {}, thread: 'review/2026', reason: 'RolledBack' },
      ...{ severity: 'warning', calls: [{ owner: 'anna', team: 'team', text: 'look' }], patienceSeconds: 0 },
    } as const;
    await raise(w.ports, matter, chain);
    const before = await findEscalation(w.ports, matter.id);
    await w.pass(1);
    await raise(w.ports, matter, chain);
    expect(await findEscalation(w.ports, matter.id)).toEqual(before);
  });
});

describe('INV-26: people', () => {
  beforeEach(onlyEscalations);

  it('get one message about everything that waits for them, and no second one within the digest time', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const keys = [];
    for (const name of names) keys.push(await anotherKey(name, 'team-payments'));
    for (const key of keys.slice(0, 3)) await asksForAttention('RolledBack', key);
    await w.pass(2 * testSettings.reconcileSeconds);
    expect(w.pages).toHaveLength(1);
    expect(w.pages[0]).toMatchObject({ title: '3 matters wait for team-payments', more: 0 });
    await asksForAttention('RolledBack', keys[3]);
    await w.pass(testSettings.digestSeconds / 2);
    expect(w.pages).toHaveLength(1);
    await w.pass(testSettings.digestSeconds);
    expect(w.pages).toHaveLength(2);
    expect(w.pages[1]?.lines.map((line) => line.keyId)).toEqual(['payments/four']);
  });

  it('hear of the first emergency at once, also within the digest time, and of the next ones together', async () => {
    const keys = [];
    for (const name of ['a', 'b', 'c', 'd']) keys.push(await anotherKey(name));
    const [a, b, c, d] = keys as [string, string, string, string];
    await asksForAttention('RolledBack', a);
    await w.pass(2 * testSettings.reconcileSeconds);
    const onCall = () => w.pages.filter(({ level }) => level === 'on-call');
    await asksForAttention('OperationStuck', b);
    expect(onCall()).toHaveLength(1);
    await asksForAttention('OperationStuck', c);
    await asksForAttention('OperationStuck', d);
    expect(onCall()).toHaveLength(1);
    await w.pass(testSettings.digestSeconds + 2 * testSettings.reconcileSeconds);
    expect(onCall()).toHaveLength(2);
    expect(onCall()[1]?.lines.map((line) => line.keyId)).toEqual(['payments/c', 'payments/d']);
  });

  it('of a digest hear that it is over when the last of its matters is', async () => {
    const [a, b] = [await anotherKey('a', 'team-payments'), keyId];
    await asksForAttention('RolledBack', a);
    await asksForAttention('RepairFailed', b);
    await w.pass(2 * testSettings.reconcileSeconds);
    expect(w.pages).toHaveLength(1);
    await isOver(a);
    await w.pass(2 * testSettings.reconcileSeconds);
    expect(resolves()).toEqual([]);
    await isOver(b);
    await w.pass(2 * testSettings.reconcileSeconds);
    expect(resolves()).toEqual(['owner team-payments']);
    expect(w.pages[1]?.thread).toBe(w.pages[0]?.thread);
  });

  it('are reminded of several matters under a thread that they know, so that every thread that was opened is closed', async () => {
    const [a, b] = [await anotherKey('a', 'team-payments'), keyId];
    await asksForAttention('RolledBack', a);
    await w.pass(testSettings.digestSeconds + 2 * testSettings.reconcileSeconds);
    await asksForAttention('RepairFailed', b);
    await w.pass(onCallSeconds + testSettings.digestSeconds);
    for (const about of [a, b]) await acknowledge(w.ports, { about }, 'anna');
    await w.pass(remindSeconds + testSettings.digestSeconds);
    expect(w.pages.some(({ lines }) => lines.length === 2)).toBe(true);
    const threadsOf = (action: string) =>
      new Set(w.pages.filter((page) => page.action === action).map(({ to, thread }) => `${to} ${thread}`));
    const opened = threadsOf('trigger');
    for (const key of [a, b]) await isOver(key);
    await w.pass(2 * testSettings.reconcileSeconds);
    expect(threadsOf('resolve')).toEqual(opened);
  });
});

describe('a page', () => {
  it.each(['the page', 'the record that it was sent'])('is sent, whichever of these fails first: %s', async (what) => {
    await end(w);
    let failing = true;
    w = world({
      reconciler: false,
      policy,
      wrap: (ports) => ({
        ...ports,
        pager: {
          page: async (page) => {
            if (failing && what === 'the page') throw new DestinationUnavailable('no answer');
            await ports.pager.page(page);
          },
        },
        inventory: {
          ...ports.inventory,
          write: async (writes, permit) => {
            const forgets = writes.some((write) => write.do === 'delete' && write.key.pk === 'OUT#@people');
            if (failing && forgets && what !== 'the page') throw new DestinationUnavailable('no answer');
            await ports.inventory.write(writes, permit);
          },
        },
      }),
    });
    keyId = await adopted(w, facts);
    await asksForAttention('RolledBack');
    expect(await reconcileEscalations(w.ports)).toMatchObject({ open: 1, unsent: 1 });
    failing = false;
    expect(await reconcileEscalations(w.ports)).toMatchObject({ open: 1, unsent: 0 });
    expect(new Set(w.pages.map(({ id }) => id)).size).toBe(1);
    await reconcile(w.ports);
    expect(await w.inventory.list('OUT#@people')).toEqual([]);
  });

  it('is sent once to each, though many look at the same moment', async () => {
    await asksForAttention('RolledBack');
    await Promise.all(Array.from({ length: 5 }, () => reconcileEscalations(w.ports)));
    expect(new Set(w.pages.map(({ id }) => id)).size).toBe(1);
  });
});
