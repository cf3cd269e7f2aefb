import type { AuditEntry } from '../../core/audit.ts';
import { findKey } from '../../core/items.ts';
import type { Tier } from '../../core/key.ts';
import type { Ports } from '../../core/ports.ts';
import { history, type KeySummary, listKeys } from '../../core/show.ts';

/** One rotation, as the audit tells it. */
export interface Turn {
  readonly keyId: string;
  readonly owner: string;
  readonly tier: Tier;
  readonly startedAt: string;
  /** Why the sweep found it due. */
  readonly reason: string;
  /** When the old version was proven dead, or the rotation rolled back; null while it is open. */
  readonly endedAt: string | null;
  readonly outcome: 'rotated' | 'rolled back' | 'open';
}

/** A key that would not rotate by itself, or whose old version would not end, and why. */
export interface Held {
  readonly keyId: string;
  readonly owner: string;
  readonly since: string;
  readonly why: string;
}

export interface Calendar {
  /** By start, then by key. */
  readonly rotations: readonly Turn[];
  readonly held: readonly Held[];
  readonly keys: readonly Pick<KeySummary, 'id' | 'owner' | 'tier' | 'nextDueAt'>[];
}

/** What happened to every key, read from the audit; and which keys wait for a person now, and for what. */
export async function calendarOf(ports: Ports): Promise<Calendar> {
  const rotations: Turn[] = [];
  const held: Held[] = [];
  const keys = await listKeys(ports);
  for (const { id, owner, tier, attention, findings } of keys) {
    const entries = await history(ports, id);
    for (const entry of entries) {
      if (entry.event === 'rotation.started') rotations.push({ keyId: id, owner, tier, ...turn(entry, entries) });
    }
    const key = await findKey(ports, id);
    if (attention) held.push({ keyId: id, owner, since: attention.since, why: attention.message });
    else if (key?.rotation) {
      const since = key.rotation.startedAt;
      held.push({ keyId: id, owner, since, why: `its rotation is open, at ${key.rotation.step}` });
    } else {
      const stopped = findings.find(({ rule }) => rule === 'observe-only' || rule === 'overdue');
      if (stopped) held.push({ keyId: id, owner, since: stopped.since, why: stopped.message });
    }
  }
  rotations.sort((a, b) => compare(a.startedAt, b.startedAt) || compare(a.keyId, b.keyId));
  return { rotations, held, keys: keys.map(({ id, owner, tier, nextDueAt }) => ({ id, owner, tier, nextDueAt })) };
}

function turn(started: AuditEntry, entries: readonly AuditEntry[]): Pick<Turn, 'startedAt' | 'reason' | 'endedAt' | 'outcome'> {
  const { operation, reason } = started.detail;
  const end = entries.find(({ event, detail }) => outcomes.has(event) && detail['operation'] === operation);
  return {
    startedAt: started.at,
    reason: String(reason),
    endedAt: end?.at ?? null,
    outcome: (end && outcomes.get(end.event)) ?? 'open',
  };
}

const outcomes: ReadonlyMap<string, Turn['outcome']> = new Map([
  ['rotation.done', 'rotated'],
  ['rotation.rolled-back', 'rolled back'],
]);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
