import { type AuditEntry, firstBreak } from '../audit.ts';
import { type ShownCertificate, showCertificates } from '../certificate.ts';
import { commit } from '../commit.ts';
import { ConditionFailed, Refused } from '../errors.ts';
import { findEscalation } from '../escalation.ts';
import type { ItemKey } from '../inventory.ts';
import { adoptionKey, attribute, getKey, listVersions, operationKey, partition } from '../items.ts';
import type { Key, Revocation, RevokeRequest } from '../key.ts';
import type { Ports } from '../ports.ts';
import { notSaid } from '../revoke/begin.ts';
import { history } from '../show.ts';
import { type StopwatchMark, stopwatchOf } from '../stopwatch.ts';
import { instant } from '../time.ts';
import { isDead } from '../version.ts';
import { findEmergencyReview, isEmergency } from './review.ts';

/** How an incident ended. `open`: it has not. */
export type IncidentOutcome = 'open' | 'true-positive' | 'false-alarm';

/** One incident, written from the key's audit chain: who, when, why, how long, how it was proven, what is left. No value and no fingerprint. */
export interface Incident {
  readonly keyId: string;
  readonly operationId: string;
  readonly owner: string;
  readonly tier: string;
  readonly environment: string;
  readonly provider: string;
  readonly state: 'open' | 'contained' | 'recovered' | 'closed';
  readonly outcome: IncidentOutcome;
  /** Who asked, when and why, in order. */
  readonly requests: readonly Pick<RevokeRequest, 'actor' | 'reason' | 'at' | 'source' | 'scope' | 'kind'>[];
  readonly versions: readonly number[];
  readonly stopwatch: readonly StopwatchMark[];
  readonly certificates: readonly ShownCertificate[];
  /** Who was paged, and when; and which consumers had proved that they use the new version. */
  readonly told: readonly { readonly level: string; readonly to: string; readonly at: string }[];
  readonly consumers: readonly { readonly name: string; readonly owner: string; readonly recoveredAt: string | null }[];
  readonly timeline: readonly Pick<AuditEntry, 'seq' | 'at' | 'actor' | 'event' | 'detail'>[];
  /** Where the key's chain ends, and the first entry of it that does not follow, or null: then nothing here was changed since. */
  readonly chain: { readonly seq: number; readonly hash: string; readonly brokenAt: number | null };
  readonly review: {
    readonly id: string;
    readonly dueAt: string;
    readonly answer: string | null;
    readonly answeredBy: string | null;
  } | null;
  readonly rootCause: string | null;
  readonly closedBy: string | null;
  readonly closedAt: string | null;
  /** What is still to be done. Empty once it is closed. */
  readonly openItems: readonly string[];
}

interface Closure {
  readonly rootCause: string;
  readonly by: string;
  readonly at: string;
}

const closureKey = (keyId: string, operationId: string): ItemKey => ({ pk: partition(keyId), sk: `INC#${operationId}` });

/** The incidents of a key, the newest first: their operations' ids and when they began. */
export async function listIncidents(ports: Ports, keyId: string): Promise<{ readonly operationId: string; readonly openedAt: string }[]> {
  const key = await getKey(ports, keyId);
  const filed = (await ports.inventory.list(partition(keyId), 'OP#revoke-')).map((item) => item as unknown as Revocation);
  const all = [...(key.revocation ? [key.revocation] : []), ...filed];
  const openedAt = new Map(all.map((one) => [one.id, one.openedAt]));
  return [...openedAt].map(([operationId, at]) => ({ operationId, openedAt: at })).sort((a, b) => (a.openedAt > b.openedAt ? -1 : 1));
}

/** One incident of a key: the named one, or the newest. Throws Refused E_NOT_FOUND. */
export async function showIncident(
  ports: Ports,
  request: { readonly keyId: string; readonly operationId?: string | undefined },
): Promise<Incident> {
  const { keyId } = request;
  const operationId = request.operationId ?? (await listIncidents(ports, keyId))[0]?.operationId;
  const key = await getKey(ports, keyId);
  const record = operationId && (await recordOf(ports, key, operationId));
  if (!record) throw new Refused('E_NOT_FOUND', operationId ? `${keyId} has no incident ${operationId}` : `${keyId} was never revoked`);
  const [entries, all, review, closure, told] = await Promise.all([
    history(ports, keyId),
    showCertificates(ports, keyId),
    findEmergencyReview(ports, keyId, record.id),
    ports.inventory.get(closureKey(keyId, record.id)),
    findEscalation(ports, `revocation/${keyId}/${record.id}`),
  ]);
  const closed = closure as unknown as Closure | undefined;
  const { owner, environment, provider } = key.facts;
  const certificates = all.certificates.filter((one) => one.operationId === record.id);
  const falseAlarm = record.falseAlarm === true || review?.answer === 'false-alarm';
  const incident: Omit<Incident, 'openItems'> = {
    keyId,
    operationId: record.id,
    ...{ owner, tier: key.tier, environment, provider },
    state: closed ? 'closed' : key.revocation?.id === record.id ? (key.state === 'revoking' ? 'open' : 'contained') : 'recovered',
    outcome: closed ? (falseAlarm ? 'false-alarm' : 'true-positive') : 'open',
    requests: record.requests.map(({ actor, reason, at, source, scope, kind }) => ({
      actor,
      reason,
      at,
      source,
      scope,
      ...(kind ? { kind } : {}),
    })),
    versions: record.scope ?? [],
    stopwatch: stopwatchOf(record, ports.policy.tiers[key.tier].targets),
    certificates,
    told: (told?.told ?? []).map(({ level, to, at }) => ({ level, to, at })),
    consumers: await recoveries(ports, key, record),
    timeline: timelineOf(entries, record),
    chain: { ...key.audit, brokenAt: firstBreak(entries, key.audit) },
    review: review ? { id: review.id, dueAt: review.dueAt, answer: review.answer, answeredBy: review.answeredBy } : null,
    rootCause: closed?.rootCause ?? null,
    closedBy: closed?.by ?? null,
    closedAt: closed?.at ?? null,
  };
  return { ...incident, openItems: closed ? [] : await openItemsOf(ports, key, record, incident) };
}

