import { commit } from '../commit.ts';
import { Fenced } from '../errors.ts';
import type { Key } from '../key.ts';
import type { Ports } from '../ports.ts';
import { openKeyReview } from '../reviews/open.ts';
import type { Report } from './report.ts';

/**
 * Somebody left. Afterwards no key of theirs is without a living owner: it belongs to its team, or to whoever is on call where the team is the
 * same name, until somebody answers the review that opens; one that they could read opens a review as well. Nothing is revoked by it.
 */
export async function noteDeparture(
  ports: Ports,
  key: Key,
  as: 'owner' | 'reader',
  report: Pick<Report, 'sender' | 'eventId' | 'says'>,
  actor: string,
): Promise<void> {
  const { id: keyId, owner, team, readers } = key.facts;
  if (as === 'owner') await handOver(ports, keyId, owner, team !== owner ? team : ports.policy.onCall, actor);
  const who = as === 'owner' ? `${owner} owned it` : `one of its ${readers.length} readers could read it`;
  const opening = { kind: 'departure', trigger: `${report.sender}|${report.eventId}`, cause: `${report.says}: ${who}` } as const;
  await openKeyReview(ports, keyId, opening, actor);
}

async function handOver(ports: Ports, keyId: string, from: string, to: string, actor: string): Promise<void> {
  const handed = () =>
    commit(ports, keyId, (key) =>
      key.facts.owner === from
        ? {
            actor,
            fence: key.fence,
            set: { 'facts.owner': to },
            events: [{ event: 'key.owner-changed', detail: { from, to, reason: 'departure' } }],
          }
        : null,
    );
  await handed().catch((error: Error) => {
    // An attempt took the key meanwhile: once more, on what is true now.
    if (error instanceof Fenced) return handed();
    throw error;
  });
}
