import * as z from 'zod/mini';
import { advanceBulk } from '../core/bulk/advance.ts';
import { beginBulk } from '../core/bulk/begin.ts';
import type { BulkSelector } from '../core/bulk/bulk.ts';
import { getBulk, listBulks } from '../core/bulk/bulk.ts';
import { bulkProofs } from '../core/bulk/proofs.ts';
import { findMany, previewBulk } from '../core/bulk/select.ts';
import { leakSources } from '../core/leak-sources.ts';
import { keyId, name, text } from './fields.ts';
import { type Request, reason, request, requestId } from './request.ts';

const instant = z.iso.datetime({ message: 'must be an instant in UTC, like 2027-01-31T00:00:00Z' });
const bulkId = z.string().check(z.regex(/^[0-9a-f-]{13}$/, 'must be the id of a bulk revocation'));
const scope = z.union([z.literal('all'), z.array(z.int().check(z.minimum(1))).check(z.minLength(1), z.maxLength(100))]);
const selector = z
  .strictObject({
    owner: z.exactOptional(text()),
    provider: z.exactOptional(name()),
    service: z.exactOptional(name()),
    issuedBefore: z.exactOptional(instant),
    leaked: z.exactOptional(z.array(z.strictObject({ keyId: keyId(), scope })).check(z.minLength(1), z.maxLength(2000))),
  })
  .check(z.refine((given) => Object.keys(given).length > 0, 'must say whose keys'));

/** The longest that one request goes on with a bulk revocation: within what the API waits. */
const mostSeconds = 20;

/** What responders ask for about many keys at once: rows of THE TABLE in requests.ts. */
export const bulk: Readonly<Record<string, Request>> = {
  'bulk.find': request(
    'revoke',
    z.strictObject({ leaked: z.array(z.string().check(z.minLength(1), z.maxLength(65_536))).check(z.minLength(1), z.maxLength(500)) }),
    (ports, input) => findMany(ports, input.leaked),
    'intake',
  ),
  'bulk.preview': request('revoke', z.strictObject({ selector }), (ports, input) => previewBulk(ports, utc(input.selector)), 'intake'),
  'bulk.begin': request(
    'revoke',
    z.strictObject({
      selector,
      count: z.int().check(z.minimum(1)),
      reason,
      source: z.exactOptional(z.enum(leakSources)),
      requestId: z.exactOptional(requestId),
      reportedAt: z.exactOptional(instant),
    }),
    (ports, input, actor) => {
      const { source = 'unknown', requestId: id = ports.randomId(), ...rest } = input;
      return beginBulk(ports, { ...rest, selector: utc(input.selector), source, requestId: id }, actor);
    },
    'intake',
  ),
  'bulk.advance': request(
    'revoke',
    z.strictObject({ id: bulkId }),
    (ports, input) => advanceBulk(ports, { ...input, seconds: mostSeconds }),
    'intake',
  ),
  'bulk.show': request('read', z.strictObject({ id: bulkId }), (ports, input) => getBulk(ports, input.id)),
  'bulk.proofs': request('read', z.strictObject({ id: bulkId, from: z.int().check(z.minimum(0)) }), (ports, input) =>
    bulkProofs(ports, input),
  ),
  'bulk.list': request('read', z.strictObject({}), (ports) => listBulks(ports)),
};

/** Instants compare as texts only when all are written the same way. */
const utc = (given: BulkSelector): BulkSelector =>
  given.issuedBefore === undefined ? given : { ...given, issuedBefore: new Date(given.issuedBefore).toISOString() };
