import { ConditionFailed } from './errors.ts';
import { type Item, slotOf, type Write } from './inventory.ts';
import { attribute, escalationKey, indexChange, pageItem, putItem, recipientKey, withoutRow } from './items.ts';
import { sendPages } from './outbox.ts';
import type { Level, Page, PageLine } from './page.ts';
import type { Escalation as Rung } from './policy.ts';
import type { Ports } from './ports.ts';
import { after, instant } from './time.ts';

/** What calls for people. Each kind has its row in core/reconcile/escalations.ts, which says whether it still does. */
export type EscalationKind = 'attention' | 'silence' | 'revocation';

/** One thing that is to be done, and whose it is: told to its owner, then to the owner's team, then to whoever is on call. */
export interface Call {
  readonly owner: string;
  readonly team: string;
  readonly text: string;
}

/** What somebody opens an escalation with. */
export interface Matter {
  /** What it is about: opened once, however often it is asked for. */
  readonly id: string;
  readonly kind: EscalationKind;
  readonly keyId: string | null;
  /** What its kind needs to look again: ids and numbers. */
  readonly subject: Readonly<Record<string, string | number>>;
  /** One for everything that belongs to the same incident. */
  readonly thread: string;
  /** The heading of docs/runbook.md that says what to do. */
  readonly reason: string;
  /** `critical`: everybody is told at once. */
  readonly severity: Page['severity'];
  readonly calls: readonly Call[];
  /** How long whoever it waits for has, before the first of the chain is told. */
  readonly patienceSeconds: number;
  /** When on-call is told at the latest (ISO instant). */
  readonly latest?: string;
}

export interface Escalation extends Matter {
  readonly openedAt: string;
  /** When each level is told, unless it was over or acknowledged by then. */
  readonly rungs: readonly { readonly level: Level; readonly at: string }[];
  readonly told: readonly Told[];
  /** Somebody has taken it: nobody else is told until the settings' `remindSeconds` later. */
  readonly acknowledged: { readonly by: string; readonly at: string } | null;
  readonly endedAt: string | null;
  /** Only grows: whoever writes it must have read it as it is. */
  readonly revision: number;
}

interface Told {
  readonly level: Level;
  readonly to: string;
  /** When they were told last, and under which thread first. */
  readonly at: string;
  readonly thread: string;
}

/** Most lines of one page: a page is read by people. */
const mostLines = 25;

/** Most escalations that are marked as told in one transaction. */
const atOnce = 80;

/** The write that opens an escalation, for the transaction that makes it true; again, it changes nothing. `chain`: of the tier, or of the reviews. */
export function openEscalation(ports: Ports, matter: Matter, chain: readonly Rung[]): Write {
  const openedAt = instant(ports.clock.now());
  const rungs = chain.map(({ who: level, afterSeconds }) => {
    const at = after(openedAt, matter.severity === 'critical' ? 0 : matter.patienceSeconds + afterSeconds);
    return { level, at: level === 'on-call' && matter.latest && matter.latest < at ? matter.latest : at };
  });
  const record: Escalation = { ...matter, openedAt, rungs, told: [], acknowledged: null, endedAt: null, revision: 0 };
  const rows = indexChange(matter.id, { escalations: openedAt }).set ?? {};
  const setIfMissing = { ...(attribute(record) as object), ...rows } as Record<string, never>;
  return { do: 'update', key: escalationKey(matter.id), change: { setIfMissing } };
}

/** Opens an escalation that is about no change of a key, and tells at once what is critical. Again, it changes nothing. */
export async function raise(ports: Ports, matter: Matter, chain: readonly Rung[]): Promise<void> {
  await ports.inventory.write([openEscalation(ports, matter, chain)]);
  await tellUrgent(ports, [matter]);
}

/** Tells what is critical of what was just opened. Never throws: what fails is told by the reconciler. */
export async function tellUrgent(ports: Ports, opened: readonly Matter[]): Promise<void> {
  for (const { id, severity } of opened) {
    if (severity !== 'critical') continue;
    try {
      const one = await findEscalation(ports, id);
      if (one && !one.endedAt) await tell(ports, [one]);
    } catch (error) {
      ports.log.warn('an urgent page is left to the reconciler', { escalation: id, error: (error as Error).name });
    }
  }
}

