import { type AuthorityRule, may, roles, whoCan } from '../authority.ts';
import { type Problem, Refused } from '../errors.ts';
import { type Tier, tiers } from '../key.ts';
import { confidences, type Escalation, type KeyMatch, type Policy, type TierPolicy, triggerSources, type Window } from '../policy.ts';
import { inflightSeconds, type Settings } from '../settings.ts';
import { wallClock } from './calendar.ts';

type Must = (path: string, holds: boolean, message: string) => void;

const day = 86_400;
const longestSeconds = 3650 * day;
/** No planned hold outlasts a quarter: longer than that is a policy, and belongs into one. */
const longestHoldSeconds = 92 * day;

/** Throws Refused E_INPUT_INVALID naming everything in which the policy contradicts itself or the settings (protocol.md §5, threats.md rows 37–43). */
export function checkPolicy(policy: Policy, settings: Settings): Policy {
  const problems: Problem[] = [];
  const must: Must = (path, holds, message) => {
    if (!holds) problems.push({ path, message });
  };
  for (const name of tiers) tierHolds(must, `tiers.${name}`, policy.tiers[name], settings);
  const risky = policy.tiers.high.atOverlapMax;
  must(
    'tiers.high.atOverlapMax',
    risky !== 'retire',
    'must be hold or roll-back: of the highest tier nothing dies without its consumers’ proof',
  );
  ordered(must, policy);
  tierRulesHold(must, policy);
  authorityHolds(must, policy.authority);
  for (const [i, window] of policy.windows.entries()) windowHolds(must, `windows.${i}`, window, settings);
  for (const [i, { from, until }] of policy.holds.entries()) {
    must(`holds.${i}.until`, from < until, 'must be after "from"');
    must(`holds.${i}.until`, Date.parse(until) - Date.parse(from) <= longestHoldSeconds * 1000, 'must be at most 92 days after "from"');
  }
  uniqueNames(must, 'windows', policy.windows);
  uniqueNames(must, 'holds', policy.holds);
  paceHolds(must, policy);
  const longer = policy.watchSeconds.every((seconds, i) => seconds > (policy.watchSeconds[i - 1] ?? 0));
  must('watch', longer, 'must be lengths of time, each longer than the one before');
  const { maxSeconds, perOwner } = policy.exceptions;
  must('exceptions.max', maxSeconds > 0 && maxSeconds <= 366 * day, 'must be more than nothing and at most a year');
  must('exceptions.perOwner', Number.isInteger(perOwner) && perOwner >= 0, 'must be a whole number');
  triggersHold(must, policy);
  reviewsHold(must, policy);
  if (problems.length) throw new Refused('E_INPUT_INVALID', 'the policy contradicts itself', problems);
  return policy;
}

function tierHolds(must: Must, at: string, t: TierPolicy, settings: Settings): void {
  must(
    `${at}.rotateEvery`,
    t.rotateEverySeconds > 0 && t.rotateEverySeconds <= longestSeconds,
    'must be more than nothing and at most 3650 days',
  );
  must(`${at}.quiet`, t.quietSeconds > 0, 'must be more than nothing: a version that is in use is not quiet');
  must(`${at}.overlapMin`, t.overlapMinSeconds >= 0 && t.overlapMinSeconds <= t.overlapMaxSeconds, 'must be at most overlapMax');
  must(
    `${at}.rotateEvery`,
    t.rotateEverySeconds > t.overlapMaxSeconds + t.soakSeconds + 2 * inflightSeconds(settings),
    'must be more than overlapMax + soak + 2 × the in-flight bound',
  );
  must(
    `${at}.maxLifetime`,
    t.maxLifetimeSeconds >= t.rotateEverySeconds + t.toleranceSeconds && t.maxLifetimeSeconds <= 2 * longestSeconds,
    'must be at least rotateEvery + tolerance: otherwise every rotation that is on time is too late',
  );
  const periods = {
    probeEvery: t.probeEverySeconds,
    reportEvery: t.reportEverySeconds,
    drillEvery: t.drillEverySeconds,
    accessReviewEvery: t.accessReviewEverySeconds,
    dormantAfter: t.dormantAfterSeconds,
  };
  for (const [field, seconds] of Object.entries(periods))
    must(`${at}.${field}`, seconds > 0 && seconds <= longestSeconds, 'must be more than nothing and at most 3650 days');
  for (const seconds of t.remindBeforeSeconds)
    must(`${at}.remindBefore`, seconds > 0 && seconds < t.rotateEverySeconds, 'must each be more than nothing and less than rotateEvery');
  must(`${at}.remindBefore`, isFalling(t.remindBeforeSeconds), 'must name the longest first, and none twice');
  const { disableSeconds, deadSeconds, restoreSeconds } = t.targets;
  must(`${at}.targets.disable`, disableSeconds > 0, 'must be more than nothing');
  must(`${at}.targets.dead`, deadSeconds >= disableSeconds, 'must be at least "disable": a key dies after it was disabled');
  must(`${at}.targets.restore`, restoreSeconds >= deadSeconds, 'must be at least "dead": nothing is reissued before');
  chainHolds(must, `${at}.page`, t.page);
}

