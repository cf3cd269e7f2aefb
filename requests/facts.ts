import * as z from 'zod/mini';
import { mostConsumers } from '../core/consumer.ts';
import { consumerProblems } from '../core/consumer-fit.ts';
import type { Problem } from '../core/errors.ts';
import type { KeyFacts } from '../core/key.ts';
import type { Policy } from '../core/policy.ts';
import { tierOf } from '../core/tier.ts';
import { keyId, list, name, text } from './fields.ts';

const destination = z.strictObject({
  id: name(),
  kind: name(),
  at: text(500),
  environment: name(),
});

export const consumer = z.strictObject({
  name: name(),
  owner: text(),
  contact: text(),
  refreshSeconds: z.int().check(z.minimum(1), z.maximum(31_536_000)),
  class: z.enum(['cached', 'long-running', 'batch', 'restart-only']),
  deploySeconds: z.exactOptional(z.int().check(z.minimum(1), z.maximum(31_536_000))),
  proof: z.enum(['possession', 'first-use', 'quiet']),
});

/** What the door accepts as the facts of a key: every field, and no other. The key document fills in the defaults before. */
export const keyFacts = z.strictObject({
  id: keyId(),
  owner: text(),
  team: text(),
  unit: name(),
  environment: name(),
  purpose: text(500),
  provider: name(),
  account: name(),
  params: z.record(text(100), z.unknown()),
  privileged: z.boolean(),
  exposure: z.enum(['public', 'internal', 'isolated']),
  readers: list(text(), 500),
  scopes: list(text(), 500),
  publishable: z.exactOptional(z.boolean()),
  canary: z.exactOptional(z.boolean()),
  store: name(),
  destinations: list(destination, 20).check(z.minLength(1, 'must name at least one place the value is delivered to')),
  consumers: list(consumer, mostConsumers),
  exclusive: z.boolean(),
  incident: z.strictObject({ contacts: list(text(), 50), reissue: z.enum(['automatic', 'held']) }),
  monitors: list(text(), 50),
  expiresAt: z.nullable(z.iso.datetime({ message: 'must be an instant in UTC, like 2027-01-31T00:00:00Z' })),
  overlapSeconds: z.nullable(z.int().check(z.minimum(0), z.maximum(315_360_000))),
  acceptsGap: z.exactOptional(text(500)),
  managedBy: z.exactOptional(z.enum(['secretsmanager'])),
  mode: z.enum(['live', 'observe']),
});

/**
 * What no single field can show: names used twice, a destination of another environment, a store that the policy does not
 * approve, an overlap too short for a consumer. Without a policy, what only the policy knows is left to the door.
 */
export function factsProblems(facts: KeyFacts, policy?: Policy): Problem[] {
  return [
    ...repeated(facts),
    ...environments(facts),
    ...(policy ? stores(facts, policy) : []),
    ...consumerProblems(facts, policy?.tiers[tierOf(facts, policy).tier]),
  ];
}

function repeated({ destinations, consumers }: KeyFacts): Problem[] {
  const twice = (field: string, names: readonly string[], part: string): Problem[] =>
    names.flatMap((one, index) =>
      names.indexOf(one) < index ? [{ path: `${field}.${index}.${part}`, message: `${one} is used twice` }] : [],
    );
  return [
    ...twice(
      'destinations',
      destinations.map(({ id }) => id),
      'id',
    ),
    ...twice(
      'consumers',
      consumers.map((one) => one.name),
      'name',
    ),
  ];
}

function environments({ environment, destinations }: KeyFacts): Problem[] {
  // The tier rules know production by names that begin with "prod"; another word for it would quietly get a lower tier.
  const alias: Problem[] = /^(live|prd|p)$/.test(environment)
    ? [{ path: 'environment', message: 'write "production" for production, so that its tier is right' }]
    : [];
  return [
    ...alias,
    ...destinations.flatMap((one, index) =>
      one.environment === environment
        ? []
        : [{ path: `destinations.${index}.environment`, message: `is ${one.environment}, but the key's environment is ${environment}` }],
    ),
  ];
}

function stores({ store }: KeyFacts, { approvedStores }: Policy): Problem[] {
  if (approvedStores.includes(store)) return [];
  return [{ path: 'store', message: `is not a store that the policy approves: ${approvedStores.join(', ')}` }];
}
