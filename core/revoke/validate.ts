import { type Attempt, acquire, record } from '../attempt.ts';
import { disableVersion, endSessions, proveDead } from '../ending.ts';
import { Fenced, StillAccepted, Superseded } from '../errors.ts';
import { getKey, listVersions, putItem, versionItem } from '../items.ts';
import { type Key, moveKey, type Revocation } from '../key.ts';
import { noticeFor } from '../outbox.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { quiesceSeconds } from '../rotate/abort.ts';
import { inflightSeconds } from '../settings.ts';
import { instant, milliseconds } from '../time.ts';
import { isDead, type Version } from '../version.ts';
import { watchFrom } from './watch.ts';

/**
 * Validate (protocol.md §6): each version in scope is refused by the provider as often in a row as its spec asks, and not listed as enabled.
 * Then, and only then, the key is contained: this is the acknowledgement, with the words of what was proven. Returns how long to wait
 * until no attempt of a displaced operation can still write. Throws StillAccepted or ProbeAgain until all are dead.
 */
export async function validate(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<{ quiesceSeconds: number }> {
  const attempt = await acquire(ports, payload, attemptId, 'validate');
  if (attempt === 'done') return quiesce(ports, await getKey(ports, payload.keyId));
  const { keyId, operation } = attempt;
  const scope = new Set((attempt.key.revocation as Revocation).scope ?? []);
  const proofs: string[] = [];
  const waiting: Error[] = [];
  for (const version of (await listVersions(ports, keyId)).filter(({ number }) => scope.has(number))) {
    try {
      if (isDead(version.state) && !version.aliveAt) {
        await requireStillDead(attempt, version);
        proofs.push(`version ${version.number} was dead since ${version.disabledAt}`);
        continue;
      }
      const dead = await proveDead(attempt, version);
      await record(attempt, () => ({
        writes: [putItem(versionItem(keyId, dead.version)), dead.certificate],
        events: [{ event: 'version.dead', detail: { operation: operation.id, version: version.number, proof: dead.proof } }],
      }));
      proofs.push(`version ${version.number}: ${dead.proof}`);
    } catch (error) {
      // One version's trouble, whatever it is, must not keep the others from being proven dead.
      if (error instanceof Fenced || error instanceof Superseded) throw error;
      waiting.push(error as Error);
    }
  }
  const [first] = waiting;
  if (first) {
    const alive = waiting.find((error) => error instanceof StillAccepted);
    if (alive || isLate(attempt)) await reportUnproven(attempt, alive ?? first);
    throw alive ?? first;
  }
  // Again, now that no more can be derived: a disable takes a while to reach every part of a provider.
  const sessionsEndedAt = await endSessions(attempt);
  if (sessionsEndedAt) proofs.push(`sessions derived before ${sessionsEndedAt} are refused by the provider's policy`);
  return quiesce(ports, await contain(attempt, proofs.join('; '), sessionsEndedAt, [...scope]));
}

/** A version that was proven dead before must not have been enabled since: if it was, it is disabled again. */
async function requireStillDead(attempt: Attempt, version: Version): Promise<void> {
  const { ports, key, subject } = attempt;
  if (!version.credentialId || version.state === 'destroyed') return;
  const listed = await ports.provider(key.facts.provider).list(subject);
  if (!listed.some((one) => one.credentialId === version.credentialId && one.enabled)) return;
  await disableVersion(attempt, version);
  throw new StillAccepted(`version ${version.number} was enabled again by somebody else; it was disabled again`);
}

/** Whether the proof takes longer than the vendor's own budget for a disable, and the probes that must follow in a row. */
function isLate({ ports, key }: Attempt): boolean {
  const { revokeSeconds, probe } = ports.provider(key.facts.provider).traits;
  const patienceSeconds = revokeSeconds + (probe.denied + 2) * probe.everySeconds + inflightSeconds(ports.settings);
  return ports.clock.now() - milliseconds(key.revocation?.disabledAt ?? '') > patienceSeconds * 1000;
}

async function contain(attempt: Attempt, proof: string, sessionsEndedAt: string | null, scope: readonly number[]): Promise<Key> {
  const { ports, operation } = attempt;
  return record(attempt, (key) => {
    const now = instant(ports.clock.now());
    return {
      set: {
        state: moveKey(key.state, 'contain'),
        watch: watchFrom(ports.policy, key, scope, now),
        'revocation.step': 'attribute',
        'revocation.firstContainedAt': key.revocation?.firstContainedAt ?? now,
        'revocation.containedAt': now,
        'revocation.proof': `${now} ${proof}`,
        ...(sessionsEndedAt ? { 'revocation.sessionsEndedAt': sessionsEndedAt } : {}),
        ...(key.attention?.reason === 'ContainmentIncomplete' ? { attention: null } : {}),
      },
      notices: [
        noticeFor(ports, key, operation.id, {
          type: 'key.contained',
          audience: '*',
          severity: 'warning',
          data: { action: 'none', reason: proof },
        }),
      ],
      events: [{ event: 'revocation.contained', detail: { operation: operation.id, proof } }],
    };
  });
}

/** The older attempts are those of the displaced rotation, of a reissue that a second revocation overtook, and of a repair. */
function quiesce(ports: Ports, key: Key): { quiesceSeconds: number } {
  const { displacedAcquiredAt, reissueAcquiredAt } = key.revocation ?? {};
  const writers = [displacedAcquiredAt, reissueAcquiredAt, key.repairingAt];
  return { quiesceSeconds: Math.max(...writers.map((acquiredAt) => quiesceSeconds(ports, acquiredAt))) };
}

async function reportUnproven(attempt: Attempt, cause: Error): Promise<void> {
  if (attempt.key.attention?.reason === 'ContainmentIncomplete') return;
  const { ports, operation } = attempt;
  const message = `CONTAINMENT INCOMPLETE: ${cause.message}`;
  await record(attempt, (key) => ({
    set: { attention: { reason: 'ContainmentIncomplete', message, since: instant(ports.clock.now()) } },
    notices: [
      noticeFor(ports, key, operation.id, {
        type: 'key.revocation.incomplete',
        audience: '*',
        severity: 'critical',
        data: { action: 'look', reason: message },
      }),
    ],
    events: [{ event: 'revocation.incomplete', detail: { operation: operation.id, error: cause.name } }],
  }));
}
