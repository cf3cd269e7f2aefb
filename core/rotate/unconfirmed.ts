import { challenge, placesOf } from '../challenge.ts';
import { type Commit, commit } from '../commit.ts';
import { ConditionFailed } from '../errors.ts';
import { adoptionKey, putItem } from '../items.ts';
import type { Key, Rotation } from '../key.ts';
import type { Notice } from '../notice.ts';
import { listNoticeRecords } from '../notice-record.ts';
import { noticeFor } from '../outbox.ts';
import type { Ports } from '../ports.ts';
import { after, instant, milliseconds } from '../time.ts';

/** Parts of the overlap before its cap at which whoever has not proved its move is asked again. */
const remindAt = [1 / 4, 1 / 24];

/** Whether a reminder of this rotation is due that was not sent. */
export function remindersDue(rotation: Rotation, now: string): boolean {
  return remindersBy(rotation, now) > (rotation.reminders ?? 0);
}

function remindersBy({ distributedAt, overlapCapAt }: Rotation, now: string): number {
  if (!distributedAt || !overlapCapAt) return 0;
  const whole = milliseconds(overlapCapAt) - milliseconds(distributedAt);
  const left = milliseconds(overlapCapAt) - milliseconds(now);
  return remindAt.filter((part) => left <= whole * part).length;
}

/** Asks those that have not proved their move once more, with a fresh challenge, and says when the overlap ends and what happens then. */
export async function askAgain(ports: Ports, key: Key, rotation: Rotation, missing: readonly string[], now: string): Promise<void> {
  const destinations = await placesOf(ports, key, rotation.newVersion);
  const data = {
    action: 'refresh',
    version: rotation.newVersion,
    destinations,
    endsAt: rotation.overlapCapAt ?? now,
    atEnd: ports.policy.tiers[key.tier].atOverlapMax,
  } as const;
  await said(ports, key, rotation, {
    set: { 'rotation.reminders': remindersBy(rotation, now) },
    notices: registered(key, missing).map((name) =>
      challenge(ports, key, rotation.id, name, { type: 'key.overlap.ending', severity: 'warning', data }),
    ),
    events: [{ event: 'confirm.reminded', detail: { operation: rotation.id, missing: missing.join(' ') } }],
  });
}

/** At the cap: both versions stay alive, a person is called, and whoever has not proved its move is asked again from time to time. */
export async function askAtCap(ports: Ports, key: Key, rotation: Rotation, missing: readonly string[], now: string): Promise<void> {
  const isNew = key.attention?.reason !== 'ConsumersNotConfirmed';
  if (!isNew && rotation.askedAt && now < after(rotation.askedAt, ports.settings.remindSeconds)) return;
  const message = `the overlap is at its cap and these have not proved that they moved: ${missing.join(', ')}; both versions stay alive`;
  const data = { action: 'refresh', version: rotation.newVersion, destinations: await placesOf(ports, key, rotation.newVersion) } as const;
  await said(ports, key, rotation, {
    set: {
      'rotation.askedAt': now,
      ...(isNew ? { attention: { reason: 'ConsumersNotConfirmed', message, since: instant(ports.clock.now()) } } : {}),
    },
    notices: [
      ...registered(key, missing).map((name) =>
        challenge(ports, key, rotation.id, name, { type: 'key.receipt.missing', severity: 'warning', data }),
      ),
      ...(isNew ? [missingNotice(ports, key, rotation, message)] : []),
    ],
    events: [{ event: 'confirm.overdue', detail: { operation: rotation.id, missing: missing.join(' ') } }],
  });
}

/**
 * What retires the old version though some have not proved their move: the policy's word stands in for theirs, on record, and everybody is
 * told. Null while that cannot be said: each of them must have been warned, in a notice that was sent, that this is what happens.
 */
export async function overruled(
  ports: Ports,
  key: Key,
  rotation: Rotation,
  missing: readonly string[],
  now: string,
): Promise<(Pick<Commit, 'set' | 'writes' | 'notices' | 'events'> & { readonly set: object }) | null> {
  const records = await listNoticeRecords(ports, key.facts.id, rotation.id);
  const warned = new Set(records.filter(({ type, sentAt }) => type === 'key.overlap.ending' && sentAt).map(({ consumer }) => consumer));
  if (!registered(key, missing).every((name) => warned.has(name))) return null;
  const message = `version ${rotation.oldVersion} is retired as the policy says, though these have not proved that they moved: ${missing.join(', ')}`;
  const by = `policy:${ports.policy.version}`;
  return {
    set: { attention: { reason: 'RetiredUnconfirmed', message, since: now } },
    writes: missing.map((name) =>
      putItem({
        ...adoptionKey(key.facts.id, name, rotation.newVersion, rotation.id),
        ...{ kind: 'policy', operationId: rotation.id, at: now, by, withdrawnAt: '' },
      }),
    ),
    notices: [...missing, '*'].map((audience) =>
      noticeFor(ports, key, rotation.id, {
        type: 'key.receipt.missing',
        audience,
        severity: 'warning',
        data: { action: 'look', version: rotation.newVersion, reason: message },
      }),
    ),
    events: [{ event: 'confirm.overruled', detail: { operation: rotation.id, missing: missing.join(' '), by } }],
  };
}

const registered = ({ facts }: Key, missing: readonly string[]): string[] =>
  facts.consumers.map(({ name }) => name).filter((name) => missing.includes(name));

function missingNotice(ports: Ports, key: Key, rotation: Rotation, reason: string): Notice {
  return noticeFor(ports, key, rotation.id, {
    type: 'key.receipt.missing',
    audience: '*',
    severity: 'warning',
    data: { action: 'look', version: rotation.newVersion, reason },
  });
}

/** Commits what is said to those that wait, once: nothing when the rotation has moved on, or somebody else said it. */
async function said(ports: Ports, key: Key, rotation: Rotation, change: Omit<Commit, 'actor'>): Promise<void> {
  try {
    await commit(ports, key.facts.id, (fresh) => {
      const same = fresh.rotation?.id === rotation.id && fresh.rotation.step === 'confirm' && fresh.state === 'rotating';
      const first = fresh.rotation?.reminders === rotation.reminders && fresh.rotation?.askedAt === rotation.askedAt;
      return same && first ? { actor: 'step:confirm', ...change } : null;
    });
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
  }
}
