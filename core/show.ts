import type { AuditEntry } from './audit.ts';
import { firstBreak } from './audit.ts';
import { dueVerdict } from './due.ts';
import { type Escalation, openEscalations } from './escalation.ts';
import { awaitedEvidence } from './evidence.ts';
import { type Finding, findingsOf } from './findings.ts';
import type { Attention, Hold } from './flags.ts';
import { everyKey, pageOfKeys } from './fleet.ts';
import type { Hint } from './inventory.ts';
import { getKey, listVersions, partition } from './items.ts';
import type { Key, KeyFacts, KeyState, Tier } from './key.ts';
import { openOperation } from './operation.ts';
import type { Ports } from './ports.ts';
import { type StopwatchMark, stopwatchOf } from './stopwatch.ts';
import { instant } from './time.ts';
import type { Version } from './version.ts';

export interface KeySummary {
  readonly id: string;
  readonly owner: string;
  readonly tier: Tier;
  readonly environment: string;
  readonly provider: string;
  readonly state: KeyState;
  readonly mode: 'live' | 'observe';
  readonly current: number | null;
  readonly nextDueAt: string | null;
  /** Why it is due now, or null. */
  readonly due: string | null;
  readonly hold: Hold | null;
  readonly attention: Attention | null;
  readonly findings: readonly Finding[];
}

export interface OperationView {
  readonly id: string;
  readonly kind: 'rotate' | 'revoke';
  readonly step: string;
  readonly since: string;
  readonly oldVersion: number;
  readonly newVersion: number;
  /** Instants of what it has shown so far, by name. */
  readonly times: Readonly<Record<string, string>>;
  readonly proof: string | null;
  /** Of a revocation: what has come so far, against the tier's targets. */
  readonly stopwatch: readonly StopwatchMark[];
  /** What it waits for, in words, or null. */
  readonly waitsFor: string | null;
}

export interface KeyReport extends KeySummary {
  readonly facts: KeyFacts;
  readonly versions: readonly Omit<Version, 'fingerprints' | 'token'>[];
  readonly operation: OperationView | null;
  /** Which version each destination was last written with. */
  readonly destinations: Readonly<Record<string, number>>;
  /** Whether each consumer has proved that it uses the version that the open rotation waits for. */
  readonly adoption: Readonly<Record<string, string>>;
  /** The first entry of the audit chain that does not follow from the one before, or null. */
  readonly auditBreak: number | null;
}

/** Every key, by id. */
export async function listKeys(ports: Ports): Promise<KeySummary[]> {
  const summaries: KeySummary[] = [];
  for await (const key of everyKey(ports)) summaries.push(summaryOf(ports, key));
  return summaries.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Everything about one key that may be shown: no value, no fingerprint. Throws Refused E_NOT_FOUND. */
export async function showKey(ports: Ports, keyId: string): Promise<KeyReport> {
  const key = await getKey(ports, keyId);
  const versions = await listVersions(ports, keyId);
  const written = await ports.inventory.list(partition(keyId), 'DEST#');
  const destinations: Record<string, number> = {};
  const latest: Record<string, string> = {};
  for (const item of written) {
    const [, id = '', number = '0'] = item.sk.split('#');
    const at = String(item['at']);
    if (!latest[id] || at >= latest[id]) {
      latest[id] = at;
      destinations[id] = Number(number);
    }
  }
  return {
    ...summaryOf(ports, key),
    facts: key.facts,
    versions: versions.map(({ fingerprints: _fingerprints, token: _token, ...shown }) => withoutKeys(shown)),
    operation: operationView(ports, key),
    destinations,
    adoption: await adoptionView(ports, key),
    auditBreak: firstBreak(await history(ports, keyId), key.audit),
  };
}

/** The key's audit entries, oldest first. Throws Refused E_NOT_FOUND. */
export async function history(ports: Ports, keyId: string): Promise<AuditEntry[]> {
  await getKey(ports, keyId);
  return (await ports.inventory.list(partition(keyId), 'AUD#')).map((item) => withoutKeys(item) as unknown as AuditEntry);
}

/** Of the keys of one page; what is no key's, comes with the first. */
export interface Status {
  /** The place behind which the next page is; null when there is none. */
  readonly next: Hint | null;
  readonly keys: number;
  readonly byState: Readonly<Record<string, number>>;
  readonly byTier: Readonly<Record<string, number>>;
  readonly open: readonly { readonly keyId: string; readonly operation: OperationView }[];
  readonly attention: readonly { readonly keyId: string; readonly attention: Attention }[];
  /** What waits for people, and who was told; the oldest first. */
  readonly escalations: readonly EscalationView[];
  readonly overdue: readonly string[];
}

export interface EscalationView {
  readonly id: string;
  readonly keyId: string | null;
  readonly reason: string;
  readonly severity: string;
  readonly since: string;
  readonly waitsFor: readonly string[];
  /** `owner payments-team`, … with when they were told last. */
  readonly told: readonly { readonly whom: string; readonly at: string }[];
  readonly acknowledgedBy: string | null;
}

/** The whole installation at a glance, as many keys at a time as a page has. */
export async function status(
  ports: Ports,
  page: { readonly behind: Hint | null; readonly limit: number } = { behind: null, limit: 2000 },
): Promise<Status> {
  const { keys, next } = await pageOfKeys(ports, page.behind, page.limit);
  const now = instant(ports.clock.now());
  const count = (name: (key: Key) => string) => {
    const counts: Record<string, number> = {};
    for (const key of keys) counts[name(key)] = (counts[name(key)] ?? 0) + 1;
    return counts;
  };
  return {
    next,
    keys: keys.length,
    byState: count(({ state }) => state),
    byTier: count(({ tier }) => tier),
    open: keys.flatMap((key) => {
      const operation = operationView(ports, key);
      return operation ? [{ keyId: key.facts.id, operation }] : [];
    }),
    attention: keys.flatMap((key) => (key.attention ? [{ keyId: key.facts.id, attention: key.attention }] : [])),
    escalations: page.behind ? [] : (await openEscalations(ports)).map(escalationView),
    overdue: keys.filter((key) => findingsOf(key, now, ports.policy).some(({ rule }) => rule === 'overdue')).map((key) => key.facts.id),
  };
}

const escalationView = ({ id, keyId, reason, severity, openedAt, calls, told, acknowledged }: Escalation): EscalationView => ({
  ...{ id, keyId, reason, severity, since: openedAt },
  waitsFor: calls.map(({ text }) => text),
  told: told.map(({ level, to, at }) => ({ whom: level === to ? to : `${level} ${to}`, at })),
  acknowledgedBy: acknowledged?.by ?? null,
});

/** Up to three ids that look like one that does not exist. */
export async function nearestKeys(ports: Ports, keyId: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const hint of ports.inventory.hints('keys')) ids.push(hint.keyId);
  return ids
    .map((id) => ({ id, distance: distance(keyId, id) }))
    .filter(({ id, distance: far }) => far <= Math.max(2, id.length / 3))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ id }) => id);
}

