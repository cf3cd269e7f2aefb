import { afterEach, beforeEach, describe, it } from 'vitest';
import { beginDrill } from '../../core/drills/begin.ts';
import { setHold } from '../../core/hold.ts';
import { closeIncident } from '../../core/incident/incident.ts';
import { getKey } from '../../core/items.ts';
import { advanceOffboarding, offboardKey } from '../../core/offboard.ts';
import { reconcile } from '../../core/reconcile/reconcile.ts';
import { resume } from '../../core/reconcile/stuck.ts';
import { goLive, registerKey } from '../../core/register.ts';
import { noteDeparture } from '../../core/reports/departure.ts';
import { answerReview } from '../../core/reviews/answer.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { revoke } from '../../core/revoke/begin.ts';
import { releaseReissue } from '../../core/revoke/release.ts';
import { requestRollback } from '../../core/rotate/abort.ts';
import { upkeep } from '../../core/upkeep.ts';
import { Value } from '../../core/value.ts';
import { beginsRotation, end, passInflight, revokes, untilIdle } from '../support/operations.ts';
import { comesTooLate, type Overtaken, overtakenWorld, type Race, raced } from '../support/overtaken.ts';
import { adopted, services, testFacts, testPolicy, type World } from '../support/world.ts';

let w: World;
let table: Overtaken;
let keyId: string;

const day = 86_400;
const tier = { ...testPolicy.tiers.medium, rotateEverySeconds: 10 * day, maxLifetimeSeconds: 15 * day, remindBeforeSeconds: [3 * day] };
const policy = { ...testPolicy, tiers: { high: tier, medium: tier, low: tier } };

async function begin(): Promise<void> {
  ({ w, table } = overtakenWorld({ policy }));
}
beforeEach(begin);
afterEach(() => end(w));

const meta = / META$/;
const theirs = { id: 'app', kind: 'secrets-manager', at: 'prod/app', environment: 'staging' } as const;
const adopts = async (more = {}) => {
  keyId = await adopted(w, testFacts(more));
};
const registered = async () => {
  const facts = testFacts();
  keyId = facts.id;
  await registerKey(w.ports, facts, 'test');
};
const rotating = async () => {
  await adopts();
  services(w, testFacts());
  await beginsRotation(w, keyId);
};
const contained = async () => {
  await adopts();
  await revokes(w, keyId, { source: 'unknown' });
  await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
};

