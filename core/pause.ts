import { Refused } from './errors.ts';
import { commitInstallation } from './installation.ts';
import type { Ports } from './ports.ts';
import { after, instant } from './time.ts';

/**
 * Stops everything that the schedule would start, until an instant; what runs goes on, and people and revocations are not asked. Throws Refused
 * E_INPUT_INVALID for an end that is not within the policy's longest hold.
 */
export async function pauseSchedule(
  ports: Ports,
  { reason, until: given }: { readonly reason: string; readonly until: string },
  actor: string,
): Promise<{ readonly until: string }> {
  const now = instant(ports.clock.now());
  const until = instant(Date.parse(given));
  const latest = after(now, ports.policy.maxHoldSeconds);
  if (!(until > now && until <= latest)) {
    throw new Refused('E_INPUT_INVALID', 'a pause must end, and soon', [
      { path: 'until', message: `give an instant after now and not after ${latest}` },
    ]);
  }
  await commitInstallation(ports, () => ({
    actor,
    set: { pause: { reason, by: actor, since: now, until } },
    events: [{ event: 'schedule.paused', detail: { reason, until } }],
  }));
  return { until };
}

/** Ends a pause. Throws Refused E_NOTHING_TO_DO when there is none. */
export async function resumeSchedule(
  ports: Ports,
  { reason }: { readonly reason: string },
  actor: string,
): Promise<{ readonly resumed: true }> {
  const now = instant(ports.clock.now());
  await commitInstallation(ports, ({ pause }) => {
    if (!pause || pause.until <= now) throw new Refused('E_NOTHING_TO_DO', 'the schedule is not paused');
    return { actor, set: { pause: null }, events: [{ event: 'schedule.resumed', detail: { reason } }] };
  });
  return { resumed: true };
}
