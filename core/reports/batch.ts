import { beginBulk } from '../bulk/begin.ts';
import { findKey, uuidOf } from '../items.ts';
import type { Ports } from '../ports.ts';
import { openReview } from '../reviews/open.ts';
import { listQueued, markReleased } from './budget.ts';
import { decide } from './decide.ts';
import type { Report, ReportCounts, Taken } from './report.ts';
import { actOn, type Handed, takeReport } from './take.ts';
import { type Target, targetsOf } from './targets.ts';

/** Reports that are looked up, and keys that are acted on, side by side. */
const atOnce = 20;

/** Keys that one report may end on its own; more of them are a bulk revocation. */
const mostByItself = 20;

/** Takes the reports of one message. What they came to is counted; what belongs to nobody is counted and otherwise forgotten. */
export async function takeReports(
  ports: Ports,
  reports: readonly Report[],
  handed: Handed,
): Promise<ReportCounts & { readonly taken: readonly Taken[] }> {
  // Those about one key one after the other, those about different keys side by side.
  const byKey = new Map<string, { readonly report: Report; readonly target: Target }[]>();
  let unknown = 0;
  const taken: Taken[] = [];
  await side(reports, async (report) => {
    const targets = await targetsOf(ports, report);
    if (targets.length === 0) {
      unknown += 1;
      await noteStranger(ports, report, handed.actor);
    }
    const alone = await withoutBulk(ports, report, targets, handed, taken);
    for (const target of alone) byKey.set(target.key.facts.id, [...(byKey.get(target.key.facts.id) ?? []), { report, target }]);
  });
  const failed: unknown[] = [];
  await side([...byKey.values()], async (own) => {
    try {
      for (const { report, target } of own) taken.push(await takeReport(ports, report, target, handed));
    } catch (error) {
      failed.push(error);
    }
  });
  // Not before every other key had its turn; those that were taken are known when the sender sends it all again.
  if (failed.length > 0) throw failed[0];
  const count = (...outcomes: readonly Taken['did'][]) => taken.filter(({ did }) => outcomes.includes(did)).length;
  const counts = {
    received: reports.length,
    matched: reports.length - unknown,
    unknown,
    repeated: count('known'),
    acted: count('revoke', 'contain', 'rotate', 'case'),
    queued: count('queued'),
  };
  ports.log.measure({ reportsReceived: counts.received, reportsUnknown: counts.unknown });
  return { ...counts, taken };
}

/** The end of a vendor with many keys is one incident with one list of proofs. Returns the targets that are left. */
async function withoutBulk(
  ports: Ports,
  report: Report,
  targets: readonly Target[],
  handed: Handed,
  taken: Taken[],
): Promise<readonly Target[]> {
  if (!('vendor' in report.subject) || handed.budget) return targets;
  const ending = targets.filter(({ key, confidence }) => {
    const { does } = decide(ports.policy, key, { source: report.source, confidence });
    return does === 'revoke' || does === 'contain';
  });
  if (ending.length <= mostByItself) return targets;
  const { sender, eventId, says, subject } = report;
  const requestId = uuidOf('vendor-end', sender, eventId);
  // The reissue is held: a vendor that is left gets no new keys by itself.
  const order = {
    selector: { provider: subject.vendor },
    reason: `${sender}: ${says}`.slice(0, 500),
    source: 'unknown',
    requestId,
  } as const;
  await beginBulk(ports, { ...order, count: null }, handed.actor);
  taken.push(...ending.map(({ key }): Taken => ({ keyId: key.facts.id, versions: [], did: 'contain', because: 'a bulk revocation' })));
  return targets.filter((target) => !ending.includes(target));
}

/** Some at a time. */
async function side<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const next = all.values();
  const worker = async () => {
    for (const one of next) await work(one);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** A vendor's value in the organisation's own place, and no key has it: somebody has to say whose it is. */
async function noteStranger(ports: Ports, { subject, own, sender, eventId, says, evidence }: Report, actor: string): Promise<void> {
  const [provider] = own && 'leaked' in subject ? subject.like() : [];
  if (!provider) return;
  const cause =
    `${sender}: ${says}: it looks like a value of ${provider} and belongs to no key${evidence ? `; see ${evidence}` : ''}`.slice(0, 500);
  await openReview(ports, { kind: 'provider', id: provider }, { kind: 'trigger', trigger: `${sender}|${eventId}`, cause }, actor);
}

/** A responder lets reports act that had to wait. Returns what was done. */
export async function releaseReports(
  ports: Ports,
  request: { readonly sender?: string | undefined },
  actor: string,
): Promise<{ readonly taken: readonly Taken[] }> {
  const taken: Taken[] = [];
  for (const queued of await listQueued(ports, request.sender)) {
    const key = await findKey(ports, queued.keyId);
    const { sender, eventId, says, at, versions, id } = queued;
    const report = {
      sender,
      eventId,
      says,
      at,
      evidence: '',
      own: false,
      ...(queued as unknown as Pick<Report, 'source' | 'confidence' | 'where'>),
    };
    if (key) {
      const target = { key, versions, confidence: report.confidence };
      const { does, because } = decide(ports.policy, key, { source: report.source, confidence: report.confidence });
      taken.push(await actOn(ports, report, target, does, `${because}; released by ${actor}`, actor));
    }
    await markReleased(ports, id);
  }
  return { taken };
}
