import { acquire, record } from '../attempt.ts';
import { DestinationUnavailable } from '../errors.ts';
import { openEmergencyReview } from '../incident/review.ts';
import { getKey } from '../items.ts';
import { publishPending } from '../outbox.ts';
import type { ExecutionPayload, Ports } from '../ports.ts';
import { noteTold } from './milestone.ts';

/**
 * Notify (protocol.md §6): the notices that the disable committed are sent, or known to be unsent. The step is recorded before anything
 * is sent, so that a failed notice never holds up the proof. Throws DestinationUnavailable when some could not be sent.
 */
export async function notify(ports: Ports, payload: ExecutionPayload, attemptId: string): Promise<Record<string, never>> {
  const attempt = await acquire(ports, payload, attemptId, 'notify');
  if (attempt !== 'done') {
    await record(attempt, () => ({
      set: { 'revocation.step': 'validate' },
      events: [{ event: 'revocation.notified', detail: { operation: attempt.operation.id } }],
    }));
  }
  const failed = await publishPending(ports, payload.keyId);
  // Judged by somebody else, by a date. Close opens it where this could not.
  await openEmergencyReview(ports, await getKey(ports, payload.keyId)).catch((error: Error) =>
    ports.log.warn('the review of an emergency was not opened yet', { key: payload.keyId, error: error.name }),
  );
  if (failed) throw new DestinationUnavailable(`${failed} notice(s) of ${payload.keyId} are not sent yet`);
  // For the stopwatch: an inventory that takes no more writes now does not hold up the proof.
  await noteTold(ports, await getKey(ports, payload.keyId)).catch(() => undefined);
  return {};
}
