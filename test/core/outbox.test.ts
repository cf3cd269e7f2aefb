import { afterEach, describe, expect, it } from 'vitest';
import { getKey } from '../../core/items.ts';
import type { Notice } from '../../core/notice.ts';
import type { Ports } from '../../core/ports.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { beginsRotation, end, passInflight, untilIdle } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
afterEach(() => end(w));

const died = () => new Promise<never>(() => undefined);
const isRecord = (writes: readonly { do: string; key?: { sk: string } }[]) => writes.some((write) => write.key?.sk.startsWith('NOTE#'));
const isForgotten = (writes: readonly { do: string; key?: { pk: string } }[]) =>
  writes.some((write) => write.do === 'delete' && write.key?.pk.startsWith('OUT#'));

/** The points between the commit of a notice and the end of its way, and what happens at each. */
const points: Readonly<Record<string, (ports: Ports, dead: () => boolean) => Partial<Ports>>> = {
  'the process dies right behind the commit': (_ports, dead) => ({
    notifier: { publish: async (notice) => (dead() ? died() : sent(notice)) },
  }),
  'the topic does not answer': (_ports, dead) => ({
    notifier: {
      publish: async (notice) => {
        if (dead()) throw Object.assign(new Error('no answer'), { name: 'DestinationUnavailable' });
        await sent(notice);
      },
    },
  }),
  'the topic took it, and its answer is lost': (_ports, dead) => ({
    notifier: {
      publish: async (notice) => {
        await sent(notice);
        if (dead()) throw Object.assign(new Error('no answer'), { name: 'DestinationUnavailable' });
      },
    },
  }),
  'the process dies before it is noted as sent': (ports, dead) => ({
    inventory: {
      ...ports.inventory,
      write: async (writes, permit) =>
        dead() && isRecord(writes as never) && writes.length === 1 ? died() : ports.inventory.write(writes, permit),
    },
  }),
  'the process dies before it leaves the outbox': (ports, dead) => ({
    inventory: {
      ...ports.inventory,
      write: async (writes, permit) => (dead() && isForgotten(writes as never) ? died() : ports.inventory.write(writes, permit)),
    },
  }),
};

let sent: (notice: Notice) => Promise<void>;

describe('INV-25: a notice that was committed arrives, though', () => {
  it.each(Object.keys(points))('%s', async (point) => {
    let dead = false;
    w = world({
      reconciler: false,
      wrap: (ports) => {
        sent = (notice) => ports.notifier.publish(notice);
        return { ...ports, ...points[point]?.(ports, () => dead) };
      },
    });
    const keyId = await adopted(w);
    services(w, testFacts());
    dead = true;
    await beginsRotation(w, keyId);
    // What is to be told is on record by now, with the version that it is about.
    await w.until(async () => (await getKey(w.ports, keyId)).rotation?.distributedAt !== null);
    const committed = (await w.inventory.list(`KEY#${keyId}`, 'NOTE#')).map((item) => String(item['noticeId']));
    expect(committed).toHaveLength(2);
    w.crash();
    await w.pass(1);
    dead = false;
    w.restart();
    for (let round = 0; round < 3; round++) {
      await w.pass(60);
      await reconcile(w.ports);
    }
    const arrived = new Set(w.notices.map(({ id }) => id));
    expect(committed.filter((id) => !arrived.has(id))).toEqual([]);
    expect(await w.inventory.list(`OUT#${keyId}`)).toEqual([]);
    const records = await w.inventory.list(`KEY#${keyId}`, 'NOTE#');
    expect(records.filter(({ sentAt }) => !sentAt)).toEqual([]);
    for (let round = 0; round < 20 && (await getKey(w.ports, keyId)).rotation; round++) {
      await w.pass(30);
      await reconcile(w.ports);
    }
    await untilIdle(w, keyId);
    await passInflight(w);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 2 });
  });
});

describe('POL-F6: each change', () => {
  it('is told once to every registered consumer, and nobody gets another’s notice', async () => {
    w = world();
    const keyId = await adopted(w);
    services(w, testFacts());
    await beginsRotation(w, keyId);
    await untilIdle(w, keyId);
    const counts: Record<string, number> = {};
    for (const { type, audience } of w.notices) counts[`${type} ${audience}`] = (counts[`${type} ${audience}`] ?? 0) + 1;
    expect(counts).toEqual({
      'key.issued api': 1,
      'key.issued batch': 1,
      'key.issued *': 1,
      'key.retired api': 1,
      'key.retired batch': 1,
      'key.retired *': 1,
    });
    const nonces = w.notices.flatMap(({ data }) => (data.nonce ? [data.nonce] : []));
    expect(new Set(nonces).size).toBe(2);
    expect(w.notices.filter(({ audience, data }) => audience === '*' && data.nonce)).toEqual([]);
  });
});
