import { attentionMatter } from './attention.ts';
import { type AuditEntry, type AuditLine, chain } from './audit.ts';
import { closeBreaches } from './breach.ts';
import { isOver, nextSweepAt } from './due.ts';
import { ConditionFailed, Fenced, InventoryUnavailable } from './errors.ts';
import { type Matter, openEscalation, tellUrgent } from './escalation.ts';
import type { Attribute, Condition, Permit, Write } from './inventory.ts';
import { attribute, auditItem, getKey, indexChange, metaKey, outboxItem, putItem } from './items.ts';
import type { Key } from './key.ts';
import { measuresOf } from './measure.ts';
import { measuredOf } from './metric.ts';
import type { Notice } from './notice.ts';
import { newNoticeRecord } from './notice-record.ts';
import { publish } from './outbox.ts';
import type { Ports } from './ports.ts';
import { instant } from './time.ts';

/** What one transaction changes on a key, beside the audit entries and notices that it always carries. */
export interface Commit {
  readonly actor: string;
  /** Audit events, in order: no change of meaning without a line. Empty only where nothing but the next look changes. */
  readonly events: readonly { readonly event: string; readonly detail?: AuditLine['detail'] }[];
  /** The write is refused unless the key still has this fence. */
  readonly fence?: number;
  /** More conditions on the key's META item. */
  readonly when?: readonly Condition[];
  /** Paths of the META item to set. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** Other items of the same transaction. */
  readonly writes?: readonly Write[];
  readonly notices?: readonly Notice[];
  /** What waits for people from now on. That a key asks for attention is among it by itself. */
  readonly matters?: readonly Matter[];
  /** When the reconciler must look again; at once unless said otherwise. */
  readonly lookAt?: string;
  /** Allows the write on a restored table. A key that is being ended needs none: its record only moves toward dead. */
  readonly permit?: Permit;
}

const attempts = 25;

/**
 * The one way to change a key: state, other items, audit entries and outgoing notices commit in one transaction, and the
 * audit lines that single updates left on the key are filed with them. `build` sees the key as it is and may be called
 * several times; returning null changes nothing. Notices are sent right after the commit; the reconciler repeats what fails.
 *
 * Throws Fenced when the key's fence is no longer `fence`; ConditionFailed(n) when `when` (n = -1) or `writes[n]` was refused;
 * InventoryUnavailable; Refused E_NOT_FOUND.
 */
export async function commit(ports: Ports, keyId: string, build: (key: Key) => Commit | null | Promise<Commit | null>): Promise<Key> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const key = await withRoom(ports, keyId);
    const change = await build(key);
    if (!change) return key;
    const { writes, after, matters } = transaction(ports, key, change);
    try {
      await ports.inventory.write(writes, change.permit ?? permitOf(key));
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      await explain(ports, key, change, error.index);
      continue;
    }
    const measures = measuresOf(change.events, key, after, ports.clock.now());
    if (Object.keys(measures).length) ports.log.measure(measures, measuredOf(after));
    await publish(ports, change.notices ?? []);
    await tellUrgent(ports, matters);
    return after;
  }
  throw new InventoryUnavailable(`too many writers met on ${keyId}`);
}

/** A transaction holds a hundred items; this many lines always fit beside everything else that one commit writes. */
const linesBeside = 10;
const linesAlone = 90;

/** The key, once the lines that single updates left on it leave room in a transaction: more of them are filed in transactions of their own. */
async function withRoom(ports: Ports, keyId: string): Promise<Key> {
  for (;;) {
    const key = await getKey(ports, keyId);
    if (key.pending.length <= linesBeside) return key;
    const rest = key.pending.slice(linesAlone);
    const entries = chain(key.audit, key.pending.slice(0, linesAlone));
    const { seq, hash } = entries[entries.length - 1] as AuditEntry;
    const set = { audit: { seq, hash }, pending: attribute(rest), pendingCount: rest.length };
    try {
      // Filing changes nothing but where the lines are.
      const filed: Write[] = [{ do: 'update', key: metaKey(keyId), change: { set }, when: asRead(key) }, ...filings(keyId, entries)];
      await ports.inventory.write(filed, 'toward dead');
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
    }
  }
}

