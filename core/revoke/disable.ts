import { type Attempt, acquire, record } from '../attempt.ts';
import { disableVersion, endSessions } from '../ending.ts';
import type { Matter } from '../escalation.ts';
import { isEmergency } from '../incident/review.ts';
import type { Write } from '../inventory.ts';
import { attribute, listVersions, operationKey, outboxItem, putItem, versionItem } from '../items.ts';
import type { Key, Revocation, Rotation } from '../key.ts';
import type { Notice } from '../notice.ts';
import { noticeFor, publishPending } from '../outbox.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { instant } from '../time.ts';
import { isDead, type Version } from '../version.ts';
import { inScope } from './scope.ts';

/**
 * Disable (protocol.md §6): what the request did first is done again, now on record. Every version in scope is compromised for ever and
 * disabling; an operation that the fence displaced is filed as superseded; the provider was told to refuse each version. Throws the
 * provider's error while it has not: the step is repeated until it does, and a person is paged meanwhile.
 */
export async function disable(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<Record<string, never>> {
  const attempt = await acquire(ports, payload, attemptId, 'disable');
  if (attempt === 'done') return {};
  const versions = await markScope(attempt);
  const failures: Error[] = [];
  for (const version of versions) {
    if (isDead(version.state) && !version.credentialId) continue;
    await disableVersion(attempt, version).catch((error: Error) => failures.push(error));
  }
  await endSessions(attempt).catch((error: Error) => failures.push(error));
  const [first] = failures;
  if (first) {
    await reportIncomplete(attempt, first);
    throw first;
  }
  // What was put out when it began goes first, and nothing of it holds up the record.
  await publishPending(attempt.ports, attempt.keyId).catch(() => undefined);
  await record(attempt, (key) => ({
    set: { 'revocation.step': 'notify', 'revocation.disabledAt': instant(ports.clock.now()) },
    notices: revokedNotices(ports, key, attempt.operation.id),
    matters: emergencyMatters(key),
    events: [
      {
        event: 'revocation.disabled',
        detail: { operation: attempt.operation.id, versions: versions.map(({ number }) => number).join(' ') },
      },
    ],
  }));
  return {};
}

/** One transaction: scope marked, displaced rotation filed, the reissue's version pinned. Returns the versions in scope. */
async function markScope(attempt: Attempt): Promise<Version[]> {
  const { ports, keyId, key } = attempt;
  const revocation = key.revocation as Revocation;
  const all = await listVersions(ports, keyId);
  // Each request covers what existed when it was first seen here: a version reissued since then is not in an older request's scope.
  const requests = revocation.requests.slice(revocation.resolved ?? 0);
  const unseen = requests.map(({ scope }) => scope);
  const risen = new Map(requests.flatMap(({ alive = [], at }) => alive.map((number) => [number, at] as const)));
  const compromised = new Set([
    ...(revocation.scope ?? []).filter((number) => isCompromised(all, number)),
    ...inScope(all, unseen).map(({ number }) => number),
  ]);
  // A version that a displaced operation was still minting has no future: it ends with the others, without having leaked.
  const marked = all
    .filter(({ number, state }) => compromised.has(number) || revocation.scope?.includes(number) || state === 'minting')
    .map((version): Version => {
      const aliveAt = isDead(version.state) ? (risen.get(version.number) ?? version.aliveAt) : undefined;
      return { ...version, compromised: version.compromised || compromised.has(version.number), ...(aliveAt ? { aliveAt } : {}) };
    });
  const displaced = key.rotation;
  const numbers = new Set(marked.map(({ number }) => number));
  const newVersion = reissueVersion(key, all, numbers);
  const now = instant(ports.clock.now());
  await record(attempt, (fresh) => ({
    set: {
      rotation: null,
      lastVersion: Math.max(fresh.lastVersion, newVersion.number),
      'revocation.scope': [...numbers],
      'revocation.resolved': revocation.requests.length,
      'revocation.oldVersion': fresh.current ?? 0,
      'revocation.newVersion': newVersion.number,
      'revocation.mint': newVersion.mint,
      'revocation.released': false,
      'revocation.held': false,
      // It begins anew: where it stood before is nobody's trouble any more.
      'revocation.restarts': 0,
      ...(fresh.attention?.reason === 'OperationStuck' ? { attention: null } : {}),
      ...(displaced?.acquiredAt ? { 'revocation.displacedAcquiredAt': displaced.acquiredAt } : {}),
    },
    writes: [
      ...marked.map((version) => putItem(versionItem(keyId, version))),
      ...(displaced ? [supersededOperation(keyId, displaced, now)] : []),
      // Put out, and sent with the others: nothing is published before the provider was told once more.
      ...(unseen.length > 0 ? [putItem(outboxItem(startedNotice(ports, fresh, [...numbers])))] : []),
    ],
    events: [
      { event: 'versions.compromised', detail: { operation: revocation.id, versions: [...compromised].join(' ') } },
      ...(displaced ? [{ event: 'rotation.superseded', detail: { operation: displaced.id, by: revocation.id } }] : []),
    ],
  }));
  if (displaced?.taskToken)
    await ports.executions.fail(displaced.taskToken, 'Superseded', `revocation ${revocation.id} has the key`).catch(() => undefined);
  return marked;
}

const isCompromised = (versions: readonly Version[], number: number): boolean =>
  versions.some((version) => version.number === number && version.compromised);

/** A clean version that the displaced rotation had already issued serves the reissue; otherwise a new number does. */
function reissueVersion(key: Key, versions: readonly Version[], ending: ReadonlySet<number>): { number: number; mint: number } {
  const pinned = key.revocation?.newVersion;
  const candidate = versions.find(({ number }) => number === (pinned ?? key.rotation?.newVersion));
  const clean = candidate && !ending.has(candidate.number) && (candidate.state === 'issued' || candidate.state === 'live');
  if (clean) return { number: candidate.number, mint: key.rotation?.mint ?? key.revocation?.mint ?? 1 };
  if (pinned && !candidate) return { number: pinned, mint: key.revocation?.mint ?? 1 };
  return { number: Math.max(key.lastVersion, ...versions.map(({ number }) => number)) + 1, mint: 1 };
}

function supersededOperation(keyId: string, rotation: Rotation, endedAt: string): Write {
  return putItem({
    ...operationKey(keyId, rotation.id),
    ...(attribute({ ...rotation, taskToken: null, outcome: 'superseded', endedAt }) as object),
  });
}

function startedNotice(ports: Ports, key: Key, versions: readonly number[]): Notice {
  const reason = `being revoked: version ${versions.join(', ') || 'none'}`;
  const data = { action: 'look', reason } as const;
  return noticeFor(ports, key, key.revocation?.id ?? '', { type: 'key.revocation.started', audience: '*', severity: 'critical', data });
}

/** Its owner, the owner's team and whoever is on call hear of an emergency at once, each on record, and again when it is contained. */
function emergencyMatters({ facts: { id: keyId, owner, team }, revocation }: Key): Matter[] {
  if (!revocation || !isEmergency(revocation)) return [];
  const { id, requests } = revocation;
  const [first] = requests;
  return [
    {
      id: `revocation/${keyId}/${id}`,
      kind: 'revocation',
      keyId,
      subject: { operationId: id },
      thread: id,
      reason: 'Revoked',
      severity: 'critical',
      calls: [{ owner, team, text: `revoked by ${first?.actor ?? 'somebody'}: ${first?.reason ?? ''}`.slice(0, 300) }],
      patienceSeconds: 0,
    },
  ];
}

function revokedNotices(ports: Ports, key: Key, operationId: string): Notice[] {
  const reason = key.revocation?.requests.at(-1)?.source ?? 'unknown';
  // When the version in use did not leak, whoever uses it goes on: the notice says which one that is.
  const clean = key.current !== null && !key.revocation?.scope?.includes(key.current) ? { version: key.current } : {};
  return [...key.facts.consumers.map((consumer) => consumer.name), '*'].map((audience) =>
    noticeFor(ports, key, operationId, {
      type: 'key.revoked',
      audience,
      severity: 'critical',
      data: { ...clean, action: 'stop-using', reason },
    }),
  );
}

/** Pages once per cause: the key shows CONTAINMENT INCOMPLETE until it is disabled. */
async function reportIncomplete(attempt: Attempt, cause: Error): Promise<void> {
  const { ports, operation } = attempt;
  await record(attempt, (key) => {
    const known = key.attention?.reason === 'ContainmentIncomplete';
    const message = `CONTAINMENT INCOMPLETE: the provider has not disabled every version in scope (${cause.name})`;
    return {
      set: known ? {} : { attention: { reason: 'ContainmentIncomplete', message, since: instant(ports.clock.now()) } },
      notices: known
        ? []
        : [
            noticeFor(ports, key, operation.id, {
              type: 'key.revocation.incomplete',
              audience: '*',
              severity: 'critical',
              data: { action: 'look', reason: message },
            }),
          ],
      matters: emergencyMatters(key),
      events: [{ event: 'revocation.incomplete', detail: { operation: operation.id, error: cause.name } }],
    };
  });
}
