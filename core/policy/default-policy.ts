import { defaultAuthority } from '../authority.ts';
import type { Escalation, Policy, TierPolicy } from '../policy.ts';

const minute = 60;
const hour = 3600;
const day = 24 * hour;

/**
 * The policy that ships with Rekey; `policy.yaml` of an installation replaces it, and the file of that name at the root says the same with
 * reasons. Sources: NIST SP 800-57 and PCI DSS practice of 30, 90 and 180 days; the vendors' minutes for a disable; our own promises.
 */
export const defaultPolicy: Policy = {
  version: '1',
  tiers: {
    high: {
      rotateEverySeconds: 30 * day,
      maxLifetimeSeconds: 45 * day,
      ...overlap(24 * hour, 7 * day, hour),
      probeEverySeconds: hour,
      reportEverySeconds: 7 * day,
      drillEverySeconds: 30 * day,
      accessReviewEverySeconds: 90 * day,
      dormantAfterSeconds: 30 * day,
      remindBeforeSeconds: [3 * day],
      targets: { disableSeconds: minute, deadSeconds: 15 * minute, restoreSeconds: hour },
      page: chain(0, 15 * minute, hour),
    },
    medium: {
      rotateEverySeconds: 90 * day,
      maxLifetimeSeconds: 135 * day,
      ...overlap(72 * hour, 14 * day, 12 * hour),
      probeEverySeconds: 6 * hour,
      reportEverySeconds: 14 * day,
      drillEverySeconds: 90 * day,
      accessReviewEverySeconds: 180 * day,
      dormantAfterSeconds: 60 * day,
      remindBeforeSeconds: [7 * day],
      targets: { disableSeconds: minute, deadSeconds: 15 * minute, restoreSeconds: 4 * hour },
      page: chain(0, hour, 4 * hour),
    },
    low: {
      rotateEverySeconds: 180 * day,
      maxLifetimeSeconds: 270 * day,
      ...overlap(168 * hour, 14 * day, 24 * hour),
      probeEverySeconds: day,
      reportEverySeconds: 30 * day,
      drillEverySeconds: 180 * day,
      accessReviewEverySeconds: 365 * day,
      dormantAfterSeconds: 90 * day,
      remindBeforeSeconds: [7 * day],
      targets: { disableSeconds: 5 * minute, deadSeconds: 15 * minute, restoreSeconds: day },
      page: chain(0, 4 * hour, day),
    },
  },
  tierRules: [
    { tier: 'high', because: 'it is a production key', when: { environment: ['prod*'] } },
    { tier: 'high', because: 'it is privileged', when: { privileged: true } },
    { tier: 'high', because: 'it is exposed to the internet', when: { exposure: ['public'] } },
    { tier: 'low', because: 'it is isolated and not for production', when: { exposure: ['isolated'] } },
    { tier: 'medium', because: 'it is internal, with limited scope', when: {} },
  ],
  approvedStores: ['rekey'],
  authority: defaultAuthority,
  maxHoldSeconds: 14 * day,
  watchSeconds: [hour, day, 7 * day],
  exceptions: { maxSeconds: 90 * day, perOwner: 5 },
  windows: [],
  holds: [],
  pace: { atOnce: 50, perHour: 600, revokeShare: 0.2, catchUpSeconds: 14 * day, providers: {} },
  triggers: [
    { source: ['leak'], confidence: ['verified'], tiers: ['high', 'medium', 'low'], does: 'revoke' },
    { source: ['suspicious-use'], confidence: ['verified'], tiers: ['high'], does: 'contain' },
    { source: ['suspicious-use'], confidence: ['verified', 'reported'], tiers: ['high', 'medium', 'low'], does: 'rotate' },
    { source: ['vendor-end'], confidence: ['verified'], tiers: ['high', 'medium', 'low'], does: 'contain' },
    {
      source: ['departure', 'system-change'],
      confidence: ['verified', 'reported'],
      tiers: ['high', 'medium', 'low'],
      does: 'rotate',
    },
    {
      source: ['leak', 'suspicious-use', 'departure', 'vendor-end', 'system-change'],
      confidence: ['verified', 'reported', 'unverified'],
      tiers: ['high', 'medium', 'low'],
      does: 'case',
    },
  ],
  reviews: {
    policyEverySeconds: 365 * day,
    logEverySeconds: 30 * day,
    answerWithinSeconds: {
      access: 14 * day,
      dormant: 14 * day,
      policy: 30 * day,
      log: 14 * day,
      emergency: 5 * day,
      trigger: day,
      drill: 14 * day,
      exception: 7 * day,
      departure: 7 * day,
    },
    escalate: chain(0, 7 * day, 14 * day),
    reviewers: ['security'],
  },
  onCall: 'on-call',
};

function overlap(overlapMaxSeconds: number, soakSeconds: number, toleranceSeconds: number) {
  return {
    overlapMinSeconds: 2 * hour,
    overlapMaxSeconds,
    atOverlapMax: 'hold',
    soakSeconds,
    quietSeconds: day,
    toleranceSeconds,
  } as const satisfies Partial<TierPolicy>;
}

/** Owner, team and on-call, and how long after the first was asked each of them is. */
function chain(owner: number, team: number, onCall: number): Escalation[] {
  return [
    { who: 'owner', afterSeconds: owner },
    { who: 'team', afterSeconds: team },
    { who: 'on-call', afterSeconds: onCall },
  ];
}
