import { ConditionFailed } from '../errors.ts';
import type { ItemKey } from '../inventory.ts';
import { attribute, uuidOf } from '../items.ts';
import type { Ports } from '../ports.ts';
import { instant, milliseconds } from '../time.ts';

/** How many keys one sender may have ended or rotated in how long, before a responder has to look: a forged or broken sender ends few. */
export const senderBudget = { keys: 50, seconds: 600 } as const;

const budgetKey = (sender: string): ItemKey => ({ pk: `SENDER#${sender}`, sk: 'BUDGET' });

/** Takes one from a sender's budget. False: it is used up for now. */
export async function spend(ports: Ports, sender: string): Promise<boolean> {
  const now = ports.clock.now();
  const known = await ports.inventory.get(budgetKey(sender));
  const since = String(known?.['since'] ?? '');
  if (!since || now - milliseconds(since) >= senderBudget.seconds * 1000) {
    try {
      const item = { ...budgetKey(sender), since: instant(now), used: 1 };
      await ports.inventory.write(
        [{ do: 'put', item, when: [known ? { path: 'since', is: '=', value: since } : { item: 'absent' }] }],
        'toward dead',
      );
      return true;
    } catch (error) {
      // Somebody else began the new span at the same moment.
      if (error instanceof ConditionFailed) return spend(ports, sender);
      throw error;
    }
  }
  try {
    const when = [
      { path: 'since', is: '=', value: since },
      { path: 'used', is: '<', value: senderBudget.keys },
    ] as const;
    await ports.inventory.update(budgetKey(sender), { add: { used: 1 } }, when, 'toward dead');
    return true;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    const fresh = await ports.inventory.get(budgetKey(sender));
    return fresh?.['since'] === since ? false : spend(ports, sender);
  }
}

/** A report about one key that waits until a responder releases it. It names ids only. */
export interface Queued {
  readonly id: string;
  readonly sender: string;
  readonly eventId: string;
  readonly keyId: string;
  readonly versions: readonly number[];
  readonly source: string;
  readonly confidence: string;
  readonly where: string;
  readonly says: string;
  readonly at: string;
  readonly releasedAt: string;
}

const queuePartition = 'REPORTS#QUEUE';

/** Puts a report about a key aside; the same one again changes nothing. */
export async function enqueue(ports: Ports, queued: Omit<Queued, 'id' | 'releasedAt'>): Promise<void> {
  const id = uuidOf('queued', queued.sender, queued.eventId, queued.keyId);
  const item = { pk: queuePartition, sk: id, ...(attribute({ ...queued, id, releasedAt: '' }) as object) };
  await ports.inventory.write([{ do: 'put', item, when: [{ item: 'absent' }] }], 'toward dead').catch((error: Error) => {
    if (!(error instanceof ConditionFailed)) throw error;
  });
}

/** What waits, the oldest first; of one sender, or of all. */
export async function listQueued(ports: Ports, sender?: string): Promise<Queued[]> {
  const items = await ports.inventory.list(queuePartition);
  return items
    .map((item) => item as unknown as Queued)
    .filter((one) => one.releasedAt === '' && (sender === undefined || one.sender === sender))
    .sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** Marks one as released, so that it no longer waits. */
export async function markReleased(ports: Ports, id: string): Promise<void> {
  await ports.inventory.update(
    { pk: queuePartition, sk: id },
    { set: { releasedAt: instant(ports.clock.now()) } },
    [{ item: 'exists' }],
    'toward dead',
  );
}
