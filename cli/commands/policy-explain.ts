import { Command } from 'commander';
import type { KeyFacts } from '../../core/key.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { closedFor, openings } from '../../core/policy/calendar.ts';
import type { PolicyView } from '../../core/policy/show-policy.ts';
import type { Policy } from '../../core/policy.ts';
import type { KeyReport } from '../../core/show.ts';
import { rulesFor, tierOf } from '../../core/tier.ts';
import { formatDuration } from '../../requests/duration.ts';
import { action, examples } from '../session.ts';

/** `rekey policy explain`: what the running policy means for one key: which rule gave its tier and which others match, its times, what stands in its way. */
export function policyExplain(): Command {
  return new Command('explain')
    .description('say what the running policy means for a key: why its tier, which times, and what keeps it from rotating now')
    .argument('<key>', 'its id')
    .addHelpText('after', examples('policy explain payments/stripe', 'policy explain payments/stripe --json'))
    .action(
      action(async (session, _options, key) => {
        const keyId = checkKeyId(key ?? '');
        const [{ policy, hash }, report] = await Promise.all([
          session.door.ask<PolicyView>('policy.show', {}),
          session.door.ask<KeyReport>('key.show', { keyId }),
        ]);
        const explained = { keyId, policy: hash, ...explain(policy, report, Date.now()) };
        session.result(explained, () => text(explained));
        return 0;
      }),
    );
}

function explain(policy: Policy, { facts, tier, nextDueAt, due }: KeyReport, now: number) {
  const t = policy.tiers[tier];
  const closed = closedFor({ facts, tier }, policy, now);
  return {
    tier,
    because: tierOf(facts, policy).because,
    rules: rulesOf(facts, policy),
    times: {
      rotateEvery: formatDuration(t.rotateEverySeconds),
      maxLifetime: formatDuration(t.maxLifetimeSeconds),
      overlap: { from: formatDuration(t.overlapMinSeconds), to: formatDuration(t.overlapMaxSeconds) },
      probeEvery: formatDuration(t.probeEverySeconds),
      accessReviewEvery: formatDuration(t.accessReviewEverySeconds),
      dormantAfter: formatDuration(t.dormantAfterSeconds),
    },
    nextDueAt,
    due,
    closed:
      closed === null
        ? null
        : 'hold' in closed
          ? `the planned hold ${closed.hold.name} until ${closed.hold.until}: ${closed.hold.reason}`
          : `its windows are closed; the next opens at ${closed.windows
              .flatMap((window) => openings(window, now, 1))
              .sort((a, b) => a - b)
              .slice(0, 1)
              .map((at) => new Date(at).toISOString())}`,
    page: t.page,
    targets: t.targets,
  };
}

/** Every rule that matches, in the policy's order: the first one counts. */
const rulesOf = (facts: KeyFacts, policy: Policy) =>
  rulesFor(facts, policy).map((rule) => ({ number: policy.tierRules.indexOf(rule) + 1, tier: rule.tier, because: rule.because }));

function text({
  keyId,
  policy,
  tier,
  because,
  rules,
  times,
  nextDueAt,
  due,
  closed,
  page,
}: ReturnType<typeof explain> & { keyId: string; policy: string }): string {
  const [, ...others] = rules;
  return [
    `${keyId} is of tier ${tier}, because ${because} (rule ${rules[0]?.number} of policy ${policy.slice(0, 12)}).`,
    ...others.map((rule) => `  Rule ${rule.number} matches as well (${rule.tier}: ${rule.because}); the first one counts.`),
    `Rotates every ${times.rotateEvery}, and lives at most ${times.maxLifetime}. ${due ? `Due now: ${due}.` : `Next due at ${nextDueAt ?? 'no date: it has no version yet'}.`}`,
    closed ? `The schedule does not start it now: ${closed}.` : 'Nothing of the calendar keeps the schedule from starting it.',
    `Both versions work for at least ${times.overlap.from}, at most ${times.overlap.to}; for this key's own sum, see rekey key explain ${keyId}.`,
    `Looked at every ${times.probeEvery}; its owner is asked every ${times.accessReviewEvery} whether it is needed, and when it was not used for ${times.dormantAfter}.`,
    `Pages go to ${page.map(({ who, afterSeconds }) => `${who}${afterSeconds ? ` after ${formatDuration(afterSeconds)}` : ''}`).join(', then ')}.`,
  ].join('\n');
}
