import * as z from 'zod/mini';
import { scanners } from '../../core/leak-shapes.ts';
import { durationPattern } from './duration.ts';
import { fixture } from './fixture-format.ts';
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
const day = z.string().check(z.regex(/^\d{4}-\d\d-\d\d$/));

/** What a fact can be about: the operations, and what is true of the keys whatever is done with them. */
const factSubjects = [
  'create',
  'list',
  'read',
  'probe',
  'disable',
  'delete',
  'endByValue',
  'lastUsed',
  'limit',
  'expiry',
  'propagation',
  'shape',
] as const;

/** Where something that the spec says came from, how sure it is, and when somebody last looked. */
const fact = z.strictObject({
  about: z.array(z.enum(factSubjects)).check(z.minLength(1)),
  is: z.enum(['documented', 'observed', 'unverified']),
  source: z.optional(text),
  on: day,
  note: z.optional(text),
});

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
  z.strictObject({
    scheme: z.literal('oauth2ClientCredentials'),
    tokenUrl: text,
    clientId: text,
    clientSecret: text,
    scope: z.optional(text),
  }),
  z.strictObject({ scheme: z.literal('none') }),
]);

const who = z.enum(['admin', 'subject', 'none']);

const output = z.strictObject({
  pointer,
  /** Of the entry of the list at `in` that fits, where the pointer alone would mean a place in it. */
  of: z.optional(z.strictObject({ in: pointer, where: z.record(pointer, scalar) })),
  sensitive: z.optional(z.boolean()),
  digest: z.optional(z.boolean()),
  /** It may be missing: what uses it is then left out. */
  optional: z.optional(z.boolean()),
});

const step = z.strictObject({
  id: identifier,
  auth: z.optional(who),
  /** The step is made only if an earlier step was answered like this, or if the two texts are the same. */
  onlyIf: z.optional(z.union([z.strictObject({ step: identifier, answer: condition }), z.strictObject({ same: z.tuple([text, text]) })])),
  /** In a probe: a step that says nothing about the key; unless it is answered as expected, the probe is inconclusive. */
  control: z.optional(z.boolean()),
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
  outputs: z.optional(z.record(identifier, output)),
});

/** At most five steps: no vendor needs more, and each is a call within the same time limit. */
const steps = z.array(step).check(z.minLength(1), z.maxLength(5));
const timestamp = z.strictObject({ pointer, format: z.enum(['iso8601', 'epochS', 'epochMs']) });

const ending = z.strictObject({ auth: who, steps });

const size = z.int().check(z.minimum(1), z.maximum(1000));

const page = z.union([
  z.literal('none'),
  /** `while`: there is a further page only where this is true. */
  z.strictObject({ cursor: z.strictObject({ param: text, pointer, while: z.optional(pointer) }) }),
  z.strictObject({ next: z.strictObject({ pointer }) }),
  z.strictObject({ link: z.strictObject({ rel: z.literal('next') }) }),
  z.strictObject({ number: z.strictObject({ param: text, first: z.int().check(z.minimum(0), z.maximum(1)), size }) }),
  z.strictObject({ offset: z.strictObject({ param: text, size }) }),
]);

const verdicts = z.array(condition).check(z.minLength(1));
const times = z.int().check(z.minimum(1), z.maximum(20));

const parameter = z.strictObject({
  type: z.enum(['string', 'number', 'integer', 'boolean', 'array', 'object']),
  description: z.optional(text),
});

const inputs = z.strictObject({
  type: z.optional(z.literal('object')),
  required: z.optional(z.array(identifier)),
  properties: z.record(identifier, parameter),
});

/** How the vendor's keys come and go (docs/provider-guide.md). `replace` has no overlap: its keys need their owner's written acceptance. */
const patterns = ['additive', 'slots', 'grace', 'replace', 'revokeOnly'] as const;

