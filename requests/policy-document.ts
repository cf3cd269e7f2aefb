import { stringify } from 'yaml';
import { type Problem, Refused } from '../core/errors.ts';
import { type Tier, tiers } from '../core/key.ts';
import { checkPolicy } from '../core/policy/check-policy.ts';
import { defaultPolicy } from '../core/policy/default-policy.ts';
import type { Escalation, Policy, TierPolicy } from '../core/policy.ts';
import type { Settings } from '../core/settings.ts';
import { formatDuration } from './duration.ts';
import { type PolicyDocument, policyDocument, type TierDocument } from './policy-schema.ts';
import { problemsOf } from './problems.ts';
import { readYaml } from './yaml-text.ts';

/** No hold outlasts this, whatever the policy says. */
const longestHoldSeconds = 14 * 86_400;

/**
 * The policy that a YAML file says, checked against the settings it will run with. Throws Refused E_INPUT_INVALID with line and column of
 * every unknown field, wrong value and contradiction, and of a `stage` that is not the settings' own; what `readYaml` throws besides. It
 * changes nothing, so whoever loads a new file keeps the last good policy when this throws.
 */
export function readPolicy(yaml: string, file: string, settings: Settings): Policy {
  const [document, second] = readYaml(yaml, file);
  if (!document || second) throw new Refused('E_INPUT_INVALID', `${file} must hold exactly one policy`);
  const refuse = (problems: readonly Problem[]) =>
    new Refused(
      'E_INPUT_INVALID',
      `${file} is not a policy that can be used`,
      problems.map(({ path, message }) => ({ path: `${file}, ${document.where(path.split('.'))}${path && `: ${path}`}`, message })),
    );
  const parsed = policyDocument.safeParse(document.content);
  if (!parsed.success) throw refuse(problemsOf(parsed.error.issues, document.content));
  const { stage, maxHold } = parsed.data;
  if (stage !== undefined && stage !== settings.stage) {
    throw refuse([{ path: 'stage', message: `this policy is for ${stage}, and this is ${settings.stage}` }]);
  }
  if (maxHold < 1 || maxHold > longestHoldSeconds)
    throw refuse([{ path: 'maxHold', message: 'must be more than nothing and at most P14D' }]);
  try {
    return checkPolicy(policyOf(parsed.data), settings);
  } catch (error) {
    throw error instanceof Refused ? refuse(error.problems) : error;
  }
}

/** The file that `readPolicy` reads back to the same policy. */
export function writePolicy(policy: Policy): string {
  const {
    version,
    approvedStores,
    maxHoldSeconds,
    watchSeconds,
    tierRules,
    authority,
    exceptions,
    windows,
    holds,
    pace,
    triggers,
    reviews,
    onCall,
  } = policy;
  return stringify({
    apiVersion: 'rekey/v1',
    kind: 'Policy',
    version,
    approvedStores,
    maxHold: formatDuration(maxHoldSeconds),
    watch: watchSeconds.map(formatDuration),
    tiers: Object.fromEntries(tiers.map((of: Tier) => [of, tierDocument(policy.tiers[of])])),
    tierRules,
    authority,
    exceptions: { max: formatDuration(exceptions.maxSeconds), perOwner: exceptions.perOwner },
    windows,
    holds,
    pace: {
      atOnce: pace.atOnce,
      perHour: pace.perHour,
      revokeShare: pace.revokeShare,
      catchUp: formatDuration(pace.catchUpSeconds),
      providers: pace.providers,
    },
    triggers,
    reviews: {
      policyEvery: formatDuration(reviews.policyEverySeconds),
      logEvery: formatDuration(reviews.logEverySeconds),
      answerWithin: Object.fromEntries(
        Object.entries(reviews.answerWithinSeconds).map(([kind, seconds]) => [kind, formatDuration(seconds)]),
      ),
      escalate: chainDocument(reviews.escalate),
      reviewers: reviews.reviewers,
    },
    onCall,
  });
}

