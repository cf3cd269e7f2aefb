import { commit } from '../commit.ts';
import { adoptionKey, getKey, operationKey, outboxPartition } from '../items.ts';
import type { Key } from '../key.ts';
import type { Ports } from '../ports.ts';
import { instant } from '../time.ts';

type Milestone = 'toldAt' | 'healthyAt';

const eventOf = { toldAt: 'revocation.told', healthyAt: 'revocation.recovered' } as const;

/** Writes an instant into a revocation's record, open or filed, unless it is there already. */
async function reach(ports: Ports, keyId: string, operationId: string, milestone: Milestone): Promise<void> {
  const now = instant(ports.clock.now());
  const events = [{ event: eventOf[milestone], detail: { operation: operationId } }];
  await commit(ports, keyId, async (key) => {
    if (key.revocation?.id === operationId) {
      if (key.revocation[milestone]) return null;
      return { actor: 'stopwatch', permit: 'toward dead', set: { [`revocation.${milestone}`]: now }, events };
    }
    const filed = await ports.inventory.get(operationKey(keyId, operationId));
    if (!filed || filed[milestone]) return null;
    const update = { do: 'update', key: operationKey(keyId, operationId), change: { set: { [milestone]: now } } } as const;
    const set = key.untold === operationId && milestone === 'toldAt' ? { untold: null } : {};
    return { actor: 'stopwatch', permit: 'toward dead', set, writes: [update], events };
  });
}

/** Notes that everybody was told, once nothing of a revocation is left to be sent. */
export async function noteTold(ports: Ports, key: Key): Promise<void> {
  const { revocation, untold } = key;
  const open = revocation?.disabledAt && !revocation.toldAt ? revocation.id : untold;
  if (!open || (await ports.inventory.list(outboxPartition(key.facts.id))).length > 0) return;
  await reach(ports, key.facts.id, open, 'toldAt');
}

/**
 * Notes that service is restored, once every consumer that can prove it uses the version that a revocation issued. A consumer that is only
 * seen by the old version's silence proves nothing about the new one: where there is no other, recovery stays unknown.
 */
export async function noteRecovered(ports: Ports, keyId: string, operationId: string, version: number): Promise<void> {
  if (!operationId.startsWith('revoke-')) return;
  const { facts } = await getKey(ports, keyId);
  const able = facts.consumers.filter(({ proof }) => proof === 'possession');
  for (const { name } of able) {
    if (!(await ports.inventory.get(adoptionKey(keyId, name, version, operationId)))) return;
  }
  if (able.length > 0) await reach(ports, keyId, operationId, 'healthyAt');
}
