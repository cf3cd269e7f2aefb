import { createHash } from 'node:crypto';
import type { Tier } from '../../core/key.ts';
import { departure, dormant, exceptions, type fleet, freeze, leak, vendorEnd } from './scenario.ts';

/**
 * The calendar that the policy asks for, worked out from its sentences with arithmetic of its own; nothing of the engine is used here.
 *
 *   A key rotates every P days: 30 (high), 65 (medium), 85 (low), less up to a tenth by its name.
 *   An exception puts that off until its end; a version that is half as old again by then is past its life. A freeze puts it off as well.
 *   Who leaves, has their keys rotated at once. What leaks is replaced at once, and counts from then on.
 *   What its vendor's end contains, and what goes for good, rotates no more.
 */
export interface Expected {
  readonly key: string;
  /** In days since the start. */
  readonly day: number;
  readonly reason: string;
  /** A freeze kept it longer than its tier tolerates, an hour. */
  readonly late: boolean;
}

const periods: Readonly<Record<Tier, number>> = { high: 30, medium: 65, low: 85 };

/** By how much of a tenth a key is earlier: the first four bytes of its name's SHA-256, in thousandths. */
const share = (key: string): number => (createHash('sha256').update(key).digest().readUInt32BE(0) % 1000) / 1000;

export function expectedCalendar(keys: typeof fleet, days: number): Expected[] {
  return keys.flatMap((key) => calendarOf(key, days)).sort((a, b) => a.day - b.day || (a.key < b.key ? -1 : 1));
}

function calendarOf({ facts: { id, owner, provider }, tier }: (typeof fleet)[number], days: number): Expected[] {
  const period = periods[tier] * (1 - share(id) / 10);
  const ends = Math.min(
    days,
    provider === vendorEnd.vendor ? vendorEnd.day : days,
    // Medium: asked after sixty days without use, and answered two days later.
    id === dormant.key ? 60 + dormant.answeredWithinDays : days,
  );
  const exception = exceptions.find(({ key }) => key === id);
  const rotations: Expected[] = [];
  let made = 0;
  let rotated = false;
  for (;;) {
    let due = made + period;
    let reason = rotated ? 'interval' : 'never-rotated';
    // Approved a day after it was asked for.
    if (exception && due > exception.asked + 1 && due < exception.until) {
      due = exception.until;
      reason = due - made >= 1.5 * periods[tier] ? 'lifetime' : 'exception-ended';
    }
    const frozen = tier === 'high' && due >= freeze.from && due < freeze.until;
    let late = frozen && freeze.until - due > 1 / 24;
    if (frozen) due = freeze.until;
    // Before its next date comes, what happens to it happens.
    if (id === leak.key && made < leak.day && leak.day < due) {
      made = leak.day;
      rotated = true;
      continue;
    }
    if (owner === departure.person && made < departure.day && departure.day < due) {
      due = departure.day;
      reason = 'departure';
      late = false;
    }
    if (due >= ends) return rotations;
    rotations.push({ key: id, day: due, reason, late });
    made = due;
    rotated = true;
  }
}
