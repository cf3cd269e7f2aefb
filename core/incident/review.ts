import type { Key, Revocation } from '../key.ts';
import type { Ports } from '../ports.ts';
import { openKeyReview } from '../reviews/open.ts';
import { findReview, type Review, reviewIdOf } from '../reviews/review.ts';

/** Whether a revocation was an emergency: one of its requests waited for nobody's approval, and was no exercise and no part of a larger incident. */
export function isEmergency({ requests }: Pick<Revocation, 'requests'>): boolean {
  return requests.some(({ kind }) => kind === undefined);
}

/**
 * An emergency needs no approval; somebody else judges it afterwards, by a date (POL-F4, F7). Opens that review, once for each revocation;
 * a deadline that passes is a breach. Throws InventoryUnavailable.
 */
export async function openEmergencyReview(ports: Ports, key: Key): Promise<void> {
  const { revocation } = key;
  if (!revocation || !isEmergency(revocation)) return;
  const [first] = revocation.requests.filter(({ kind }) => kind === undefined);
  const cause = `${revocation.id}: ${first?.actor ?? 'somebody'} revoked it without approval: ${first?.reason ?? ''}`.slice(0, 500);
  await openKeyReview(ports, key.facts.id, { kind: 'emergency', trigger: revocation.id, cause }, first?.actor ?? 'unknown');
}

/** The review of an emergency, or undefined when it has none. */
export function findEmergencyReview(ports: Ports, keyId: string, operationId: string): Promise<Review | undefined> {
  return findReview(ports, reviewIdOf('emergency', { kind: 'key', id: keyId }, operationId));
}
