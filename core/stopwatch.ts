import type { Revocation } from './key.ts';
import type { TierPolicy } from './policy.ts';
import { milliseconds } from './time.ts';

/** The instants of a revocation that people wait for, in the order in which they should come. */
const stopwatchMarks = ['fenced', 'disabled', 'dead', 'told', 'reissued', 'healthy'] as const;
type MarkName = (typeof stopwatchMarks)[number];

export interface StopwatchMark {
  readonly mark: MarkName;
  /** ISO instant; null while it has not come. */
  readonly at: string | null;
  /** Since the report; null while it has not come. */
  readonly seconds: number | null;
  readonly targetSeconds: number;
}

/** The stopwatch of a revocation, from its record, open or filed: reported → fenced → disabled → dead → told → reissued → consumers healthy. */
export function stopwatchOf(revocation: Revocation, targets: TierPolicy['targets']): StopwatchMark[] {
  const from = reportedAt(revocation);
  const at: Readonly<Record<MarkName, string | undefined>> = {
    fenced: revocation.openedAt,
    disabled: revocation.firstDisabledAt ?? revocation.disabledAt,
    dead: revocation.firstContainedAt ?? revocation.containedAt,
    told: revocation.toldAt,
    reissued: revocation.verifiedAt,
    healthy: revocation.healthyAt,
  };
  const { disableSeconds, deadSeconds, restoreSeconds } = targets;
  const due: Readonly<Record<MarkName, number>> = {
    fenced: disableSeconds,
    disabled: disableSeconds,
    dead: deadSeconds,
    told: deadSeconds,
    reissued: restoreSeconds,
    healthy: restoreSeconds,
  };
  return stopwatchMarks.map((mark) => ({
    mark,
    at: at[mark] ?? null,
    seconds: at[mark] ? Math.max(0, (milliseconds(at[mark]) - milliseconds(from)) / 1000) : null,
    targetSeconds: due[mark],
  }));
}

/** When somebody first said that it leaked. */
function reportedAt({ openedAt, requests }: Revocation): string {
  return requests.map((request) => request.reportedAt ?? request.at).reduce((a, b) => (a < b ? a : b), openedAt);
}
