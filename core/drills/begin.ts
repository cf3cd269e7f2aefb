import { commit } from '../commit.ts';
import { drillDueAt } from '../due.ts';
import { Refused } from '../errors.ts';
import { hashed } from '../items.ts';
import type { Key } from '../key.ts';
import type { Ports } from '../ports.ts';
import { beginRotation, refusalToRotate } from '../rotate/begin.ts';
import { instant } from '../time.ts';
import type { Drill } from './drill.ts';
import { drillFaults, faultOf } from './faults.ts';

export interface DrillOrder {
  readonly keyId: string;
  readonly requestId: string;
  /** A name of `drillFaults`; by default the canary's drills go round. */
  readonly fault?: string | undefined;
}

/**
 * Begins a drill of a canary: a rotation, then a revocation of what it made, with one fault on the way; the reconciler brings it to its end. The
 * same request id again is the same drill. Throws Refused E_NOT_FOUND, E_NOT_A_CANARY, E_BUSY (a drill or an operation runs), E_HELD,
 * E_REVOKED, E_TOO_SOON, E_INPUT_INVALID (an unknown fault).
 */
export async function beginDrill(ports: Ports, { keyId, requestId, fault }: DrillOrder, actor: string): Promise<Drill> {
  if (fault !== undefined && !Object.hasOwn(drillFaults, fault)) {
    throw new Refused('E_INPUT_INVALID', 'there is no such fault', [
      { path: 'fault', message: `must be one of ${Object.keys(drillFaults).join(', ')}` },
    ]);
  }
  const id = `drill-${hashed(`${keyId}|drill|${requestId}`, 26)}`;
  const { drill } = await commit(ports, keyId, (key) => {
    if (key.drill?.id === id) return null;
    refuse(ports, key);
    const number = (key.drilled?.number ?? 0) + 1;
    const begun: Drill = {
      ...{ id, number, by: actor, startedAt: instant(ports.clock.now()), fault: fault ?? faultOf(number) },
      ...{ metAt: null, stage: 'rotating', operationId: null },
    };
    return {
      actor,
      fence: key.fence,
      set: { drill: begun },
      events: [{ event: 'drill.started', detail: { drill: id, number, fault: begun.fault } }],
    };
  });
  // What cannot begin at this very moment begins with the reconciler's next look.
  await beginRotation(ports, { keyId, reason: 'drill', trigger: id }, actor).catch((error: Error) =>
    ports.log.warn('the rotation of a drill waits', { key: keyId, drill: id, error: error.name }),
  );
  return drill as Drill;
}

/** Begins a canary's drill when it is due. Returns whether one began. Throws what `beginDrill` throws. */
export async function beginDueDrill(ports: Ports, key: Key): Promise<boolean> {
  const due = drillDueAt(key, ports.policy);
  if (!due || due > instant(ports.clock.now())) return false;
  await beginDrill(ports, { keyId: key.facts.id, requestId: `due ${due}` }, 'schedule');
  return true;
}

/** The canary that was drilled longest ago, of those that can be drilled now. Throws Refused E_NOT_FOUND. */
export function nextCanary(ports: Ports, canaries: readonly Key[]): string {
  const ready = canaries.filter((key) => !key.drill && !refusalToRotate(ports, key));
  const [next] = ready.sort((a, b) => ((a.drilled?.startedAt ?? '') < (b.drilled?.startedAt ?? '') ? -1 : 1));
  if (!next) throw new Refused('E_NOT_FOUND', 'no canary can be drilled now; a key becomes one by "canary: true" in its file');
  return next.facts.id;
}

function refuse(ports: Ports, key: Key): void {
  const { id } = key.facts;
  if (!key.facts.canary) throw new Refused('E_NOT_A_CANARY', `${id} is no canary: a drill revokes it, and services may use it`);
  if (key.current === null) throw new Refused('E_NOTHING_TO_DO', `${id} has no version yet`);
  if (key.drill) throw new Refused('E_BUSY', `${id} is in ${key.drill.id}, begun by ${key.drill.by} at ${key.drill.startedAt}`);
  const refusal = refusalToRotate(ports, key);
  if (refusal) throw refusal;
}