/** More risk is rotated and watched at least as often (POL-T4). */
function ordered(must: Must, { tiers: { high, medium, low } }: Policy): void {
  const fields = { rotateEvery: 'rotateEverySeconds', probeEvery: 'probeEverySeconds', reportEvery: 'reportEverySeconds' } as const;
  for (const [field, name] of Object.entries(fields) as [keyof typeof fields, (typeof fields)[keyof typeof fields]][]) {
    must(`tiers.medium.${field}`, high[name] <= medium[name], 'must be at least that of tier high, which has more risk');
    must(`tiers.low.${field}`, medium[name] <= low[name], 'must be at least that of tier medium, which has more risk');
  }
}

function tierRulesHold(must: Must, { tierRules }: Policy): void {
  const last = tierRules.length - 1;
  must('tierRules', last >= 0 && isEmpty(tierRules[last]?.when), 'must end in a rule without "when", so that every key has a tier');
  for (const [i, { tier, when }] of tierRules.entries()) {
    // POL-T5: less care only where the environment is isolated.
    const isolated = when.exposure?.every((exposure) => exposure === 'isolated') ?? false;
    must(`tierRules.${i}.when`, tier !== 'low' || isolated, 'must ask for exposure: [isolated], because the rule gives tier low');
    must(`tierRules.${i}.when`, i === last || !isEmpty(when), 'must not be empty: the rules behind this one would never be reached');
  }
}

function authorityHolds(must: Must, rules: readonly AuthorityRule[]): void {
  for (const tier of tiers) {
    must('authority', whoCan(rules, 'revoke', tier).length > 0, `must let somebody revoke keys of tier ${tier}`);
    must(
      'authority',
      whoCan(rules, 'rotate', tier).some(({ role }) => role === 'schedule'),
      `must let schedule rotate keys of tier ${tier}`,
    );
  }
  for (const role of roles) {
    const held = (['create', 'approve', 'revoke'] as const).filter((action) => may(rules, role, action));
    must('authority', held.length <= 1, `must keep create, approve and revoke apart; ${role} has ${held.join(' and ')}`);
  }
  for (const [i, { roles: who, actions, approval }] of rules.entries()) {
    must(
      `authority.${i}.approval`,
      !approval || actions.every((one) => one === 'plan'),
      'is for the action plan alone: an emergency waits for nobody',
    );

    const only = (role: string, action: string) => !who.some((one) => one === role) || actions.every((one) => one === action);
    must(`authority.${i}`, only('auditor', 'read'), 'must let the auditor read, and do nothing else');
    must(`authority.${i}`, only('consumer', 'prove'), 'must let a consumer prove, and do nothing else');
    must(`authority.${i}`, only('schedule', 'rotate'), 'must let schedule rotate, and do nothing else');
  }
}