function policyOf(given: PolicyDocument): Policy {
  const shipped = defaultPolicy;
  const { exceptions, pace, reviews = {} } = given;
  return {
    version: given.version,
    approvedStores: given.approvedStores,
    maxHoldSeconds: given.maxHold,
    watchSeconds: given.watch ?? shipped.watchSeconds,
    tiers: {
      high: tierPolicy(given.tiers.high, shipped.tiers.high),
      medium: tierPolicy(given.tiers.medium, shipped.tiers.medium),
      low: tierPolicy(given.tiers.low, shipped.tiers.low),
    },
    tierRules: given.tierRules ?? shipped.tierRules,
    authority: given.authority ?? shipped.authority,
    exceptions: exceptions ? { maxSeconds: exceptions.max, perOwner: exceptions.perOwner } : shipped.exceptions,
    windows: given.windows ?? shipped.windows,
    holds: (given.holds ?? shipped.holds).map((hold) => ({ ...hold, from: utc(hold.from), until: utc(hold.until) })),
    pace: pace ? withoutCatchUp(pace) : shipped.pace,
    triggers: given.triggers ?? shipped.triggers,
    reviews: {
      policyEverySeconds: reviews.policyEvery ?? shipped.reviews.policyEverySeconds,
      logEverySeconds: reviews.logEvery ?? shipped.reviews.logEverySeconds,
      answerWithinSeconds: { ...shipped.reviews.answerWithinSeconds, ...reviews.answerWithin },
      escalate: reviews.escalate ? chainOf(reviews.escalate) : shipped.reviews.escalate,
      reviewers: reviews.reviewers ?? shipped.reviews.reviewers,
    },
    onCall: given.onCall ?? shipped.onCall,
  };
}

function withoutCatchUp({ catchUp, ...pace }: NonNullable<PolicyDocument['pace']>): Policy['pace'] {
  return { ...pace, catchUpSeconds: catchUp };
}

/** Half as long again as its period, unless the file says how long a version may live. */
const lifetimeOf = (rotateEverySeconds: number, shipped: TierPolicy): number =>
  Math.ceil((rotateEverySeconds * shipped.maxLifetimeSeconds) / shipped.rotateEverySeconds);

function tierPolicy(given: TierDocument, shipped: TierPolicy): TierPolicy {
  return {
    rotateEverySeconds: given.rotateEvery,
    maxLifetimeSeconds: given.maxLifetime ?? Math.max(lifetimeOf(given.rotateEvery, shipped), given.rotateEvery + given.tolerance),
    overlapMinSeconds: given.overlapMin,
    overlapMaxSeconds: given.overlapMax,
    atOverlapMax: given.atOverlapMax,
    soakSeconds: given.soak,
    quietSeconds: given.quiet,
    toleranceSeconds: given.tolerance,
    probeEverySeconds: given.probeEvery ?? shipped.probeEverySeconds,
    reportEverySeconds: given.reportEvery ?? shipped.reportEverySeconds,
    drillEverySeconds: given.drillEvery ?? shipped.drillEverySeconds,
    accessReviewEverySeconds: given.accessReviewEvery ?? shipped.accessReviewEverySeconds,
    dormantAfterSeconds: given.dormantAfter ?? shipped.dormantAfterSeconds,
    remindBeforeSeconds: given.remindBefore ?? shipped.remindBeforeSeconds.filter((seconds) => seconds < given.rotateEvery),
    targets: given.targets
      ? { disableSeconds: given.targets.disable, deadSeconds: given.targets.dead, restoreSeconds: given.targets.restore }
      : shipped.targets,
    page: given.page ? chainOf(given.page) : shipped.page,
  };
}

function tierDocument(one: TierPolicy) {
  return {
    rotateEvery: formatDuration(one.rotateEverySeconds),
    maxLifetime: formatDuration(one.maxLifetimeSeconds),
    overlapMin: formatDuration(one.overlapMinSeconds),
    overlapMax: formatDuration(one.overlapMaxSeconds),
    atOverlapMax: one.atOverlapMax,
    soak: formatDuration(one.soakSeconds),
    quiet: formatDuration(one.quietSeconds),
    tolerance: formatDuration(one.toleranceSeconds),
    probeEvery: formatDuration(one.probeEverySeconds),
    reportEvery: formatDuration(one.reportEverySeconds),
    drillEvery: formatDuration(one.drillEverySeconds),
    accessReviewEvery: formatDuration(one.accessReviewEverySeconds),
    dormantAfter: formatDuration(one.dormantAfterSeconds),
    remindBefore: one.remindBeforeSeconds.map(formatDuration),
    targets: {
      disable: formatDuration(one.targets.disableSeconds),
      dead: formatDuration(one.targets.deadSeconds),
      restore: formatDuration(one.targets.restoreSeconds),
    },
    page: chainDocument(one.page),
  };
}

const chainOf = (given: readonly { readonly who: Escalation['who']; readonly after: number }[]): Escalation[] =>
  given.map(({ who, after }) => ({ who, afterSeconds: after }));

const chainDocument = (chain: readonly Escalation[]) =>
  chain.map(({ who, afterSeconds }) => ({ who, after: formatDuration(afterSeconds) }));

/** Instants compare as texts only when all are written the same way. */
const utc = (given: string): string => new Date(given).toISOString();