/** An escalation as it is on record, or undefined. */
export async function findEscalation(ports: Ports, id: string): Promise<Escalation | undefined> {
  const item = await ports.inventory.get(escalationKey(id));
  return item && escalationOf(item);
}

/** Every escalation that is not over, the oldest first. */
export async function openEscalations(ports: Ports): Promise<Escalation[]> {
  const open: Escalation[] = [];
  for await (const { keyId: id } of ports.inventory.hints('escalations')) {
    const one = await findEscalation(ports, id);
    if (one && !one.endedAt) open.push(one);
  }
  return open.sort((a, b) => (a.openedAt < b.openedAt ? -1 : 1));
}

/**
 * Tells everybody whose turn it is, with one page for everything that waits for them, and no second one within the settings' digest time;
 * but the first critical matter in that time is told at once. What was told is on record before it is sent. Returns how many pages could
 * not be sent yet.
 */
export async function tell(ports: Ports, open: readonly Escalation[]): Promise<number> {
  const now = instant(ports.clock.now());
  const state = new Map(open.map((one) => [one.id, one]));
  const recipients = new Map<string, { level: Level; to: string; ids: string[] }>();
  for (const one of open) {
    for (const { level, to } of owed(ports, one, now)) {
      const name = `${level}/${to}`;
      const known = recipients.get(name) ?? { level, to, ids: [] };
      recipients.set(name, { ...known, ids: [...known.ids, one.id] });
    }
  }
  let failed = 0;
  for (const { level, to, ids } of recipients.values()) {
    const due = ids.map((id) => state.get(id) as Escalation);
    const page = await claim(ports, level, to, due, now);
    if (!page) continue;
    for (const one of page.marked) state.set(one.id, one);
    failed += await sendPages(ports, [page.page]);
  }
  return failed;
}

/** Whom an escalation still has to be told to, at an instant. */
function owed(ports: Ports, { rungs, calls, told, acknowledged }: Escalation, now: string): { level: Level; to: string }[] {
  const since = after(now, -ports.settings.remindSeconds);
  if (acknowledged && acknowledged.at > since) return [];
  return rungs
    .filter(({ at }) => at <= now)
    .flatMap(({ level }) => [...new Set(calls.map((call) => nameAt(ports, level, call)))].map((to) => ({ level, to })))
    .filter(({ level, to }) => !told.some((one) => one.level === level && one.to === to && one.at > since));
}

const nameAt = ({ policy }: Ports, level: Level, { owner, team }: Call): string =>
  level === 'owner' ? owner : level === 'team' ? team : policy.onCall;

/** Records one page to one recipient, if it may be sent now and nobody else does it. */
async function claim(
  ports: Ports,
  level: Level,
  to: string,
  due: readonly Escalation[],
  now: string,
): Promise<{ readonly page: Page; readonly marked: readonly Escalation[] } | null> {
  const key = recipientKey(level, to);
  const known = await ports.inventory.get(key);
  const quietFrom = after(now, -ports.settings.digestSeconds);
  const isUrgent = due.some(({ severity }) => severity === 'critical');
  const wait = (at: unknown) => typeof at === 'string' && at > quietFrom;
  if (wait(known?.['toldAt']) && !(isUrgent && !wait(known?.['urgentAt']))) return null;
  const page = pageFor(ports, level, to, due, now);
  const marked = due.map((one) => withTold(one, { level, to, at: now, thread: page.thread }));
  const recipient: Item = { ...key, toldAt: now, urgentAt: isUrgent ? now : (known?.['urgentAt'] ?? '') };
  const writes: Write[] = [
    { do: 'put', item: recipient, when: known ? [{ path: 'toldAt', is: '=', value: String(known['toldAt']) }] : [{ item: 'absent' }] },
    putItem(pageItem(page)),
  ];
  try {
    await ports.inventory.write([...writes, ...marked.slice(0, atOnce).map(mark)]);
    for (let i = atOnce; i < marked.length; i += atOnce) await ports.inventory.write(marked.slice(i, i + atOnce).map(mark));
  } catch (error) {
    // Somebody else told them, or it was over in this very moment: the next look sees what is left.
    if (error instanceof ConditionFailed) return null;
    throw error;
  }
  return { page, marked };
}

