import { commit } from './commit.ts';
import { ConditionFailed, Refused } from './errors.ts';
import { type Escalation, findEscalation, mark, openEscalations } from './escalation.ts';
import type { Ports } from './ports.ts';
import { instant } from './time.ts';

/**
 * Somebody takes what waits: one escalation, or all that are open about one key. The chain stops, and everybody is told again only when it
 * is still open much later. Who took it is on record, on the key's audit chain where it is about one. Throws Refused E_NOT_FOUND.
 */
export async function acknowledge(
  ports: Ports,
  request: { readonly about: string },
  actor: string,
): Promise<{ readonly acknowledged: readonly string[]; readonly by: string }> {
  const one = await findEscalation(ports, request.about);
  const open = one ? [one] : (await openEscalations(ports)).filter(({ keyId }) => keyId === request.about);
  const ids = open.filter(({ endedAt }) => !endedAt).map(({ id }) => id);
  if (ids.length === 0) throw new Refused('E_NOT_FOUND', 'nothing is open under that id; rekey status lists what waits for people');
  for (const id of ids) await take(ports, id, actor);
  return { acknowledged: ids, by: actor };
}

const attempts = 5;

async function take(ports: Ports, id: string, actor: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const one = (await findEscalation(ports, id)) as Escalation;
    if (one.endedAt) return;
    const acknowledged = { by: actor, at: instant(ports.clock.now()) };
    const write = mark({ ...one, acknowledged, revision: one.revision + 1 });
    const events = [{ event: 'escalation.acknowledged', detail: { escalation: id, reason: one.reason } }];
    try {
      if (one.keyId) await commit(ports, one.keyId, () => ({ actor, writes: [write], events }));
      else await ports.inventory.write([write]);
      return;
    } catch (error) {
      // Somebody was told, or it ended, between the reading and the write.
      if (!(error instanceof ConditionFailed) || attempt === attempts) throw error;
    }
  }
}
