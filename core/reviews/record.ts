import { type Breach, closeBreaches, openBreach } from '../breach.ts';
import { commit } from '../commit.ts';
import { ConditionFailed } from '../errors.ts';
import { commitInstallation } from '../installation.ts';
import type { Write } from '../inventory.ts';
import type { Notice } from '../notice.ts';
import { offboarding } from '../offboard.ts';
import { noticeFor } from '../outbox.ts';
import type { Ports } from '../ports.ts';
import { nextLookAt } from './open.ts';
import { type Review, reviewItem } from './review.ts';

interface ReviewChange {
  readonly actor: string;
  readonly event: string;
  readonly detail: Readonly<Record<string, string | number | boolean>>;
  /** What the people around the key are told, if anything. */
  readonly tell?: { readonly severity: Notice['severity']; readonly reason: string };
}

/**
 * Records what became of a review, in one transaction with its line in the chain of what it is about: the key's, or the installation's. A
 * missed deadline opens a breach there, an answer closes it. Returns false when somebody else changed the review meanwhile.
 */
export async function recordReview(ports: Ports, before: Review, after: Review, now: string, change: ReviewChange): Promise<boolean> {
  const writes: Write[] = [
    {
      do: 'put',
      item: reviewItem({ ...after, revision: before.revision + 1 }, after.state === 'open' ? nextLookAt(after, now) : null),
      when: [{ path: 'revision', is: '=', value: before.revision }],
    },
  ];
  const { actor, tell } = change;
  const event = { event: change.event, detail: { review: after.id, kind: after.kind, ...change.detail } };
  try {
    if (after.subject.kind === 'key') {
      await commit(ports, after.subject.id, (key) => {
        const { breaches, events } = judged(key.breaches, after);
        const goes = after.answer === 'not-needed' && !key.offboard ? offboarding({ by: actor, reason: after.note ?? '', at: now }) : null;
        return {
          actor,
          writes,
          set: {
            ...goes?.set,
            breaches,
            ...(after.state === 'answered' && asksForNeed(after) ? { reviewOpen: false, reviewedAt: now } : {}),
          },
          events: [event, ...events, ...(goes?.events ?? [])],
          notices: tell
            ? [
                noticeFor(ports, key, after.id, {
                  type: 'key.review',
                  audience: '*',
                  severity: tell.severity,
                  data: { action: 'look', reason: tell.reason },
                }),
              ]
            : [],
        };
      });
    } else {
      await commitInstallation(ports, (state) => {
        const { breaches, events } = judged(state.breaches, after);
        const { kind } = after;
        const looked = after.state === 'answered' && (kind === 'policy' || kind === 'log');
        const set = { breaches, ...(looked ? { reviewed: { ...state.reviewed, [kind]: now } } : {}) };
        return { actor, writes, set, events: [event, ...events] };
      });
    }
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}

function judged(breaches: readonly Breach[], review: Review) {
  if (review.state === 'answered') return closeBreaches(breaches, ({ rule, of }) => rule === missedRule && of === review.id);
  if (!review.missedAt) return { breaches, events: [] };
  const message = `the ${review.kind} review ${review.id} was due at ${review.dueAt}, and ${review.assignee} has not answered`;
  return openBreach(breaches, { rule: missedRule, of: review.id, message, since: review.dueAt });
}

/** Whether a review asks if a key is needed: answered, it is not asked again for a period. */
const asksForNeed = ({ kind }: Review): boolean => kind === 'access' || kind === 'dormant';

/** The rule that a review without an answer breaks. */
const missedRule = 'review-missed';
