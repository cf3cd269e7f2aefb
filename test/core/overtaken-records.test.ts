import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { advanceBulk } from '../../core/bulk/advance.ts';
import { beginBulk } from '../../core/bulk/begin.ts';
import { addSighting } from '../../core/certificate.ts';
import { ConditionFailed } from '../../core/errors.ts';
import { type Matter, raise } from '../../core/escalation.ts';
import { requestException } from '../../core/exceptions/request.ts';
import { commitInstallation } from '../../core/installation.ts';
import { writeJournal } from '../../core/journal.ts';
import { note } from '../../core/notice-record.ts';
import { leaveAlone } from '../../core/pace.ts';
import { reconcileEscalations } from '../../core/reconcile/escalations.ts';
import { takeReports } from '../../core/reports/batch.ts';
import { enqueue, markReleased, senderBudget, spend } from '../../core/reports/budget.ts';
import type { Report } from '../../core/reports/report.ts';
import { answerReview } from '../../core/reviews/answer.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { openReview } from '../../core/reviews/open.ts';
import { sealChains } from '../../core/seal/seal-chains.ts';
import { end } from '../support/operations.ts';
import { comesTooLate, type Overtaken, overtakenWorld, type Race, raced } from '../support/overtaken.ts';
import { adopted, type World } from '../support/world.ts';

let w: World;
let table: Overtaken;

async function begin(): Promise<void> {
  ({ w, table } = overtakenWorld());
}
beforeEach(begin);
afterEach(() => end(w));

const day = 86_400;
const line = { actor: 'test', event: 'x', detail: {} };
const matter: Matter = {
  ...{ id: 'about-1', kind: 'attention', keyId: 'payments/stripe', subject: {}, thread: 'thread-1', reason: 'DestinationRefused' },
  severity: 'critical',
  calls: [{ owner: 'ada', team: 'payments', text: 'look' }],
  patienceSeconds: 0,
};
const chainOf = [{ who: 'owner', afterSeconds: 0 }] as const;
const bulk = { selector: { provider: 'memory' }, reason: 'x', source: 'none', count: null, requestId: 'bulk-1' } as const;
const review = { kind: 'policy', trigger: 't', cause: 'x' } as const;
const adopts = () => adopted(w);
const excepts = (actor: string) =>
  requestException(
    w.ports,
    {
      ...{ keyId: 'payments/stripe', rule: 'rotation', reason: 'x', compensating: 'x' },
      until: new Date(Date.now() + 10 * day * 1000).toISOString(),
    },
    actor,
  );
const report: Report = {
  source: 'system-change',
  sender: 'x',
  eventId: 'e',
  subject: { keyId: 'payments/stripe' },
  confidence: 'reported',
  where: 'chat',
  own: true,
  says: 'x',
  evidence: '',
  at: '',
};

