import * as z from 'zod/mini';
import { actions, roles } from '../core/authority.ts';
import { tiers } from '../core/key.ts';
import { confidences, reviewKinds, triggerActions, triggerSources, weekdays } from '../core/policy.ts';
import { parseDuration } from './duration.ts';
import { list, name, text } from './fields.ts';

const duration = z.pipe(
  z.string().check(z.refine((given: string) => parseDuration(given) !== undefined, 'must be a duration like P30D or PT2H')),
  z.transform((given: string) => parseDuration(given) ?? 0),
);

const instant = z.iso.datetime({ message: 'must be an instant in UTC, like 2027-01-31T00:00:00Z' });
const time = z.string().check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time like 22:00, without seconds'));

/** The only wildcard is `*`, so that no pattern can take long to match. */
const pattern = z
  .string()
  .check(z.maxLength(64), z.regex(/^[a-z0-9*][a-z0-9._*-]*$/, 'must be a name, in which * stands for any characters'));
const person = z
  .string()
  .check(z.maxLength(200), z.regex(/^[^\p{Cc}\p{Cf}\s]+$/u, 'must be a name without spaces, in which * stands for any characters'));

const match = z.strictObject({
  environment: z.exactOptional(list(pattern, 50)),
  provider: z.exactOptional(list(pattern, 50)),
  owner: z.exactOptional(list(person, 50)),
  team: z.exactOptional(list(person, 50)),
  unit: z.exactOptional(list(pattern, 50)),
  exposure: z.exactOptional(list(z.enum(['public', 'internal', 'isolated']), 3)),
  privileged: z.exactOptional(z.boolean()),
  consumersAtLeast: z.exactOptional(z.int().check(z.minimum(1), z.maximum(1000))),
  readersAtLeast: z.exactOptional(z.int().check(z.minimum(1), z.maximum(1000))),
});
const tierList = list(z.enum(tiers), 3).check(z.minLength(1, 'must name at least one tier'));
const matchWithTier = z.extend(match, { tier: z.exactOptional(tierList) });

const chain = list(z.strictObject({ who: z.enum(['owner', 'team', 'on-call']), after: duration }), 10);

const tier = z.strictObject({
  rotateEvery: duration,
  overlapMin: duration,
  overlapMax: duration,
  atOverlapMax: z.enum(['hold', 'roll-back', 'retire']),
  soak: duration,
  quiet: duration,
  tolerance: duration,
  maxLifetime: z.exactOptional(duration),
  probeEvery: z.exactOptional(duration),
  reportEvery: z.exactOptional(duration),
  drillEvery: z.exactOptional(duration),
  accessReviewEvery: z.exactOptional(duration),
  dormantAfter: z.exactOptional(duration),
  remindBefore: z.exactOptional(list(duration, 10)),
  targets: z.exactOptional(z.strictObject({ disable: duration, dead: duration, restore: duration })),
  page: z.exactOptional(chain),
});

const authority = z.strictObject({
  roles: list(z.enum([...roles, 'schedule']), 10),
  actions: list(z.enum(actions), 20),
  tiers: z._default(tierList, [...tiers]),
  needs: text(),
  approval: z.exactOptional(z.boolean()),
});

const window = z.strictObject({
  name: name(),
  when: z._default(matchWithTier, {}),
  days: z._default(list(z.enum(weekdays), 7).check(z.minLength(1, 'must name at least one day')), [...weekdays]),
  from: time,
  to: time,
  zone: z._default(text(64), 'UTC'),
});

const hold = z.strictObject({ name: name(), reason: text(500), when: z._default(matchWithTier, {}), from: instant, until: instant });

const pace = { atOnce: z.int().check(z.minimum(1), z.maximum(100_000)), perHour: z.int().check(z.minimum(1), z.maximum(1_000_000)) };

const trigger = z.strictObject({
  source: list(z.enum(triggerSources), 10).check(z.minLength(1, 'must name at least one source')),
  confidence: list(z.enum(confidences), 3).check(z.minLength(1, 'must name at least one')),
  tiers: z._default(tierList, [...tiers]),
  does: z.enum(triggerActions),
});

const answerWithin = z.strictObject(
  Object.fromEntries(reviewKinds.map((kind) => [kind, z.exactOptional(duration)])) as Record<
    (typeof reviewKinds)[number],
    z.ZodMiniExactOptional<typeof duration>
  >,
);

/**
 * The policy file. Mandatory: its version, the approved stores, the longest hold, and the tiers with their rhythm; what else is left out is
 * as shipped. There is no field that could stop a revocation: what is not here cannot be said.
 */
export const policyDocument = z.strictObject({
  apiVersion: z.literal('rekey/v1'),
  kind: z.literal('Policy'),
  version: text(50),
  stage: z.optional(name()),
  approvedStores: list(name(), 50).check(z.minLength(1, 'must name at least one store')),
  maxHold: duration,
  watch: z.exactOptional(list(duration, 10)),
  tiers: z.strictObject({ high: tier, medium: tier, low: tier }),
  tierRules: z.exactOptional(
    list(z.strictObject({ tier: z.enum(tiers), because: text(), when: z._default(match, {}) }), 100).check(
      z.minLength(1, 'must have at least one rule'),
    ),
  ),
  authority: z.exactOptional(list(authority, 100)),
  exceptions: z.exactOptional(z.strictObject({ max: duration, perOwner: z.int().check(z.minimum(0), z.maximum(1000)) })),
  windows: z.exactOptional(list(window, 50)),
  holds: z.exactOptional(list(hold, 50)),
  pace: z.exactOptional(
    z.strictObject({
      ...pace,
      revokeShare: z.number(),
      catchUp: duration,
      providers: z._default(z.record(name(), z.strictObject(pace)), {}),
    }),
  ),
  triggers: z.exactOptional(list(trigger, 100)),
  reviews: z.exactOptional(
    z.strictObject({
      policyEvery: z.exactOptional(duration),
      logEvery: z.exactOptional(duration),
      answerWithin: z.exactOptional(answerWithin),
      escalate: z.exactOptional(chain),
      reviewers: z.exactOptional(list(text(), 20)),
    }),
  ),
  onCall: z.exactOptional(text()),
});

export type PolicyDocument = z.output<typeof policyDocument>;
export type TierDocument = z.output<typeof tier>;
