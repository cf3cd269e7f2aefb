import * as z from 'zod/mini';
import { leakSources } from '../core/leak-sources.ts';
import type { Ports } from '../core/ports.ts';
import { releaseReports, takeReports } from '../core/reports/batch.ts';
import { listQueued } from '../core/reports/budget.ts';
import { decide } from '../core/reports/decide.ts';
import { targetsOf } from '../core/reports/targets.ts';
import { text } from './fields.ts';
import { type Request, request } from './request.ts';
import { eventReport, eventSchema } from './senders/event.ts';
import { leakedText, reportOf } from './senders/sender.ts';

const finding = z.strictObject({
  id: z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')),
  leaked: z.string().check(z.minLength(1), z.maxLength(65_536)),
  rule: text(200),
  says: text(200),
  evidence: z.string().check(z.maxLength(2000)),
  at: z.string().check(z.maxLength(100)),
  verified: z.boolean(),
});

/** What somebody with an identity of ours reports: rows of THE TABLE in requests.ts. */
export const reports: Readonly<Record<string, Request>> = {
  'report.findings': request(
    'report',
    z.strictObject({
      scanner: z.enum(['gitleaks', 'trufflehog']),
      where: z.exactOptional(z.enum(leakSources)),
      findings: z.array(finding).check(z.minLength(1), z.maxLength(200)),
    }),
    (ports, { scanner, where = 'repository', findings }, actor) =>
      takeReports(
        ports,
        findings.map(({ id, leaked, rule, verified, ...rest }) =>
          reportOf({
            ...rest,
            source: 'leak',
            sender: scanner,
            eventId: id,
            subject: leakedText(ports, leaked, { scanner, name: rule }),
            where,
            own: true,
            confidence: verified ? 'reported' : 'unverified',
          }),
        ),
        { actor, budget: true },
      ),
    'report',
  ),
  'report.event': request('report', z.strictObject({ event: eventSchema }), reportEvent, 'report'),
  'report.preview': request('report', z.strictObject({ event: eventSchema }), previewEvent, 'report'),
  'report.queued': request('read', z.strictObject({ sender: z.exactOptional(text(50)) }), (ports, input) =>
    listQueued(ports, input.sender),
  ),
  'report.release': request(
    'revoke',
    z.strictObject({ sender: z.exactOptional(text(50)) }),
    (ports, input, actor) => releaseReports(ports, input, actor),
    'report',
  ),
};

/** A person or a system under its own name: its word is proof enough, except that it names nothing as verified that it does not know. */
async function reportEvent(ports: Ports, { event }: { readonly event: z.output<typeof eventSchema> }, actor: string) {
  const report = eventReport(ports, event, 'person');
  const confidence = event.confidence ?? 'verified';
  return takeReports(ports, [{ ...report, confidence }], { actor, budget: false });
}

/** What such a report would do to which keys now. Nothing is changed to find out. */
async function previewEvent(ports: Ports, { event }: { readonly event: z.output<typeof eventSchema> }) {
  const report = { ...eventReport(ports, event, 'person'), confidence: event.confidence ?? ('verified' as const) };
  const targets = await targetsOf(ports, report);
  return targets.map(({ key, versions, as, confidence }) => ({
    keyId: key.facts.id,
    versions,
    as: as ?? null,
    owner: key.facts.owner,
    ...decide(ports.policy, key, { source: report.source, confidence }),
  }));
}
