import type { AuthorityRule } from './authority.ts';
import type { KeyFacts, Tier } from './key.ts';

/**
 * What the organisation decided, as the engine runs it. Read from policy.yaml (requests/policy-document.ts), which says each field in
 * words; policy/default-policy.ts is what ships. All durations in seconds. There is no field that could stop or delay a revocation.
 */
export interface Policy {
  /** The file's own name for this edition. What is recorded is the hash of the content (policy/policy-hash.ts). */
  readonly version: string;
  readonly tiers: Readonly<Record<Tier, TierPolicy>>;
  /** In their order; the first that matches a key gives its tier. The last one matches every key. */
  readonly tierRules: readonly TierRule[];
  /** Names of the stores that may hold values. */
  readonly approvedStores: readonly string[];
  /** Who may do what, by tier. */
  readonly authority: readonly AuthorityRule[];
  readonly maxHoldSeconds: number;
  /** How long after its death a revoked version is tried again, each time. */
  readonly watchSeconds: readonly number[];
  readonly exceptions: { readonly maxSeconds: number; readonly perOwner: number };
  /** Where a key matches one or more windows, its schedule starts rotations only while one of them is open. */
  readonly windows: readonly Window[];
  /** Planned holds of many keys, like a change freeze: no rotation starts, whoever asks. A revocation does not know them. */
  readonly holds: readonly PlannedHold[];
  readonly pace: Pace & {
    /** The share of a provider's rate that rotations leave to revocations, 0 to 1. */
    readonly revokeShare: number;
    readonly providers: Readonly<Record<string, Pace>>;
    /** Keys that are past their date when they are adopted are spread over this long. */
    readonly catchUpSeconds: number;
  };
  /** What a report from outside does, by source, confidence and tier; the first row that matches decides. The last row matches every report. */
  readonly triggers: readonly TriggerRule[];
  readonly reviews: ReviewPolicy;
  /** Whose pager it is when neither an owner nor a team is left. */
  readonly onCall: string;
}

export interface TierPolicy {
  readonly rotateEverySeconds: number;
  /** The most a version in use may ever be old: past it the key is rotated whatever its window says, and that it came to this is a breach. */
  readonly maxLifetimeSeconds: number;
  /** Least and most time in which previous and current both work. */
  readonly overlapMinSeconds: number;
  readonly overlapMaxSeconds: number;
  /** What happens when consumers have not proved that they moved at the end of overlapMax. */
  readonly atOverlapMax: 'hold' | 'roll-back' | 'retire';
  /** How long a disabled version is kept before it is deleted. */
  readonly soakSeconds: number;
  /** How long the old version must be unused to count as quiet. */
  readonly quietSeconds: number;
  /** How late a rotation may start before it is a finding. */
  readonly toleranceSeconds: number;
  /** How often a key at rest is looked at: its vendor's list, its destinations, its last use. Never less often than `settings.idleCheckSeconds`. */
  readonly probeEverySeconds: number;
  /** How often an owner gets the findings of these keys. */
  readonly reportEverySeconds: number;
  /** How often revoking and reissuing is tried on a canary. */
  readonly drillEverySeconds: number;
  readonly accessReviewEverySeconds: number;
  /** Unused for this long, a key's owner is asked whether it is still needed. */
  readonly dormantAfterSeconds: number;
  /** How long before a due date its owner is reminded, longest first. */
  readonly remindBeforeSeconds: readonly number[];
  /** The stopwatch of a revocation: from the request until disabled, until proven dead, until consumers work again. */
  readonly targets: { readonly disableSeconds: number; readonly deadSeconds: number; readonly restoreSeconds: number };
  /** Whom a page goes to, in order, until somebody answers. The last is on-call. */
  readonly page: readonly Escalation[];
}

/** Who is asked next when nobody answered for so long since the first was asked. */
export interface Escalation {
  readonly who: 'owner' | 'team' | 'on-call';
  readonly afterSeconds: number;
}

/** Keys by their facts. Every part that is given must hold; a list holds when one of its names does, and `*` in a name stands for any characters. */
export interface KeyMatch {
  readonly environment?: readonly string[];
  readonly provider?: readonly string[];
  readonly owner?: readonly string[];
  readonly team?: readonly string[];
  readonly unit?: readonly string[];
  readonly exposure?: readonly KeyFacts['exposure'][];
  readonly privileged?: boolean;
  readonly consumersAtLeast?: number;
  readonly readersAtLeast?: number;
}

export interface TierRule {
  readonly tier: Tier;
  readonly because: string;
  readonly when: KeyMatch;
}

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** A time of the week, in a time zone of the IANA database. `to` before `from` is on the next day; both are `HH:MM`. */
export interface Window {
  readonly name: string;
  readonly when: KeyMatch & { readonly tier?: readonly Tier[] };
  readonly days: readonly Weekday[];
  readonly from: string;
  readonly to: string;
  readonly zone: string;
}

/** From one instant to another (ISO, UTC). */
export interface PlannedHold {
  readonly name: string;
  readonly reason: string;
  readonly when: KeyMatch & { readonly tier?: readonly Tier[] };
  readonly from: string;
  readonly until: string;
}

/** How many rotations may be at work at a provider at once (one that waits for its consumers is not), and how many may start in an hour. */
export interface Pace {
  readonly atOnce: number;
  readonly perHour: number;
}

export const triggerSources = ['leak', 'suspicious-use', 'departure', 'vendor-end', 'system-change'] as const;
export type TriggerSource = (typeof triggerSources)[number];

/** `verified`: the sender proved it, or the value was recognised by its fingerprint. `reported`: a known sender says so. */
export const confidences = ['verified', 'reported', 'unverified'] as const;
export type Confidence = (typeof confidences)[number];

/**
 * `revoke`: at once, with a reissue. `contain`: at once, and the reissue waits for a person. `rotate`: due now. `case`: a review opens and
 * pages. `record`: on record, nothing else.
 */
export const triggerActions = ['revoke', 'contain', 'rotate', 'case', 'record'] as const;
export type TriggerAction = (typeof triggerActions)[number];

export interface TriggerRule {
  readonly source: readonly TriggerSource[];
  readonly confidence: readonly Confidence[];
  readonly tiers: readonly Tier[];
  readonly does: TriggerAction;
}

/** What a review is about: one word for each that exists (core/review.ts). */
export const reviewKinds = ['access', 'dormant', 'policy', 'log', 'emergency', 'trigger', 'drill', 'exception', 'departure'] as const;
export type ReviewKind = (typeof reviewKinds)[number];

export interface ReviewPolicy {
  /** How often the policy itself, and the log, are looked through. */
  readonly policyEverySeconds: number;
  readonly logEverySeconds: number;
  /** How long an answer may take. */
  readonly answerWithinSeconds: Readonly<Record<ReviewKind, number>>;
  /** Who is asked next while nobody answers; the first is whom the review is given to. */
  readonly escalate: readonly Escalation[];
  /** Who answers what has no key: reviews of the policy and of the log. */
  readonly reviewers: readonly string[];
}
