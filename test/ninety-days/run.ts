import { adoptVersion } from '../../core/adopt.ts';
import { approveException, requestException } from '../../core/exceptions/request.ts';
import { listVersions } from '../../core/items.ts';
import { tiers } from '../../core/key.ts';
import type { Ports } from '../../core/ports.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { registerKey } from '../../core/register.ts';
import { takeReports } from '../../core/reports/batch.ts';
import type { Report } from '../../core/reports/report.ts';
import { answerReview } from '../../core/reviews/answer.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { sealChains } from '../../core/seal/seal-chains.ts';
import { productionSettings } from '../../core/settings.ts';
import { sweep } from '../../core/sweep.ts';
import { composeRehearsal } from '../../local/rehearsal/compose.ts';
import { virtualTime } from '../../local/rehearsal/virtual-time.ts';
import { days, departure, dormant, exceptions, fleet, leak, policy, startsAt, vendorEnd } from './scenario.ts';

/** How often the reconciler looks here, and how often at a key that rests: nothing breaks by itself. */
const settings = { ...productionSettings, stage: 'sample', reconcileSeconds: 300, idleCheckSeconds: 86_400 };
const day = 86_400_000;

export interface NinetyDays {
  readonly ports: Ports;
  readonly endsAt: number;
  /** What went wrong in the background: nothing may. */
  readonly failures: readonly string[];
}

/** Ninety days of the sample fleet: the real steps, workflows, sweeps, reconciler, reports, reviews and seals, in virtual time. */
export async function ninetyDays(): Promise<NinetyDays> {
  const time = virtualTime(startsAt);
  const failures: string[] = [];
  const safely = (what: string, work: () => Promise<unknown>) =>
    void work().catch((error: Error) => failures.push(`${what}: ${error.name} ${error.message}`));
  try {
    const facts = fleet.map((one) => one.facts);
    const calm = Object.fromEntries(tiers.map((tier) => [tier, { ...policy.tiers[tier], probeEverySeconds: 86_400 }]));
    const { ports, stop } = composeRehearsal(facts, { ...policy, tiers: calm as typeof policy.tiers }, settings);
    for (const [i, one] of facts.entries()) await adopt(ports, one, i);
    const timers = [
      ...tiers.map((tier) => setInterval(() => safely('sweep', () => sweep(ports, { tier })), settings.sweepSeconds[tier] * 1000)),
      setInterval(() => safely('reconcile', () => reconcile(ports)), settings.reconcileSeconds * 1000),
      setInterval(() => safely('seal', () => sealChains(ports)), day),
      setInterval(() => safely('use', () => useAll(ports)), day),
      setInterval(() => safely('answer', () => answerDormant(ports)), dormant.answeredWithinDays * day),
    ];
    const at = (when: number, what: string, work: () => Promise<unknown>) => later(when * day, () => safely(what, work));
    for (const { key, asked, until } of exceptions) {
      let exceptionId = '';
      const order = { keyId: key, rule: 'rotation', reason: 'the vendor moves', compensating: 'an allow-list' };
      const ask = () => requestException(ports, { ...order, until: new Date(startsAt + until * day).toISOString() }, 'ana');
      at(asked, 'exception', async () => {
        exceptionId = (await ask()).id;
      });
      at(asked + 1, 'approve', () => approveException(ports, { keyId: key, exceptionId }, 'sam'));
    }
    at(leak.day, 'leak', async () => send(ports, await leaked(ports)));
    at(departure.day, 'departure', () => send(ports, { source: 'departure', subject: { person: departure.person } }));
    at(vendorEnd.day, 'vendor end', () => send(ports, { source: 'vendor-end', subject: { vendor: vendorEnd.vendor } }));
    await time.runUntil(startsAt + days * day);
    for (const timer of timers) clearInterval(timer);
    await sealChains(ports);
    stop();
    return { ports, endsAt: startsAt + days * day, failures };
  } finally {
    time.end();
  }
}

/** A timer takes at most 24.8 days. */
function later(milliseconds: number, work: () => void): void {
  const most = 20 * day;
  if (milliseconds <= most) setTimeout(work, milliseconds);
  else setTimeout(() => later(milliseconds - most, work), most);
}

async function adopt(ports: Ports, facts: (typeof fleet)[number]['facts'], index: number): Promise<void> {
  await registerKey(ports, facts, `person-${index % 3}`);
  const { id: keyId, account, params, provider } = facts;
  const { credentialId, value } = await ports.provider(provider).create({ keyId, account, params }, 'adopted');
  const token = `00000000-0000-8000-a000-${index.toString(16).padStart(12, '0')}`;
  await ports.secrets.put(keyId, token, value);
  for (const spec of facts.destinations) await ports.destination(spec.kind).write(spec, value, token);
  await adoptVersion(ports, { keyId, token, credentialId }, 'adopter');
}

/** Every service works with what its destination holds, but for the one key that nobody needs. */
async function useAll(ports: Ports): Promise<void> {
  for (const { facts } of fleet) {
    const [spec] = facts.destinations;
    const value = spec && facts.id !== dormant.key ? await ports.destination(spec.kind).read(spec) : undefined;
    if (value) await ports.provider(facts.provider).probe({ keyId: facts.id, account: facts.account, params: facts.params }, value);
  }
}

async function answerDormant(ports: Ports): Promise<void> {
  for (const { id, subject } of await listReviews(ports, { kind: 'dormant' }))
    if (subject.id === dormant.key) await answerReview(ports, { reviewId: id, answer: 'not-needed', note: 'the shop is closed' }, 'hal');
}

async function leaked(ports: Ports): Promise<Pick<Report, 'source' | 'subject'>> {
  const token = (await listVersions(ports, leak.key)).at(-1)?.token ?? '';
  const value = await ports.secrets.read(leak.key, token);
  if (!value) throw new Error('nothing to leak');
  return { source: 'leak', subject: { leaked: value, like: () => [] } };
}

function send(ports: Ports, report: Pick<Report, 'source' | 'subject'>) {
  const rest = { sender: 'sample', eventId: `event-${report.source}`, confidence: 'verified', where: 'repository', own: true } as const;
  return takeReports(ports, [{ ...rest, ...report, says: `a ${report.source}`, evidence: '', at: '' }], { actor: 'sample', budget: false });
}
