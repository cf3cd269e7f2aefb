import * as z from 'zod/mini';
import { leakSources } from '../../core/leak-sources.ts';
import { triggerSources } from '../../core/policy.ts';
import type { Ports } from '../../core/ports.ts';
import type { Report, ReportSubject } from '../../core/reports/report.ts';
import { keyId, name, text } from '../fields.ts';
import { accept } from '../problems.ts';
import { jsonOf, leakedText, reportOf, type Sender } from './sender.ts';
import { isHmac } from './signature.ts';

/** How far the time of a signature may be off, in seconds, either way. */
const windowSeconds = 300;

const subject = z.union([
  z.strictObject({ leaked: z.string().check(z.minLength(1), z.maxLength(65_536)) }),
  z.strictObject({ provider: z.nullable(name()), credentialId: text(256) }),
  z.strictObject({ keyId: keyId() }),
  z.strictObject({ person: text() }),
  z.strictObject({ vendor: name() }),
  z.strictObject({ service: name() }),
]);

/** Which subjects make sense for which source; anything else is a mistake of the sender's. */
const about: Readonly<Record<(typeof triggerSources)[number], readonly string[]>> = {
  leak: ['leaked', 'credentialId', 'keyId'],
  'suspicious-use': ['credentialId', 'keyId'],
  departure: ['person'],
  'vendor-end': ['vendor'],
  'system-change': ['service', 'keyId'],
};

/** The generic event, documented in docs/reports.md. */
export const eventSchema = z
  .strictObject({
    id: z.string().check(z.minLength(1), z.maxLength(200), z.regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')),
    source: z.enum(triggerSources),
    subject,
    says: text(200),
    where: z.exactOptional(z.enum(leakSources)),
    confidence: z.exactOptional(z.enum(['reported', 'unverified'])),
    evidence: z.exactOptional(z.string().check(z.maxLength(2000))),
    at: z.exactOptional(z.iso.datetime()),
  })
  .check(
    z.refine(({ source, subject: given }) => about[source].some((one) => Object.hasOwn(given, one)), {
      path: ['subject'],
      message: 'is not what such a source is about',
    }),
  );

type EventBody = z.output<typeof eventSchema>;

/** The report that a generic event comes to. */
export function eventReport(ports: Ports, { id, subject: given, ...rest }: EventBody, sender: string): Report {
  const about: ReportSubject = 'leaked' in given ? leakedText(ports, given.leaked) : given;
  return reportOf({ ...rest, sender, eventId: id, subject: about, own: true });
}

/**
 * Anything else that has something to report: HMAC-SHA-256 over `<timestamp>.<raw body>` under the sender's own secret, within five minutes.
 * Headers: `rekey-sender`, `rekey-timestamp` (Unix seconds), `rekey-signature: v1=<hex>`.
 */
export const event: Sender = {
  name: 'event',

  async authenticate({ headers, raw }, secretOf, nowMs) {
    const sender = headers['rekey-sender'] ?? '';
    const timestamp = headers['rekey-timestamp'] ?? '';
    if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(sender) || !/^\d{10}$/.test(timestamp)) return undefined;
    if (Math.abs(nowMs / 1000 - Number(timestamp)) > windowSeconds) return undefined;
    const secret = await secretOf(`event-${sender}`);
    const signature = /^v1=(.*)$/.exec(headers['rekey-signature'] ?? '')?.[1] ?? '';
    return secret && isHmac(signature, secret, Buffer.concat([Buffer.from(`${timestamp}.`), raw])) ? sender : undefined;
  },

  read: (ports, { raw }, sender) => [eventReport(ports, accept(eventSchema, jsonOf(raw), 'the event'), sender)],
};