const races: Readonly<Record<string, Race>> = {
  'a registration': { work: () => registered(), item: meta, exists: false, fields: { by: 'somebody else' } },
  'a change of facts': {
    before: adopts,
    work: () => registerKey(w.ports, testFacts({ readers: ['auditor'] }), 'test'),
    item: meta,
    fields: { fence: 90, 'audit.seq': 90, pendingCount: 90 },
  },
  'a line of a key’s history': {
    before: adopts,
    work: () => registerKey(w.ports, testFacts({ readers: ['auditor'] }), 'test'),
    item: /^KEY#.* AUD#/,
    exists: false,
    fields: { by: 'somebody else' },
  },
  'going live': {
    before: () => adopts({ mode: 'observe' }),
    work: () => goLive(w.ports, { keyId }, 'test'),
    item: meta,
    fields: { fence: 90 },
  },
  'an adoption': { work: () => adopts(), item: meta, exists: true, sets: 'adopted', fields: { fence: 90, lastVersion: 7 } },
  'the id of an adopted credential': { work: () => adopts(), item: /^CRED#/, exists: false, fields: { by: 'somebody else' } },
  'the fingerprint of an adopted value': { work: () => adopts(), item: /^FP#/, exists: false, fields: { by: 'somebody else' } },
  'the claim of a principal': { work: registered, item: /^PRINCIPAL#/, exists: false, fields: { by: 'somebody else' } },
  'a second claim of a principal': {
    before: () => adopts({ exclusive: false }),
    work: () => registerKey(w.ports, testFacts({ id: 'payments/other', exclusive: false }), 'test'),
    item: /^PRINCIPAL#/,
    exists: true,
    fields: { revision: 90 },
  },
  'the beginning of a rotation': {
    before: adopts,
    work: () => beginsRotation(w, keyId),
    item: meta,
    sets: 'rotation',
    fields: { fence: 90, state: 'registered', hold: { until: '2027-01-01T00:00:00.000Z' } },
  },
  'the beginning of a rotation after a hold': {
    before: async () => {
      await adopts();
      await setHold(w.ports, { keyId, reason: 'x', until: new Date(Date.now() + 60_000).toISOString() }, 'test');
      await w.pass(90);
    },
    work: () => beginsRotation(w, keyId),
    item: meta,
    sets: 'rotation',
    fields: { 'hold.until': '2027-01-01T00:00:00.000Z' },
  },
  'a rollback': {
    before: rotating,
    work: () => requestRollback(w.ports, { keyId, reason: 'x' }, 'test'),
    item: meta,
    sets: 'rotation.firstCause',
    fields: { 'rotation.id': 'another', 'rotation.startSeq': 90, 'rotation.ponr': true, state: 'revoking', fence: 90 },
  },
  'the fingerprint of a minted value': { before: rotating, work: () => w.pass(20), item: /^FP#/, exists: false, fields: { by: 'x' } },
  'the point of no return': {
    before: rotating,
    work: () => w.pass(60),
    item: meta,
    sets: 'rotation.ponr',
    fields: { 'rotation.distributedAt': null, 'rotation.confirmedAt': null, 'rotation.verifiedAt': null, fence: 90 },
  },
  'what a consumer answered': {
    before: rotating,
    work: () => w.pass(60),
    item: / NOTE#/,
    exists: true,
    sets: 'movedAt',
    fields: { movedAt: '2026-01-01T00:00:00.000Z' },
  },
  'the release of a reissue': {
    before: contained,
    work: () => releaseReissue(w.ports, { keyId, mistake: false, reason: 'x' }, 'test'),
    item: meta,
    sets: 'revocation.released',
    fields: { fence: 90, state: 'revoking', 'revocation.id': 'another', 'revocation.startSeq': 90 },
  },
  'the time of a first disable': {
    before: adopts,
    work: () => revokes(w, keyId),
    item: meta,
    sets: 'revocation.firstDisabledAt',
    fields: { 'revocation.id': 'another' },
  },
  'a report about a dead version': {
    before: async () => {
      await rotating();
      await untilIdle(w, keyId);
    },
    work: () => revoke(w.ports, { keyId, scope: [1], reason: 'x', source: 'chat', requestId: 'r-1' }, 'test'),
    item: meta,
    sets: 'fence',
    fields: { fence: 90 },
  },
  'a new start by the reconciler': {
    before: rotating,
    work: async () => resume(w.ports, await getKey(w.ports, keyId), 'its execution ended'),
    item: meta,
    sets: 'rotation.resumedAt',
    fields: { fence: 90, 'rotation.id': 'another', 'rotation.startSeq': 90 },
  },
  'a repair': {
    before: async () => {
      await adopts();
      await passInflight(w);
      const [spec] = testFacts().destinations;
      if (spec) await w.ports.destination(spec.kind).write(spec, new Value('written by somebody else'), 'marker');
    },
    work: () => reconcile(w.ports),
    item: meta,
    sets: 'repairingAt',
    fields: { fence: 90, state: 'registered' },
  },
  'the fingerprint of a value that somebody else rotated': {
    before: async () => {
      await adopts({ managedBy: 'secretsmanager', exclusive: false, destinations: [theirs] });
      await passInflight(w);
      const { value } = w.provider.stranger('rotated by AWS');
      await w.ports.destination(theirs.kind).write(theirs, value, 'marker');
    },
    work: () => reconcile(w.ports),
    item: /^FP#/,
    exists: false,
    fields: { by: 'somebody else' },
  },
  'a reminder': {
    before: async () => {
      await adopts();
      await w.pass(8 * day);
    },
    work: async () => upkeep(w.ports, await getKey(w.ports, keyId)),
    item: meta,
    sets: 'reminded',
    fields: { fence: 90 },
  },
  'a new owner after a departure': {
    before: adopts,
    work: async () => noteDeparture(w.ports, await getKey(w.ports, keyId), 'owner', { sender: 'hr', eventId: 'e-1', says: 'left' }, 'test'),
    item: meta,
    sets: 'facts.owner',
    fields: { fence: 90 },
  },
  'a drill': {
    before: () => adopts({ canary: true, consumers: [], destinations: testFacts().destinations.slice(0, 1) }),
    work: () => beginDrill(w.ports, { keyId, requestId: 'd-1' }, 'test'),
    item: meta,
    sets: 'drill',
    fields: { fence: 90 },
  },
  'the end of what an offboarding revoked': {
    before: async () => {
      await contained();
      await offboardKey(w.ports, { keyId, reason: 'x' }, 'test');
    },
    work: async () => advanceOffboarding(w.ports, await getKey(w.ports, keyId)),
    item: meta,
    sets: 'revocation',
    fields: { fence: 90 },
  },
  'the end of a key': {
    before: async () => {
      await contained();
      await offboardKey(w.ports, { keyId, reason: 'x' }, 'test');
      await advanceOffboarding(w.ports, await getKey(w.ports, keyId));
    },
    work: async () => {
      for (let round = 0; round < 20 && table.outcome() === null; round++) {
        await w.pass(day);
        await reconcile(w.ports);
      }
    },
    item: meta,
    sets: 'state',
    fields: { fence: 90 },
  },
  'the end of an incident': {
    before: async () => {
      await adopts();
      services(w, testFacts());
      await revokes(w, keyId);
      await untilIdle(w, keyId);
      const [open] = await listReviews(w.ports, { keyId });
      await answerReview(w.ports, { reviewId: open?.id ?? '', answer: 'justified', note: 'x' }, 'ben');
    },
    work: () => closeIncident(w.ports, { keyId, rootCause: 'x' }, 'test'),
    item: / INC#/,
    exists: false,
    fields: { by: 'somebody else' },
  },
  'the end of an overlap': {
    before: rotating,
    work: () => w.pass(60),
    item: meta,
    sets: 'rotation.confirmedAt',
    fields: { state: 'revoking', 'rotation.id': 'another', 'rotation.step': 'verify', fence: 90 },
  },
};

describe('when somebody else was faster,', () => {
  it.each(raced(races))('$name is refused: by $field', ({ race, field }) => comesTooLate(() => table, race, field));
});
