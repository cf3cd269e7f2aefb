import { type Attempt, acquire, record } from '../attempt.ts';
import { proveDead } from '../ending.ts';
import { ProbeAgain, StillAccepted } from '../errors.ts';
import { getKey, listVersions, putItem, versionItem } from '../items.ts';
import { type Key, moveKey, type Revocation } from '../key.ts';
import { noticeFor } from '../outbox.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { quiesceSeconds } from '../rotate/abort.ts';
import { instant } from '../time.ts';
import { isDead } from '../version.ts';

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
    if (isDead(version.state)) {
      proofs.push(`version ${version.number} was dead since ${version.disabledAt}`);
      continue;
    }
    try {
      const dead = await proveDead(attempt, version);
      await record(attempt, () => ({
        writes: [putItem(versionItem(keyId, dead.version))],
        events: [{ event: 'version.dead', detail: { operation: operation.id, version: version.number, proof: dead.proof } }],
      }));
      proofs.push(`version ${version.number}: ${dead.proof}`);
    } catch (error) {
      if (!(error instanceof ProbeAgain || error instanceof StillAccepted)) throw error;
      waiting.push(error);
    }
  }
  const { sessionsEndedAt } = attempt.key.revocation as Revocation;
  if (sessionsEndedAt) proofs.push(`sessions derived before ${sessionsEndedAt} are refused by the provider's policy`);
  const [first] = waiting;
  if (first) {
    if (first instanceof StillAccepted) await reportAlive(attempt, first);
    throw first;
  }
  return quiesce(ports, await contain(attempt, proofs.join('; ')));
}

async function contain(attempt: Attempt, proof: string): Promise<Key> {
  const { ports, operation } = attempt;
  return record(attempt, (key) => {
    const now = instant(ports.clock.now());
    return {
      set: {
        state: moveKey(key.state, 'contain'),
        'revocation.step': 'attribute',
        'revocation.containedAt': now,
        'revocation.proof': `${now} ${proof}`,
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

/** The older attempts are those of the displaced rotation, and of a reissue that a second revocation overtook. */
function quiesce(ports: Ports, key: Key): { quiesceSeconds: number } {
  const { displacedAcquiredAt, reissueAcquiredAt } = key.revocation ?? {};
  return { quiesceSeconds: Math.max(quiesceSeconds(ports, displacedAcquiredAt), quiesceSeconds(ports, reissueAcquiredAt)) };
}

async function reportAlive(attempt: Attempt, cause: Error): Promise<void> {
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