export const specSchema = z.strictObject({
  apiVersion: z.literal('rekey/v1'),
  kind: z.literal('Provider'),
  metadata: z.strictObject({
    id: z.string().check(z.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/), z.maxLength(40)),
    title: text,
    docs: z.array(text),
    facts: z.array(fact).check(z.minLength(1)),
    /** What Rekey cannot promise with this vendor, beyond what follows from the rest of the spec. */
    cannot: z.optional(z.array(text)),
    /** Runs against this machine only; never loaded where loopback is not allowed. */
    localOnly: z.optional(z.boolean()),
    /** What leak scanners call these keys. */
    aliases: z.optional(z.partialRecord(z.enum(scanners), z.array(text))),
    secretPattern: z.optional(text),
    /** The shape is no vendor's alone, like 32 hex digits: it is a hint about a leaked string, and nothing is redacted for it. */
    commonShape: z.optional(z.boolean()),
  }),
  lifecycle: z.strictObject({
    pattern: z.enum(patterns),
    maxLive: z.int().check(z.minimum(1)),
    countsDisabled: z.boolean(),
    expiry: z.enum(['none', 'optional', 'required']),
    /** After this the vendor ends a version by itself: what create asks for. */
    lives: z.optional(isoDuration),
    /** The vendor refuses to disable the last enabled credential; the spec's disable then leaves a stand-in whose value nobody has. */
    keepsOne: z.optional(z.boolean()),
    /** Rekey makes the value itself, from `{{random}}`, and stores it before it is created. */
    supplied: z.optional(text),
    /** A value of several parts: what they are called, what stands between them, which is the credential's id, and which leak it by themselves. */
    value: z.optional(
      z.strictObject({
        parts: z.array(identifier).check(z.minLength(2), z.maxLength(4)),
        by: z.string().check(z.minLength(1), z.maxLength(4)),
        credentialId: z.optional(identifier),
        leaks: z.array(identifier).check(z.minLength(1)),
      }),
    ),
    propagation: z.strictObject({ activate: isoDuration, revoke: isoDuration }),
    /** Calls of the admin API in a second that the vendor documents; a revocation of many keys stays within it. */
    callsPerSecond: z.optional(z.number().check(z.minimum(0.01), z.maximum(10_000))),
    /** A well-formed value that was never issued; `{{random}}` is 128 random bits in hex. */
    fake: text,
  }),
  inputs: z.strictObject({ params: inputs, admin: inputs }),
  egress: z.array(text).check(z.minLength(1)),
  /** `bound`: the field of the admin credential that says where it may be sent; an override must be the same. */
  base: z.optional(z.strictObject({ default: z.optional(text), override: z.optional(text), bound: z.optional(text) })),
  auth: z.strictObject({ admin: z.optional(scheme), subject: scheme }),
  operations: z.strictObject({
    create: z.optional(
      z.strictObject({ auth: who, idempotencyKey: z.optional(identifier), steps, credentialId: text, value: z.optional(text) }),
    ),
    list: z.optional(
      z.strictObject({
        auth: who,
        steps,
        /** Whose credentials it shows: those of the key's own principal, or of everybody in the account. */
        of: z.enum(['principal', 'account']),
        items: pointer,
        /** Only entries that fit are credentials of this key's principal. */
        where: z.optional(z.record(pointer, scalar)),
        each: z.strictObject({
          credentialId: z.union([pointer, z.strictObject({ pointer, digest: z.literal(true) })]),
          label: z.optional(pointer),
          enabled: z.union([z.literal('always'), z.strictObject({ pointer, in: z.array(scalar).check(z.minLength(1)) })]),
          createdAt: z.optional(timestamp),
          /** Where the list tells values: a create whose answer was lost is found again by its value. */
          value: z.optional(pointer),
        }),
        page,
      }),
    ),
    probe: z.strictObject({
      auth: who,
      /** Fields of the admin credential that the vendor wants beside the key. */
      uses: z.optional(z.array(identifier)),
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
    /** Where the vendor shows a value again: `value`, if the one that it shows has this id. */
    read: z.optional(z.strictObject({ auth: who, steps, credentialId: text, value: text })),
    disable: z.optional(z.union([z.enum(['delete', 'none']), ending])),
    delete: z.optional(ending),
    /** Ends a credential by its value alone; the admin credential is not needed. */
    endByValue: z.optional(ending),
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
  /** Exchanges in the vendor's documented format, for people and `rekey provider test`; never used when it runs. */
  fixtures: z.optional(z.array(fixture)),
});

export type Spec = z.infer<typeof specSchema>;
export type Step = Spec['operations']['probe']['steps'][number];
export type Condition = z.infer<typeof condition>;
export type Scheme = z.infer<typeof scheme>;
export type Who = z.infer<typeof who>;
export type ListOperation = NonNullable<Spec['operations']['list']>;
