import * as z from 'zod/mini';
import { importBreakGlass } from '../core/break-glass/import.ts';
import { breakGlassIndex, registerSigner } from '../core/break-glass/prepare.ts';
import { showCertificates } from '../core/certificate.ts';
import { closeIncident, listIncidents, showIncident } from '../core/incident/incident.ts';
import { leakSources } from '../core/leak-sources.ts';
import { planRevocation } from '../core/plan.ts';
import { notSaid, revoke } from '../core/revoke/begin.ts';
import { lastUse, searchLeaked } from '../core/revoke/find.ts';
import { approveRevoke, declineRevoke, planRevoke } from '../core/revoke/planned.ts';
import { releaseReissue } from '../core/revoke/release.ts';
import { disableUnmanaged, probeUnmanaged, unmanagedHistory } from '../core/revoke/unmanaged.ts';
import { Value } from '../core/value.ts';
import { keyId, name, text } from './fields.ts';
import { type Request, reason, request, requestId } from './request.ts';

const scope = z.union([z.literal('all'), z.array(z.int().check(z.minimum(1))).check(z.minLength(1), z.maxLength(100))]);
const instant = z.iso.datetime({ message: 'must be an instant in UTC, like 2027-01-31T00:00:00Z' });
/** In memory for the search or the probe, and nowhere else. */
const leaked = z.string().check(z.minLength(1), z.maxLength(65_536));
const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex'));
const operation = z.string().check(z.regex(/^revoke-[a-z2-7]{26}$/, 'must be the id of a revocation'));
const glassRecord = z.strictObject({
  at: instant,
  by: text(),
  reason,
  keyId: z.union([keyId(), z.literal('')]),
  provider: name(),
  account: name(),
  credentialId: text(256),
  answer: z.enum(['disabled', 'gone', 'failed']),
  detail: z.string().check(z.maxLength(200)),
  seq: z.int().check(z.minimum(1)),
  prevHash: hash,
  hash,
  signature: z.string().check(z.regex(/^[A-Za-z0-9+/]{86}==$/, 'must be an Ed25519 signature in base64')),
});
const atProvider = {
  provider: name(),
  account: z.exactOptional(name()),
  params: z.exactOptional(z.record(text(100), z.unknown())),
};

/** What responders ask for: rows of THE TABLE in requests.ts. */
export const emergency: Readonly<Record<string, Request>> = {
  // An emergency waits for no form: only the key is needed. Without a source the reissue is held until somebody knows better.
  revoke: request(
    'revoke',
    z.strictObject({
      keyId: keyId(),
      scope: z.exactOptional(scope),
      reason: z.exactOptional(z.union([reason, z.literal('')])),
      source: z.exactOptional(z.enum(leakSources)),
      reportedAt: z.exactOptional(instant),
      requestId: z.exactOptional(requestId),
      dryRun: z.exactOptional(z.boolean()),
    }),
    (ports, input, actor) => {
      const { keyId, scope = 'all', source = 'unknown' } = input;
      if (input.dryRun) return planRevocation(ports, { keyId, scope });
      const reported = input.reportedAt === undefined ? {} : { reportedAt: input.reportedAt };
      const order = { keyId, scope, reason: input.reason || notSaid, source, requestId: input.requestId ?? ports.randomId(), ...reported };
      return revoke(ports, order, actor);
    },
    'intake',
  ),
  'revoke.plan': request(
    'plan',
    z.strictObject({
      keyId: keyId(),
      scope: z.exactOptional(scope),
      reason,
      source: z.exactOptional(z.enum(leakSources)),
      requestId: z.exactOptional(requestId),
    }),
    (ports, { scope: versions = 'all', source = 'none', requestId: id, ...rest }, actor) =>
      planRevoke(ports, { ...rest, scope: versions, source, requestId: id ?? ports.randomId() }, actor),
    'intake',
  ),
  'revoke.approve': request('approve', z.strictObject({ keyId: keyId() }), approveRevoke, 'intake'),
  'revoke.decline': request('approve', z.strictObject({ keyId: keyId(), reason }), declineRevoke, 'intake'),
  'revoke.find': request('revoke', z.strictObject({ leaked }), (ports, input) => searchLeaked(ports, input.leaked), 'intake'),
  'revoke.used': request(
    'revoke',
    z.strictObject({ keyId: keyId(), version: z.int().check(z.minimum(1)) }),
    (ports, input) => lastUse(ports, input),
    'intake',
  ),
  'revoke.unmanaged': request(
    'revoke',
    z.strictObject({
      ...atProvider,
      credentialId: z.exactOptional(text(256)),
      /** Where the vendor ends a credential by its value alone. */
      leaked: z.exactOptional(leaked),
      reason: z.exactOptional(z.union([reason, z.literal('')])),
      requestId: z.exactOptional(requestId),
    }),
    (ports, input, actor) => {
      const { provider, credentialId = '', account = 'default', params = {}, reason: given, requestId: id } = input;
      const order = { provider, account, params, credentialId, reason: given || notSaid, requestId: id ?? ports.randomId() };
      return disableUnmanaged(ports, order, actor, input.leaked === undefined ? undefined : new Value(input.leaked));
    },
    'intake',
  ),
  'revoke.probe': request(
    'revoke',
    z.strictObject({ ...atProvider, leaked }),
    async (ports, { leaked: text, account = 'default', params = {}, provider }) => {
      const { verdict, detail } = await probeUnmanaged(ports, { provider, account, params }, new Value(text));
      return { verdict, detail, ...ports.provider(provider).traits.probe };
    },
    'intake',
  ),
  'revoke.certificate': request('read', z.strictObject({ keyId: keyId() }), (ports, input) => showCertificates(ports, input.keyId)),
  'break-glass.index': request(
    'revoke',
    z.strictObject({ after: z.exactOptional(keyId()) }),
    (ports, input) => breakGlassIndex(ports, input),
    'intake',
  ),
  'break-glass.register': request(
    'revoke',
    z.strictObject({ publicKey: z.string().check(z.minLength(1), z.maxLength(1000)) }),
    (ports, input, actor) => registerSigner(ports, input, actor),
    'intake',
  ),
  'break-glass.import': request(
    'revoke',
    z.strictObject({ signer: hash, records: z.array(glassRecord).check(z.minLength(1), z.maxLength(100)) }),
    (ports, input, actor) => importBreakGlass(ports, input, actor),
    'intake',
  ),
  'incident.list': request('read', z.strictObject({ keyId: keyId() }), (ports, input) => listIncidents(ports, input.keyId)),
  'incident.show': request('read', z.strictObject({ keyId: keyId(), operationId: z.exactOptional(operation) }), (ports, input) =>
    showIncident(ports, input),
  ),
  'incident.close': request(
    'review',
    z.strictObject({ keyId: keyId(), operationId: z.exactOptional(operation), rootCause: text(500) }),
    (ports, input, actor) => closeIncident(ports, input, actor),
  ),
  'unmanaged.history': request('read', z.strictObject({ provider: name() }), (ports, input) => unmanagedHistory(ports, input.provider)),
  reissue: request(
    'reissue',
    z.strictObject({ keyId: keyId(), mistake: z.exactOptional(z.boolean()), reason }),
    (ports, input, actor) => releaseReissue(ports, { mistake: false, ...input }, actor),
    'intake',
  ),
};