/**
 * Closes an incident: what the cause was goes on record, and what is judged was judged. Throws Refused E_NOT_FOUND, E_BUSY while the revocation
 * runs or its review is not answered, E_NOTHING_TO_DO when it is closed.
 */
export async function closeIncident(
  ports: Ports,
  request: { readonly keyId: string; readonly operationId?: string | undefined; readonly rootCause: string },
  actor: string,
): Promise<Incident> {
  const incident = await showIncident(ports, request);
  const { keyId, operationId, review, state } = incident;
  if (state === 'closed') throw new Refused('E_NOTHING_TO_DO', `${operationId} was closed at ${incident.closedAt} by ${incident.closedBy}`);
  if (state !== 'recovered') throw new Refused('E_BUSY', `${operationId} is not over: ${incident.openItems.join('; ')}`);
  if (review && review.answer === null)
    throw new Refused('E_BUSY', `somebody has to judge it first, by ${review.dueAt}: rekey review answer ${review.id}`);
  const now = instant(ports.clock.now());
  const item = { ...closureKey(keyId, operationId), ...(attribute({ rootCause: request.rootCause, by: actor, at: now }) as object) };
  await commit(ports, keyId, () => ({
    actor,
    writes: [{ do: 'put', item, when: [{ item: 'absent' }] }],
    events: [
      { event: 'incident.closed', detail: { operation: operationId, rootCause: request.rootCause, outcome: review?.answer ?? 'unjudged' } },
    ],
  })).catch((error: Error) => {
    if (error instanceof ConditionFailed) throw new Refused('E_NOTHING_TO_DO', `${operationId} was closed at the same moment`);
    throw error;
  });
  return showIncident(ports, { keyId, operationId });
}

async function recordOf(ports: Ports, key: Key, operationId: string): Promise<Revocation | undefined> {
  if (key.revocation?.id === operationId) return key.revocation;
  return (await ports.inventory.get(operationKey(key.facts.id, operationId))) as unknown as Revocation | undefined;
}

async function recoveries(ports: Ports, { facts }: Key, { id, newVersion }: Revocation): Promise<Incident['consumers']> {
  return Promise.all(
    facts.consumers.map(async ({ name, owner }) => {
      const proof = newVersion ? await ports.inventory.get(adoptionKey(facts.id, name, newVersion, id)) : undefined;
      return { name, owner, recoveredAt: proof ? String(proof['at']) : null };
    }),
  );
}

/** What the chain says about this incident: its own operation, and what was seen of its versions since. */
function timelineOf(entries: readonly AuditEntry[], { id, openedAt, requests, scope = [] }: Revocation): Incident['timeline'] {
  const ids = new Set(requests.map(({ requestId }) => requestId));
  const aftermath = ['version.still-dead', 'version.alive-again', 'version.probed', 'version.dead'];
  return entries
    .filter(
      ({ at, event, detail }) =>
        at >= openedAt &&
        event !== 'attempt.acquired' &&
        (detail['operation'] === id ||
          ids.has(String(detail['request'] ?? '')) ||
          (aftermath.includes(event) && scope.includes(Number(detail['version']))) ||
          (event.startsWith('review.') && String(detail['cause'] ?? '').startsWith(id))),
    )
    .map(({ seq, at, actor, event, detail }) => ({ seq, at, actor, event, detail }));
}

async function openItemsOf(ports: Ports, key: Key, record: Revocation, incident: Omit<Incident, 'openItems'>): Promise<string[]> {
  const { keyId, state, review, consumers, requests, certificates } = incident;
  const alive = (await listVersions(ports, keyId)).filter(({ number, state: of }) => record.scope?.includes(number) && !isDead(of));
  const possession = new Set(key.facts.consumers.filter(({ proof }) => proof === 'possession').map(({ name }) => name));
  return [
    ...(state === 'open'
      ? [`CONTAINMENT INCOMPLETE: version ${alive.map(({ number }) => number).join(', ') || '?'} is not proven dead`]
      : []),
    ...(state === 'contained' && record.held ? [`the reissue is held: rekey reissue ${keyId} --reason …`] : []),
    ...(state === 'contained' && !record.held ? ['the reissue is under way'] : []),
    ...(incident.chain.brokenAt === null
      ? []
      : [`entry ${incident.chain.brokenAt} of the audit chain does not follow from the one before it`]),
    ...(requests.some(({ reason }) => reason === notSaid) ? ['nobody has said why yet: say it as the root cause'] : []),
    ...consumers
      .filter(({ name, recoveredAt }) => !recoveredAt && possession.has(name))
      .map(({ name, owner }) => `${name} (${owner}) has not proved that it recovered`),
    ...certificates.flatMap(({ strangers, version }) =>
      strangers ? [`${strangers} credential(s) at the provider that nobody can explain (version ${version})`] : [],
    ),
    ...certificates.flatMap(({ nextLooks, version }) => (nextLooks.length ? [`version ${version} is tried again at ${nextLooks[0]}`] : [])),
    ...(review && !review.answer ? [`the review is due by ${review.dueAt}: rekey review answer ${review.id}`] : []),
    ...(isEmergency(record) ? [`its root cause: rekey incident close ${keyId} --operation ${record.id} --root-cause …`] : []),
  ];
}