function pageFor(ports: Ports, level: Level, to: string, due: readonly Escalation[], now: string): Page {
  const id = ports.randomId();
  const threads = new Set(due.map((one) => toldOf(one, level, to)?.thread ?? one.thread));
  const [known] = threads;
  // A reminder opens no thread: each matter ends under the one that it was first told under, and nobody would close another.
  const reminds = due.every((one) => toldOf(one, level, to));
  const lines = due.flatMap((one) => linesOf(ports, one, level, to));
  const [first] = lines;
  return {
    id,
    time: now,
    action: 'trigger',
    severity: due.some(({ severity }) => severity === 'critical') ? 'critical' : 'warning',
    level,
    to,
    thread: known && (threads.size === 1 || reminds) ? known : `digest-${id}`,
    title: lines.length === 1 && first ? titleOf(first) : `${lines.length} matters wait for ${to}`,
    lines: lines.slice(0, mostLines),
    more: Math.max(0, lines.length - mostLines),
  };
}

function linesOf(ports: Ports, { id, keyId, reason, openedAt, calls }: Escalation, level: Level, to: string): PageLine[] {
  return calls
    .filter((call) => nameAt(ports, level, call) === to)
    .map(({ text }) => ({ escalation: id, keyId, text, reason, since: openedAt }));
}

const titleOf = ({ keyId, reason }: Pick<PageLine, 'keyId' | 'reason'>): string => (keyId ? `${keyId}: ${reason}` : reason);

const toldOf = ({ told }: Escalation, level: Level, to: string): Told | undefined =>
  told.find((one) => one.level === level && one.to === to);

function withTold(one: Escalation, told: Told): Escalation {
  const before = toldOf(one, told.level, told.to);
  const others = one.told.filter((other) => other !== before);
  return { ...one, told: [...others, { ...told, thread: before?.thread ?? told.thread }], revision: one.revision + 1 };
}

/** The write that puts what is known of an escalation over what was read of it; `revision` is one more than what was read. */
export const mark = ({ id, told, calls, acknowledged, revision }: Escalation): Write => ({
  do: 'update',
  key: escalationKey(id),
  change: { set: attribute({ told, calls, acknowledged, revision }) as Record<string, never> },
  when: [
    { path: 'revision', is: '=', value: revision - 1 },
    { path: slotOf('escalations').partitionKey, is: 'present' },
  ],
});

/** Ends an escalation: nothing waits any more. Whoever was told hears it, once nothing else waits under the same thread. `others`: what is still open. */
export async function endEscalation(ports: Ports, one: Escalation, others: readonly Escalation[]): Promise<void> {
  const now = instant(ports.clock.now());
  const over = one.told.filter(
    ({ level, to, thread }) => !others.some((other) => other.id !== one.id && toldOf(other, level, to)?.thread === thread),
  );
  const { severity, keyId, reason } = one;
  const title = titleOf({ keyId, reason });
  const pages = over.map(
    ({ level, to, thread }): Page => ({
      ...{ id: ports.randomId(), time: now, action: 'resolve', severity, level, to, thread, title, more: 0 },
      lines: linesOf(ports, one, level, to).slice(0, mostLines),
    }),
  );
  const remove = indexChange(one.id, { escalations: null }).remove ?? [];
  const end: Write = {
    do: 'update',
    key: escalationKey(one.id),
    change: { set: { endedAt: now, revision: one.revision + 1 }, remove },
    when: [{ path: 'revision', is: '=', value: one.revision }],
  };
  try {
    await ports.inventory.write([end, ...pages.map((page) => putItem(pageItem(page)))]);
  } catch (error) {
    if (error instanceof ConditionFailed) return;
    throw error;
  }
  await sendPages(ports, pages);
}

function escalationOf(item: Item): Escalation {
  return withoutRow(item, 'escalations') as unknown as Escalation;
}