/** A key in a line. */
export function summaryOf(ports: Ports, key: Key): KeySummary {
  const now = instant(ports.clock.now());
  const verdict = dueVerdict(key, now, ports.policy);
  const { id, owner, environment, provider, mode } = key.facts;
  return {
    id,
    owner,
    tier: key.tier,
    environment,
    provider,
    state: key.state,
    mode,
    current: key.current,
    nextDueAt: key.nextDueAt,
    due: verdict.due ? verdict.reason : null,
    hold: key.hold,
    attention: key.attention,
    findings: findingsOf(key, now, ports.policy),
  };
}

function operationView(ports: Ports, key: Key): OperationView | null {
  const operation = openOperation(key);
  if (!operation) return null;
  const record: Readonly<Record<string, unknown>> = { ...(key.revocation ?? key.rotation) };
  const times = Object.fromEntries(
    Object.entries(record).filter(([name, value]) => /(At|Until)$/.test(name) && typeof value === 'string'),
  ) as Record<string, string>;
  const { kind, id, step, oldVersion, newVersion } = operation;
  const since = (key.revocation?.openedAt ?? key.rotation?.startedAt) as string;
  const { revocation, tier } = key;
  const stopwatch = revocation ? stopwatchOf(revocation, ports.policy.tiers[tier].targets) : [];
  return { id, kind, step, since, oldVersion, newVersion, times, proof: revocation?.proof ?? null, stopwatch, waitsFor: waitsFor(key) };
}

function waitsFor(key: Key): string | null {
  if (key.revocation) return key.revocation.held ? `a responder: rekey reissue ${key.facts.id}` : null;
  if (key.rotation?.step === 'confirm') return 'its consumers to prove that they moved';
  if (key.rotation?.rollbackAt) return 'its consumers to prove that they are back';
  return null;
}

async function adoptionView(ports: Ports, key: Key): Promise<Record<string, string>> {
  const evidence = await awaitedEvidence(ports, key);
  if (!evidence) return {};
  const { proved, missing, version } = evidence;
  return Object.fromEntries([
    ...proved.map(({ consumer, kind }) => [consumer, `on version ${version} (${kind})`]),
    ...missing.map((consumer) => [consumer, `no proof for version ${version} yet`]),
  ]);
}

function withoutKeys<T extends object>(item: T): T {
  const { pk: _pk, sk: _sk, ...rest } = item as T & { pk?: string; sk?: string };
  return rest as unknown as T;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
