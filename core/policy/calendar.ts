import type { Key } from '../key.ts';
import { type PlannedHold, type Policy, type Weekday, type Window, weekdays } from '../policy.ts';
import { instant } from '../time.ts';
import { matches } from './key-match.ts';

/** What of the policy's calendar keeps the rotation of a key from starting now, or null. A revocation never asks. */
export function closedFor(
  { facts, tier }: Pick<Key, 'facts' | 'tier'>,
  policy: Policy,
  now: number,
): { readonly hold: PlannedHold } | { readonly windows: readonly Window[] } | null {
  const hold = holdOf({ facts, tier }, policy, now);
  if (hold) return { hold };
  const windows = policy.windows.filter(({ when }) => matches(when, facts, tier));
  return windows.length === 0 || windows.some((window) => isOpen(window, now)) ? null : { windows };
}

/** The planned hold that a key is under now, or null. */
export function holdOf({ facts, tier }: Pick<Key, 'facts' | 'tier'>, policy: Policy, now: number): PlannedHold | null {
  const at = instant(now);
  return policy.holds.find(({ from, until, when }) => from <= at && at < until && matches(when, facts, tier)) ?? null;
}

/**
 * Whether a window is open at an instant: by the clock on the wall of its zone. Where a change of summer time leaves an hour out, a window
 * in that hour is not open that day; where one comes twice, it is open twice.
 */
export function isOpen({ days, from, to, zone }: Pick<Window, 'days' | 'from' | 'to' | 'zone'>, now: number): boolean {
  const { day, time } = wallClock(now, zone);
  if (from < to) return days.includes(day) && from <= time && time < to;
  // Over midnight: its second part belongs to the day on which it began.
  return (days.includes(day) && from <= time) || (days.includes(dayBefore(day)) && time < to);
}

/** The next times (milliseconds since 1970) at which a window opens, at most `count`, within the next five weeks. */
export function openings(window: Pick<Window, 'days' | 'from' | 'to' | 'zone'>, now: number, count: number): number[] {
  const found: number[] = [];
  let open = isOpen(window, now);
  const first = Math.ceil(now / stepMs) * stepMs;
  for (let at = first; at < now + searchMs && found.length < count; at += stepMs) {
    const is = isOpen(window, at);
    if (is && !open) found.push(openedAfter(window, at));
    open = is;
  }
  return found;
}

/** A quarter of an hour: every zone's offset, and every change of it, is a multiple. */
const stepMs = 900_000;
const minuteMs = 60_000;
const searchMs = 35 * 86_400_000;

/** The minute at which a window that is open at `at`, and was not a step before, was opened. */
function openedAfter(window: Pick<Window, 'days' | 'from' | 'to' | 'zone'>, at: number): number {
  let opened = at;
  while (isOpen(window, opened - minuteMs)) opened -= minuteMs;
  return opened;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Day of the week and `HH:MM` in a zone. Throws RangeError for a zone that the IANA database does not have. */
export function wallClock(now: number, zone: string): { readonly day: Weekday; readonly time: string } {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    clocks.set(zone, clock);
  }
  const parts = new Map(clock.formatToParts(now).map(({ type, value }) => [type, value]));
  return { day: (parts.get('weekday') ?? '').toLowerCase().slice(0, 3) as Weekday, time: `${parts.get('hour')}:${parts.get('minute')}` };
}

const dayBefore = (day: Weekday): Weekday => weekdays[(weekdays.indexOf(day) + 6) % 7] as Weekday;