function windowHolds(must: Must, at: string, window: Window, settings: Settings): void {
  must(`${at}.zone`, isZone(window.zone), 'is no time zone of the IANA database, like UTC or Asia/Jakarta');
  must(`${at}.to`, window.from !== window.to, 'must not be "from": leave the window out where every time is good');
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)];
  const lengthSeconds = ((to - from + 1440) % 1440) * 60;
  const slowest = Math.max(...(window.when.tier ?? tiers).map((tier: Tier) => settings.sweepSeconds[tier]));
  must(`${at}.to`, lengthSeconds >= slowest, `must be at least ${slowest} s after "from": that long is between two looks at its keys`);
}

function paceHolds(must: Must, { pace }: Policy): void {
  const all = { pace, ...Object.fromEntries(Object.entries(pace.providers).map(([name, one]) => [`pace.providers.${name}`, one])) };
  for (const [at, { atOnce, perHour }] of Object.entries(all)) {
    must(`${at}.atOnce`, Number.isInteger(atOnce) && atOnce >= 1, 'must be at least 1');
    must(`${at}.perHour`, perHour * (1 - pace.revokeShare) >= 1, 'must leave at least one rotation in an hour beside revokeShare');
  }
  must('pace.catchUp', pace.catchUpSeconds > 0 && pace.catchUpSeconds <= 366 * day, 'must be more than nothing and at most a year');
  must('pace.revokeShare', pace.revokeShare > 0 && pace.revokeShare < 1, 'must be more than 0 and less than 1');
}

/** An unproven report never ends a key, and neither does a departure (design: they open a case). */
function triggersHold(must: Must, { triggers }: Policy): void {
  for (const [i, { source, confidence, does }] of triggers.entries()) {
    const ends = does === 'revoke' || does === 'contain';
    must(`triggers.${i}.does`, !(ends && confidence.includes('unverified')), 'must not end a key on a report that nobody verified');
    must(
      `triggers.${i}.does`,
      !(ends && source.includes('departure')),
      'must not end a key because somebody left: rotate it, or open a case',
    );
  }
  const reaches = triggerSources.flatMap((source) =>
    confidences.flatMap((confidence) =>
      tiers.filter(
        (tier) => !triggers.some((row) => row.source.includes(source) && row.confidence.includes(confidence) && row.tiers.includes(tier)),
      ),
    ),
  );
  must('triggers', reaches.length === 0, 'must end in a row for every source, confidence and tier');
}

function reviewsHold(must: Must, { reviews }: Policy): void {
  const { policyEverySeconds, logEverySeconds, answerWithinSeconds } = reviews;
  must('reviews.policyEvery', policyEverySeconds > 0 && policyEverySeconds <= 366 * day, 'must be at most a year');
  must('reviews.logEvery', logEverySeconds > 0 && logEverySeconds <= 366 * day, 'must be at most a year');
  for (const [kind, seconds] of Object.entries(answerWithinSeconds))
    must(`reviews.answerWithin.${kind}`, seconds > 0 && seconds <= 366 * day, 'must be more than nothing and at most a year');
  must('reviews.reviewers', reviews.reviewers.length > 0, 'must name somebody');
  chainHolds(must, 'reviews.escalate', reviews.escalate);
}

/** Somebody is asked at once, each next one later, and nobody's absence is the end: the last is on-call. */
function chainHolds(must: Must, at: string, chain: readonly Escalation[]): void {
  must(at, chain[0]?.afterSeconds === 0, 'must begin with somebody who is asked at once (after: PT0S)');
  must(at, chain.at(-1)?.who === 'on-call', 'must end with on-call');
  must(at, isFalling(chain.map(({ afterSeconds }) => -afterSeconds)), 'must ask each next one later than the one before');
}

function uniqueNames(must: Must, at: string, named: readonly { readonly name: string }[]): void {
  const names = named.map(({ name }) => name);
  for (const [i, name] of names.entries()) must(`${at}.${i}.name`, names.indexOf(name) === i, `${name} is used twice`);
}

const isFalling = (numbers: readonly number[]): boolean => numbers.every((one, i) => i === 0 || one < (numbers[i - 1] as number));

const isEmpty = (when: KeyMatch | undefined): boolean => when !== undefined && Object.keys(when).length === 0;

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

function isZone(zone: string): boolean {
  try {
    return Boolean(wallClock(0, zone));
  } catch {
    return false;
  }
}