/** From the fence until the reissue begins, whatever is recorded of a revocation ends something. */
const permitOf = ({ revocation, state }: Key): Permit | undefined =>
  revocation && (state === 'revoking' || state === 'contained') ? 'toward dead' : undefined;

/** Nothing was filed on the key, and no line was left on it, since it was read. */
const asRead = (key: Key): Condition[] => [
  { item: 'exists' },
  { path: 'audit.seq', is: '=', value: key.audit.seq },
  { path: 'pendingCount', is: '=', value: key.pendingCount },
];

const filings = (keyId: string, entries: readonly AuditEntry[]): Write[] =>
  entries.map((entry) => ({ do: 'put', item: auditItem(keyId, entry), when: [{ item: 'absent' }] }));

function transaction(ports: Ports, key: Key, change: Commit): { writes: Write[]; after: Key; matters: Matter[] } {
  const keyId = key.facts.id;
  const now = instant(ports.clock.now());
  // What a breach of time was about may be over with this change, whatever made it.
  const changed = withPaths(key, change.set ?? {});
  const { breaches, events } = closeBreaches(changed.breaches, (breach) => isOver(breach, changed, now, ports.policy));
  const lines = [...change.events, ...events].map(({ event, detail }) => ({ at: now, actor: change.actor, event, detail: detail ?? {} }));
  const entries = chain(key.audit, [...key.pending, ...lines]);
  const last = entries[entries.length - 1];
  const set: Record<string, unknown> = {
    ...change.set,
    ...(events.length ? { breaches } : {}),
    audit: last ? { seq: last.seq, hash: last.hash } : key.audit,
    pending: [],
    pendingCount: 0,
  };
  const after = withPaths(key, set);
  const attention = attentionMatter(key, after);
  const matters = [...(change.matters ?? []), ...(attention ? [attention] : [])];
  const grown = entries.length ? { seal: now } : {};
  const index = indexChange(keyId, { look: change.lookAt ?? now, due: nextSweepAt(after, ports.policy, now), ...grown });
  const meta: Write = {
    do: 'update',
    key: metaKey(keyId),
    change: { set: { ...(attribute(set) as Record<string, Attribute>), ...index.set }, remove: index.remove ?? [] },
    when: [
      ...asRead(key),
      ...(change.fence === undefined ? [] : [{ path: 'fence', is: '=', value: change.fence } as const]),
      ...(change.when ?? []),
    ],
  };
  return {
    writes: [
      meta,
      ...(change.writes ?? []),
      ...filings(keyId, entries),
      ...(change.notices ?? []).map((notice) => putItem(outboxItem(notice))),
      ...(change.notices ?? []).map(newNoticeRecord).flatMap((item) => (item ? [putItem(item)] : [])),
      ...matters.map((matter) => openEscalation(ports, matter, ports.policy.tiers[after.tier].page)),
    ],
    after,
    matters,
  };
}

/** Returns when the refusal was only another writer's audit line, so that the transaction is worth building again. */
async function explain(ports: Ports, before: Key, change: Commit, index: number): Promise<void> {
  const own = change.writes?.length ?? 0;
  if (index >= 1 && index <= own) throw new ConditionFailed(index - 1);
  const now = await getKey(ports, before.facts.id);
  if (change.fence !== undefined && now.fence !== change.fence) {
    throw new Fenced(`${before.facts.id} has fence ${now.fence}, this attempt has ${change.fence}`);
  }
  const moved = now.audit.seq !== before.audit.seq || now.pendingCount !== before.pendingCount;
  if (!moved) throw new ConditionFailed(-1);
}

/** The key as it is after paths were set. */
function withPaths(key: Key, set: Readonly<Record<string, unknown>>): Key {
  const copy = structuredClone(key) as unknown as Record<string, unknown>;
  for (const [path, value] of Object.entries(set)) {
    const names = path.split('.');
    let parent = copy;
    for (const name of names.slice(0, -1)) {
      if (typeof parent[name] !== 'object' || parent[name] === null) parent[name] = {};
      parent = parent[name] as Record<string, unknown>;
    }
    parent[names[names.length - 1] as string] = value;
  }
  const revocation = copy['revocation'] as { id?: string } | null;
  return { ...copy, revocation: revocation?.id ? revocation : null } as unknown as Key;
}
