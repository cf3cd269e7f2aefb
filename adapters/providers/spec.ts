import * as z from 'zod/mini';
import { durationPattern } from './duration.ts';
import { pointerPattern } from './pointer.ts';

/**
 * The declarative provider spec: what a YAML file under specs/ may say (docs/provider-guide.md). Strict everywhere:
 * an unknown field is refused. What fields mean together is checked in check-spec.ts.
 */
const text = z.string().check(z.minLength(1), z.maxLength(2000));
const identifier = z.string().check(z.regex(/^[A-Za-z][\w-]{0,63}$/));
const pointer = z.string().check(z.regex(pointerPattern));
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const statuses = z.array(z.int().check(z.minimum(100), z.maximum(599))).check(z.minLength(1));
const isoDuration = z.string().check(z.regex(durationPattern));
const texts = z.record(z.string(), text);

/** Facts about an answer that must all hold. Values may be templates. */
const condition = z.strictObject({
  status: z.optional(statuses),
  equals: z.optional(z.record(pointer, scalar)),
  in: z.optional(z.record(pointer, z.array(scalar).check(z.minLength(1)))),
  present: z.optional(z.array(pointer)),
  absent: z.optional(z.array(pointer)),
  bodyContains: z.optional(text),
});

const scheme = z.discriminatedUnion('scheme', [
  z.strictObject({ scheme: z.literal('bearer'), token: text }),
  z.strictObject({ scheme: z.literal('header'), headers: texts }),
  z.strictObject({ scheme: z.literal('basic'), username: z.string(), password: z.string() }),
  z.strictObject({ scheme: z.literal('query'), query: texts }),
  z.strictObject({ scheme: z.literal('none') }),
]);

const who = z.enum(['admin', 'subject', 'none']);

const step = z.strictObject({
  id: identifier,
  auth: z.optional(who),
  request: z.strictObject({
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    url: text,
    headers: z.optional(texts),
    query: z.optional(texts),
    json: z.optional(z.json()),
    form: z.optional(texts),
  }),
  expect: z.optional(
    z.strictObject({
      status: statuses,
      equals: z.optional(z.record(pointer, scalar)),
      present: z.optional(z.array(pointer)),
      absent: z.optional(z.array(pointer)),
      treatAsDone: z.optional(statuses),
    }),
  ),
  outputs: z.optional(z.record(identifier, z.strictObject({ pointer, sensitive: z.optional(z.boolean()) }))),
});

/** At most five steps: no vendor needs more, and each is a call within the same time limit. */
const steps = z.array(step).check(z.minLength(1), z.maxLength(5));
const timestamp = z.strictObject({ pointer, format: z.enum(['iso8601', 'epochS', 'epochMs']) });

const ending = z.strictObject({ auth: who, steps });

const page = z.union([
  z.literal('none'),
  z.strictObject({ cursor: z.strictObject({ param: text, pointer }) }),
  z.strictObject({ next: z.strictObject({ pointer }) }),
  z.strictObject({ offset: z.strictObject({ param: text, size: z.int().check(z.minimum(1), z.maximum(1000)) }) }),
]);

const verdicts = z.array(condition).check(z.minLength(1));
const times = z.int().check(z.minimum(1), z.maximum(20));

const parameter = z.strictObject({
  type: z.enum(['string', 'number', 'integer', 'boolean', 'array']),
  description: z.optional(text),
});

const inputs = z.strictObject({
  type: z.optional(z.literal('object')),
  required: z.optional(z.array(identifier)),
  properties: z.record(identifier, parameter),
});

export const specSchema = z.strictObject({
  apiVersion: z.literal('rekey/v1'),
  kind: z.literal('Provider'),
  metadata: z.strictObject({
    id: z.string().check(z.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/), z.maxLength(40)),
    title: text,
    docs: z.array(text),
    evidence: z.enum(['documented', 'observed', 'unverified']),
    checkedOn: z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/)),
    /** Runs against this machine only; never loaded where loopback is not allowed. */
    localOnly: z.optional(z.boolean()),
    aliases: z.optional(z.record(identifier, z.array(text))),
    secretPattern: z.optional(text),
  }),
  lifecycle: z.strictObject({
    pattern: z.enum(['additive', 'slots']),
    maxLive: z.int().check(z.minimum(2)),
    countsDisabled: z.boolean(),
    expiry: z.enum(['none', 'optional', 'required']),
    propagation: z.strictObject({ activate: isoDuration, revoke: isoDuration }),
    /** A well-formed value that was never issued; `{{random}}` is 128 random bits in hex. */
    fake: text,
  }),
  inputs: z.strictObject({ params: inputs, admin: inputs }),
  egress: z.array(text).check(z.minLength(1)),
  base: z.optional(z.strictObject({ default: text, override: z.optional(text) })),
  auth: z.strictObject({ admin: scheme, subject: scheme }),
  operations: z.strictObject({
    create: z.strictObject({ auth: who, idempotencyKey: z.optional(identifier), steps, credentialId: text, value: text }),
    list: z.strictObject({
      auth: who,
      steps,
      items: pointer,
      each: z.strictObject({
        credentialId: pointer,
        label: z.optional(pointer),
        enabled: z.union([z.literal('always'), z.strictObject({ pointer, in: z.array(scalar).check(z.minLength(1)) })]),
        createdAt: z.optional(timestamp),
      }),
      page,
    }),
    probe: z.strictObject({
      auth: who,
      steps,
      identity: z.optional(z.strictObject({ pointer, equals: z.optional(scalar) })),
      verdict: z.strictObject({ alive: verdicts, denied: verdicts }),
      require: z.strictObject({
        alive: times,
        denied: times,
        every: z.optional(isoDuration),
        everySeconds: z.optional(z.number().check(z.minimum(0), z.maximum(3600))),
      }),
    }),
    disable: z.optional(z.union([z.enum(['delete', 'none']), ending])),
    delete: z.optional(ending),
    lastUsed: z.optional(
      z.strictObject({
        auth: who,
        steps,
        at: timestamp,
        empty: z.enum(['never', 'unknown']),
        accuracySeconds: z.number().check(z.minimum(0)),
      }),
    ),
  }),
  errors: z.optional(
    z.array(
      z.strictObject({
        when: condition,
        class: z.enum(['quota', 'throttled', 'transient', 'adminDenied', 'permanent']),
        retryAfter: z.optional(z.strictObject({ header: identifier })),
      }),
    ),
  ),
  /** Examples of answers for people who read or test the spec; never used when it runs. */
  fixtures: z.optional(z.array(z.json())),
});

export type Spec = z.infer<typeof specSchema>;
export type Step = Spec['operations']['create']['steps'][number];
export type Condition = z.infer<typeof condition>;
export type Scheme = z.infer<typeof scheme>;
export type Who = z.infer<typeof who>;
export type ListOperation = Spec['operations']['list'];
