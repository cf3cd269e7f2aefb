import { Refused } from '../core/errors.ts';
import { parseDuration } from '../requests/duration.ts';

/**
 * The instant that a person means: an instant, a day, or a length from now. Throws Refused E_INPUT_INVALID when it is missing or is none;
 * `what` is what must end.
 */
export function untilOf(when: string | undefined, what: string, now: number): string {
  const wrong = (message: string) => new Refused('E_INPUT_INVALID', `${what} must end: --until ${message}`, [{ path: '--until', message }]);
  if (when === undefined) throw wrong('is missing; give an instant, a day, or a length like P3D');
  const seconds = parseDuration(when);
  if (seconds !== undefined) return new Date(now + seconds * 1000).toISOString();
  const instant = /^\d{4}-\d\d-\d\d$/.test(when) ? `${when}T00:00:00Z` : when;
  const parsed = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(instant) ? new Date(instant) : undefined;
  // A day that its month does not have is read as one of the next month.
  if (!parsed || Number.isNaN(parsed.getTime()) || !parsed.toISOString().startsWith(instant.slice(0, 10))) {
    throw wrong('must be like 2027-01-31T12:00:00Z, 2027-01-31 or P3D');
  }
  return parsed.toISOString();
}
