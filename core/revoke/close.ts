import { type Attempt, acquire, record } from '../attempt.ts';
import { isDelivered, withRoles } from '../delivery.ts';
import { dueAfter } from '../due.ts';
import { effect } from '../effect.ts';
import { IllegalMove } from '../errors.ts';
import { attribute, listVersions, operationIdOf, operationKey, putItem, versionItem } from '../items.ts';
import { moveKey, type Revocation } from '../key.ts';
import { noticeFor } from '../outbox.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { instant } from '../time.ts';

/**
 * Close (protocol.md §6): no label of the secret store names a compromised version, the key is active on a clean one that every
 * destination holds, and the incident is on record. Throws IllegalMove when that clean version is missing.
 */
export async function close(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<Record<string, never>> {
  const attempt = await acquire(ports, payload, attemptId, 'close');
  if (attempt === 'done') return {};
  await stripCompromised(attempt);
  const { keyId, operation, key } = attempt;
  const versions = await listVersions(ports, keyId);
  const current = versions.find((version) => version.number === key.current);
  if (!current || current.compromised || current.state !== 'live' || !(await isDelivered(ports, key, current.number))) {
    throw new IllegalMove(`${keyId} has no clean version at every destination`);
  }
  await record(attempt, (fresh) => {
    const now = instant(ports.clock.now());
    const revocation = fresh.revocation as Revocation;
    return {
      set: {
        state: moveKey(fresh.state, fresh.state === 'contained' ? 'close-contained' : 'reissued'),
        revocation: {},
        lastEndedAt: now,
        nextDueAt: dueAfter(fresh.facts, fresh.tier, ports.policy, now),
        dueNow: null,
        attention: fresh.attention?.reason === 'UnattributedCredential' ? fresh.attention : null,
      },
      writes: [
        ...withRoles(versions, current.number, 0).map((version) => putItem(versionItem(keyId, version))),
        // Under the id of every request that met in this revocation, so that each of them, sent again, is recognised.
        ...operationIds(keyId, revocation).map((id) =>
          putItem({ ...operationKey(keyId, id), ...(attribute({ ...revocation, outcome: 'done', endedAt: now }) as object) }),
        ),
      ],
      notices: [
        noticeFor(ports, fresh, operation.id, {
          type: 'key.reissued',
          audience: '*',
          severity: 'info',
          data: { version: current.number, action: 'none', reason: 'closed' },
        }),
      ],
      events: [
        {
          event: 'revocation.closed',
          detail: { operation: operation.id, current: current.number, falseAlarm: revocation.falseAlarm ?? false },
        },
      ],
    };
  });
  return {};
}

function operationIds(keyId: string, revocation: Revocation): string[] {
  return [...new Set([revocation.id, ...revocation.requests.map(({ requestId }) => operationIdOf('revoke', keyId, requestId))])];
}

async function stripCompromised(attempt: Attempt): Promise<void> {
  const { ports, keyId } = attempt;
  const labelled = new Set(Object.values(await ports.secrets.labels(keyId)));
  for (const { number, token, compromised } of await listVersions(ports, keyId)) {
    if (!compromised || !token || !labelled.has(token)) continue;
    await effect(attempt, { name: 'secrets.strip', target: String(number) }, () => ports.secrets.strip(keyId, token));
  }
}
