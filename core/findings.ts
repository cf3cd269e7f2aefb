import { activeException } from './exceptions/exception.ts';
import type { Key } from './key.ts';
import { type Check, checks } from './policy/checks.ts';
import type { Policy } from './policy.ts';

/** A line that says which rule a key breaks, since when, and whose it is. */
export interface Finding {
  readonly rule: string;
  readonly severity: Check['severity'];
  readonly message: string;
  readonly owner: string;
  readonly since: string;
}

/**
 * What is wrong with a key now: each check of the policy that it does not pass. What an exception accepts is still said, as a note, with the
 * exception's end; so nothing that is broken ever looks whole.
 */
export function findingsOf(key: Key, now: string, policy: Policy): Finding[] {
  if (key.state === 'retired') return [];
  return checks.flatMap(({ rule, severity, breaks }) => {
    const broken = breaks(key, now, policy);
    if (!broken) return [];
    const accepted = activeException(key, rule, now);
    const found = { rule, severity, message: broken.message, owner: key.facts.owner, since: broken.since ?? key.registeredAt };
    return [
      accepted
        ? { ...found, severity: 'note' as const, message: `${broken.message} (accepted until ${accepted.until}: ${accepted.reason})` }
        : found,
    ];
  });
}
