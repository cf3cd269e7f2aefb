import { stringify } from 'yaml';
import * as z from 'zod/mini';
import { type Problem, Refused } from '../core/errors.ts';
import { type Tier, tiers } from '../core/key.ts';
import { checkPolicy, type Policy, type TierPolicy } from '../core/policy.ts';
import type { Settings } from '../core/settings.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { list, name, text } from './fields.ts';
import { problemsOf } from './problems.ts';
import { readYaml } from './yaml-text.ts';

const duration = z.pipe(
  z.string().check(z.refine((given: string) => parseDuration(given) !== undefined, 'must be a duration like P30D or PT2H')),
  z.transform((given: string) => parseDuration(given) ?? 0),
);

const tier = z.strictObject({
  rotateEvery: duration,
  overlapMin: duration,
  overlapMax: duration,
  atOverlapMax: z.enum(['hold', 'roll-back']),
  soak: duration,
  quiet: duration,
  tolerance: duration,
});

/** No hold outlasts this, whatever the policy says. */
const longestHoldSeconds = 14 * 86_400;

/** There is no field that could stop a revocation: what is not here cannot be said. */
const policyDocument = z.strictObject({
  apiVersion: z.literal('rekey/v1'),
  kind: z.literal('Policy'),
  version: text(50),
  stage: z.optional(name()),
  approvedStores: list(name(), 50).check(z.minLength(1, 'must name at least one store')),
  maxHold: duration,
  tiers: z.strictObject({ high: tier, medium: tier, low: tier }),
});

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
  const { stage, version, approvedStores, maxHold, tiers: given } = parsed.data;
  if (stage !== undefined && stage !== settings.stage) {
    throw refuse([{ path: 'stage', message: `this policy is for ${stage}, and this is ${settings.stage}` }]);
  }
  if (maxHold < 1 || maxHold > longestHoldSeconds)
    throw refuse([{ path: 'maxHold', message: 'must be more than nothing and at most P14D' }]);
  const policy = {
    version,
    approvedStores,
    maxHoldSeconds: maxHold,
    tiers: { high: tierOf(given.high), medium: tierOf(given.medium), low: tierOf(given.low) },
  };
  try {
    return checkPolicy(policy, settings);
  } catch (error) {
    throw error instanceof Refused ? refuse(error.problems) : error;
  }
}

/** The file that `readPolicy` reads back to the same policy. */
export function writePolicy(policy: Policy): string {
  const written = (one: TierPolicy) => ({
    rotateEvery: formatDuration(one.rotateEverySeconds),
    overlapMin: formatDuration(one.overlapMinSeconds),
    overlapMax: formatDuration(one.overlapMaxSeconds),
    atOverlapMax: one.atOverlapMax,
    soak: formatDuration(one.soakSeconds),
    quiet: formatDuration(one.quietSeconds),
    tolerance: formatDuration(one.toleranceSeconds),
  });
  const byTier = Object.fromEntries(tiers.map((of: Tier) => [of, written(policy.tiers[of])]));
  const { version, approvedStores, maxHoldSeconds } = policy;
  return stringify({
    apiVersion: 'rekey/v1',
    kind: 'Policy',
    version,
    approvedStores,
    maxHold: formatDuration(maxHoldSeconds),
    tiers: byTier,
  });
}

function tierOf(given: z.output<typeof tier>): TierPolicy {
  return {
    rotateEverySeconds: given.rotateEvery,
    overlapMinSeconds: given.overlapMin,
    overlapMaxSeconds: given.overlapMax,
    atOverlapMax: given.atOverlapMax,
    soakSeconds: given.soak,
    quietSeconds: given.quiet,
    toleranceSeconds: given.tolerance,
  };
}
