import { openBreach } from './breach.ts';
import { type Commit, commit } from './commit.ts';
import { accessReviewAt, brokenByTime, dormantAt, remindersOf, triggerOf } from './due.ts';
import { ConditionFailed } from './errors.ts';
import { operationIdOf } from './items.ts';
import type { Key } from './key.ts';
import { noticeFor } from './outbox.ts';
import type { Ports } from './ports.ts';
import { openingOn, type ReviewOpening } from './reviews/open.ts';
import { instant } from './time.ts';

/**
 * What time alone does to a key, beside its rotation: an exception ends, a breach is written down, its owner is reminded of the due date, or
 * asked whether it is still needed. Each happens once. Returns the key as it is then; without anything to do, nothing is written.
 */
export async function upkeep(ports: Ports, known: Key): Promise<Key> {
  if (!changeFor(ports, known)) return known;
  try {
    return await commit(ports, known.facts.id, (key) => changeFor(ports, key));
  } catch (error) {
    // The review was opened by somebody else at the same moment: the next look finds it open.
    if (error instanceof ConditionFailed) return known;
    throw error;
  }
}

function changeFor(ports: Ports, before: Key): Commit | null {
  if (before.state !== 'active' || before.nextDueAt === null) return null;
  const now = instant(ports.clock.now());
  const ended = withoutEnded(before, now);
  const key = { ...before, ...ended.set };
  const parts = [ended, breached(ports, key, now), reminded(ports, key, now), asked(ports, key, now)];
  const change: Commit = {
    actor: 'schedule',
    fence: before.fence,
    set: Object.assign({}, ...parts.map(({ set }) => set)),
    events: parts.flatMap(({ events = [] }) => events),
    writes: parts.flatMap(({ writes = [] }) => writes),
    notices: parts.flatMap(({ notices = [] }) => notices),
  };
  return change.events.length ? change : null;
}

type Part = Partial<Pick<Commit, 'events' | 'writes' | 'notices'>> & { readonly set?: Partial<Key> };

/** An exception ends by itself: one from the schedule ends into a rotation that is due from then on. */
function withoutEnded(key: Key, now: string): Part {
  const over = key.exceptions.filter(({ until }) => until <= now);
  if (over.length === 0) return {};
  const scheduled = over.find(({ rule, approvedAt }) => rule === 'rotation' && approvedAt !== null);
  const isDue = scheduled && key.nextDueAt !== null && key.nextDueAt <= scheduled.until;
  return {
    set: {
      exceptions: key.exceptions.filter((one) => !over.includes(one)),
      ...(scheduled ? { exceptedUntil: scheduled.until } : {}),
      ...(isDue ? { nextDueAt: scheduled.until, dueBecause: 'exception-ended' as const } : {}),
    },
    events: over.map(({ id, rule, until, approvedAt }) => ({
      event: 'exception.ended',
      detail: { exception: id, rule, until, approved: approvedAt !== null },
    })),
  };
}

function breached(ports: Ports, key: Key, now: string): Part {
  let { breaches } = key;
  const events: Commit['events'][number][] = [];
  for (const breach of brokenByTime(key, now, ports.policy)) {
    const opened = openBreach(breaches, breach);
    breaches = opened.breaches;
    events.push(...opened.events);
  }
  return events.length ? { set: { breaches }, events } : {};
}

/** One notice, for the nearest of the reminders whose time has come; none once the key is due. */
function reminded(ports: Ports, key: Key, now: string): Part {
  const { nextDueAt } = key;
  if (!nextDueAt || nextDueAt <= now) return {};
  const next = remindersOf(key, ports.policy).findLast(({ at }) => at <= now);
  if (!next) return {};
  const reason = `${key.facts.owner}: it rotates at ${nextDueAt}`;
  const data = { action: 'none', dueAt: nextDueAt, reason, ...(key.current === null ? {} : { version: key.current }) } as const;
  // Under the id of the rotation that it announces: what follows belongs to the same matter.
  const operationId = operationIdOf('rotate', key.facts.id, triggerOf(key));
  const audiences = [...key.facts.consumers.map(({ name }) => name), '*'];
  return {
    set: { reminded: { dueAt: nextDueAt, beforeSeconds: next.beforeSeconds } },
    events: [{ event: 'reminder.sent', detail: { due: nextDueAt, owner: key.facts.owner } }],
    notices: audiences.map((audience) =>
      noticeFor(ports, key, operationId, { type: 'key.rotation.scheduled', audience, severity: 'info', data }),
    ),
  };
}

/** One question at a time: whether a key that nobody uses is needed, or else the one that comes again and again. */
function asked(ports: Ports, key: Key, now: string): Part {
  const dormant = dormantAt(key, ports.policy);
  if (dormant !== null && dormant <= now) {
    const used = key.use?.at ? `was used last at ${key.use.at}` : 'was never used since it is known';
    return asking(ports, key, { kind: 'dormant', trigger: `${key.use?.at} ${key.reviewedAt}`, cause: `is it still needed? It ${used}` });
  }
  const at = accessReviewAt(key, ports.policy);
  if (at === null || at > now) return {};
  const cause = `is it still needed? Its owner said so last at ${key.reviewedAt}`;
  return asking(ports, key, { kind: 'access', trigger: key.reviewedAt, cause });
}

function asking(ports: Ports, key: Key, opening: ReviewOpening): Part {
  const { review: _review, ...change } = openingOn(ports, key, opening, 'schedule');
  return { set: { reviewOpen: true }, ...change };
}
