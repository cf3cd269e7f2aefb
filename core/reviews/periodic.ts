import { installationState } from '../installation.ts';
import type { Ports } from '../ports.ts';
import { after, instant } from '../time.ts';
import { openReview } from './open.ts';

/** What is looked through again and again, whatever happens. */
const periodic = ['policy', 'log'] as const;

const everySeconds = { policy: 'policyEverySeconds', log: 'logEverySeconds' } as const;

/**
 * Asks the policy's reviewers to look through the policy and the log, as often as the policy says: each question opens as long before its date
 * as an answer may take, so that the date itself is the end of the period. Counted from the last answer; at first, from when a policy first
 * took effect. Asked once for each period, however often this runs. Returns what is open.
 * Costs one read while nothing is to be asked.
 */
export async function openPeriodicReviews(ports: Ports): Promise<string[]> {
  const now = instant(ports.clock.now());
  const { reviewed } = await installationState(ports);
  const opened: string[] = [];
  for (const kind of periodic) {
    const last = reviewed[kind];
    if (last === null) continue;
    const dueAt = after(last, ports.policy.reviews[everySeconds[kind]]);
    if (now < after(dueAt, -ports.policy.reviews.answerWithinSeconds[kind])) continue;
    const cause = `${kind === 'policy' ? 'the policy' : 'the log'} was looked through last at ${last}`;
    const { id } = await openReview(ports, { kind, id: kind }, { kind, trigger: last, cause, dueAt }, 'reconciler');
    opened.push(id);
  }
  return opened;
}
