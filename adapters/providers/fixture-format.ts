import * as z from 'zod/mini';

const text = z.string().check(z.minLength(1), z.maxLength(2000));
const texts = z.record(z.string(), text);

/** One request as the vendor documents it, and the vendor's documented answer. Headers and bodies are compared whole, the automatic ones left out. */
const exchange = z.strictObject({
  request: z.strictObject({
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    url: text,
    headers: z.optional(texts),
    json: z.optional(z.json()),
    form: z.optional(texts),
  }),
  response: z.strictObject({
    status: z.int(),
    headers: z.optional(texts),
    json: z.optional(z.json()),
    text: z.optional(z.string()),
  }),
});

/** The operations that a fixture can run. */
const fixtureOperations = ['create', 'list', 'probe', 'disable', 'delete', 'endByValue', 'lastUsed'] as const;

/**
 * An executable example of a spec: one operation with what it is given, the exchanges it must make, and what must come of it. `result` holds
 * fields of the result, or `error` with the name of the error.
 */
export const fixture = z.strictObject({
  name: text,
  operation: z.enum(fixtureOperations),
  given: z.strictObject({
    params: z.optional(z.record(z.string(), z.json())),
    admin: z.optional(texts),
    label: z.optional(text),
    credentialId: z.optional(text),
    secret: z.optional(text),
    now: z.optional(text),
    overlapUntil: z.optional(text),
  }),
  exchanges: z.array(exchange).check(z.minLength(1)),
  result: z.record(z.string(), z.json()),
});

export type Fixture = z.infer<typeof fixture>;