const races: Readonly<Record<string, Race>> = {
  'the opening of a review': {
    work: () => openReview(w.ports, { kind: 'policy', id: 'policy' }, review, 'test'),
    item: / REVIEW$/,
    exists: false,
    fields: { by: 'somebody else' },
  },
  'the answer to a review': {
    before: () => openReview(w.ports, { kind: 'policy', id: 'policy' }, review, 'test'),
    work: async () => {
      const [open] = await listReviews(w.ports, {});
      await answerReview(w.ports, { reviewId: open?.id ?? '', answer: 'kept', note: 'x' }, 'ben');
    },
    item: / REVIEW$/,
    exists: true,
    fields: { revision: 90 },
  },
  'the first line of a journal': {
    work: () => writeJournal(w.ports, 'J', [line]),
    item: /^J HEAD/,
    exists: false,
    fields: { seq: 9, hash: 'x' },
  },
  'a line of a journal': {
    work: () => writeJournal(w.ports, 'J', [line]),
    item: /^J AUD#/,
    exists: false,
    fields: { by: 'somebody else' },
  },
  'the next line of a journal': {
    before: () => writeJournal(w.ports, 'J', [line]),
    work: () => writeJournal(w.ports, 'J', [line]),
    item: /^J HEAD/,
    exists: true,
    fields: { seq: 9 },
  },
  'the first state of an installation': {
    work: () => commitInstallation(w.ports, () => ({ actor: 'test', events: [] })),
    item: /^INSTALLATION META/,
    exists: false,
    fields: { revision: 9 },
  },
  'the next state of an installation': {
    before: () => commitInstallation(w.ports, () => ({ actor: 'test', events: [] })),
    work: () => commitInstallation(w.ports, () => ({ actor: 'test', events: [] })),
    item: /^INSTALLATION META/,
    exists: true,
    fields: { revision: 9 },
  },
  'the first pace of a provider': { work: () => leaveAlone(w.ports, 'x'), item: /^PACE#/, exists: false, fields: { revision: 9 } },
  'the next pace of a provider': {
    before: () => leaveAlone(w.ports, 'x'),
    work: () => leaveAlone(w.ports, 'x'),
    item: /^PACE#/,
    exists: true,
    fields: { revision: 9 },
  },
  'the beginning of a bulk revocation': {
    before: adopts,
    work: () => beginBulk(w.ports, bulk, 'test'),
    item: /^BULK\S* [0-9a-f-]{13}$/,
    exists: false,
    fields: { by: 'somebody else' },
  },
  'a bulk revocation that goes on': {
    before: async () => {
      await adopts();
      await beginBulk(w.ports, bulk, 'test');
    },
    work: async () => advanceBulk(w.ports, { id: (await beginBulk(w.ports, bulk, 'test')).id, seconds: 5 }),
    item: /^BULK\S* [0-9a-f-]{13}$/,
    exists: true,
    fields: { revision: 9 },
  },
  'the first of a sender’s budget': {
    work: () => spend(w.ports, 'x'),
    item: / BUDGET$/,
    exists: false,
    fields: { since: '2026-01-05T08:00:00.000Z', used: 1 },
  },
  'a new span of a sender’s budget': {
    before: async () => {
      await spend(w.ports, 'x');
      await w.pass(senderBudget.seconds + 1);
    },
    work: () => spend(w.ports, 'x'),
    item: / BUDGET$/,
    exists: true,
    fields: { since: '2026-01-05T08:10:01.000Z' },
  },
  'one more of a sender’s budget': {
    before: () => spend(w.ports, 'x'),
    work: () => spend(w.ports, 'x'),
    item: / BUDGET$/,
    exists: true,
    fields: { since: '2026-01-05T08:00:00.001Z', used: senderBudget.keys },
  },
  'a report that waits': {
    work: () =>
      enqueue(w.ports, {
        ...{ sender: 'x', eventId: 'e', keyId: 'a/b', versions: [], source: 'leak', confidence: 'reported' },
        ...{ where: 'chat', says: 'x', at: '' },
      }),
    item: /^REPORTS#QUEUE/,
    exists: false,
    fields: { by: 'somebody else' },
  },
  'the first page to somebody': {
    work: () => raise(w.ports, matter, chainOf),
    item: /^TO#/,
    exists: false,
    fields: { toldAt: '2026-01-05T08:00:00.000Z' },
  },
  'what an escalation was told': { work: () => raise(w.ports, matter, chainOf), item: /^ESC#/, exists: true, fields: { revision: 9 } },
  'a later page to somebody': {
    before: async () => {
      await raise(w.ports, matter, chainOf);
      await w.pass(day);
    },
    work: () => raise(w.ports, { ...matter, id: 'about-2' }, chainOf),
    item: /^TO#/,
    exists: true,
    fields: { toldAt: '2026-01-06T08:00:00.000Z' },
  },
  'the end of an escalation': {
    before: () => raise(w.ports, matter, chainOf),
    work: () => reconcileEscalations(w.ports),
    item: /^ESC#/,
    exists: true,
    sets: 'endedAt',
    fields: { revision: 9 },
  },
  'the first exception of an owner': {
    before: adopts,
    work: () => excepts('ana'),
    item: /^\S*EXC/,
    exists: false,
    fields: { revision: 9, of: [] },
  },
  'the next exception of an owner': {
    before: async () => {
      await adopts();
      await excepts('ana');
    },
    work: () => excepts('ben'),
    item: /^\S*EXC/,
    exists: true,
    fields: { revision: 9 },
  },
  'a seal': { before: adopts, work: () => sealChains(w.ports), item: /^KEY#.* META/, fields: { 'audit.seq': 90 } },
  'a report on record': {
    before: adopts,
    work: () => takeReports(w.ports, [report], { actor: 'sender:x', budget: true }),
    item: /^REPORTS#payments/,
    exists: false,
    fields: { by: 'somebody else' },
  },
};

describe('when somebody else was faster,', () => {
  it.each(raced(races))('$name is refused: by $field', ({ race, field }) => comesTooLate(() => table, race, field));
});

describe('what is not there any more', () => {
  it('is not brought back by a note about it', async () => {
    const keyId = await adopts();
    const noted = note(keyId, { operationId: 'rotate-x', consumer: 'api', noticeId: 'n' }, { sentAt: 'now' });
    const looked = addSighting(keyId, 9, { at: '', verdict: 'denied', answer: '', listed: 'absent', by: 'test' });
    for (const write of [noted, looked]) await expect(w.ports.inventory.write([write])).rejects.toBeInstanceOf(ConditionFailed);
    await expect(markReleased(w.ports, 'nothing')).rejects.toBeInstanceOf(ConditionFailed);
  });
});
