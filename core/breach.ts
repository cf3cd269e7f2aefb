/** A rule of the policy that was broken, for as long as it is: opened and closed in the audit, and shown as a finding meanwhile. */
export interface Breach {
  readonly rule: string;
  /** What it is about where one rule can be broken more than once: a review, a due date. */
  readonly of: string;
  readonly message: string;
  readonly since: string;
}

/** Whether two are of the same rule and about the same. */
export const sameBreach = (a: Breach, b: Pick<Breach, 'rule' | 'of'>): boolean => a.rule === b.rule && a.of === b.of;

/** The breaches with one more, and the event that says so; nothing when it is open already. */
export function openBreach(breaches: readonly Breach[], breach: Breach) {
  if (breaches.some((one) => sameBreach(one, breach))) return { breaches, events: [] };
  const { rule, of, message, since } = breach;
  return { breaches: [...breaches, breach], events: [{ event: 'breach.opened', detail: { rule, of, message, since } }] };
}

/** The breaches without those that are over, and an event for each of them. */
export function closeBreaches(breaches: readonly Breach[], isOver: (breach: Breach) => boolean) {
  const over = breaches.filter(isOver);
  return {
    breaches: breaches.filter((breach) => !over.includes(breach)),
    events: over.map(({ rule, of, since }) => ({ event: 'breach.closed', detail: { rule, of, since } })),
  };
}
