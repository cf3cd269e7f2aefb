import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { incidentText } from '../../cli/incident-text.ts';
import { closeIncident, listIncidents, showIncident } from '../../core/incident/incident.ts';
import { findVersion, getKey } from '../../core/items.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { answerReview } from '../../core/reviews/answer.ts';
import { escalateReviews } from '../../core/reviews/escalate.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { releaseReissue } from '../../core/revoke/release.ts';
import { history, showKey } from '../../core/show.ts';
import { findMarkers } from '../support/marker.ts';
import { end, revokes, untilIdle, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
const facts = testFacts({ owner: 'ana', team: 'team-payments' });
beforeEach(async () => {
  w = world();
  keyId = await adopted(w, facts);
});
afterEach(() => end(w));

const shown = () => showIncident(w.ports, { keyId });
const closes = (rootCause = 'committed with a debug log') => closeIncident(w.ports, { keyId, rootCause }, 'ana');
const judge = async (answer: string, actor = 'bob') => {
  const [review] = await listReviews(w.ports, { keyId });
  return answerReview(w.ports, { reviewId: review?.id ?? '', answer, note: 'looked at it' }, actor);
};
const ended = async () => {
  await revokes(w, keyId, { reason: 'in a public repository' });
  await untilIdle(w, keyId);
  await w.pass(30);
};

describe('POL-F7: an emergency', () => {
  it('opens a review for somebody else, and without an answer is a breach and a finding at the deadline', async () => {
    await end(w);
    w = world({ reconciler: false });
    keyId = await adopted(w, facts);
    await revokes(w, keyId);
    await untilStep(w, keyId, 'validate');
    const [review] = await listReviews(w.ports, { keyId });
    expect(review).toMatchObject({ kind: 'emergency', openedBy: 'responder', assignee: 'ana', cause: expect.stringContaining('leaked') });
    await untilIdle(w, keyId);
    expect(await listReviews(w.ports, { keyId })).toHaveLength(1);
    await expect(judge('justified', 'responder')).rejects.toMatchObject({ code: 'E_FORBIDDEN' });
    await w.pass(defaultPolicy.reviews.answerWithinSeconds.emergency + 60);
    await escalateReviews(w.ports);
    expect((await showKey(w.ports, keyId)).findings.map(({ rule }) => rule)).toContain('review-missed');
    expect((await history(w.ports, keyId)).map(({ event }) => event)).toContain('breach.opened');
  });

  it('is judged once: a second request of the same incident opens no second review', async () => {
    await revokes(w, keyId);
    await untilStep(w, keyId, 'validate');
    await revokes(w, keyId, { requestId: 'r2', reason: 'found again' });
    await untilIdle(w, keyId);
    expect(await listReviews(w.ports, { keyId })).toHaveLength(1);
  });

  it('is reviewed at the latest when it closes, when nothing could be opened before', async () => {
    await end(w);
    let refuse = true;
    w = world({
      wrap: (ports) => {
        const write: typeof ports.inventory.write = async (writes, permit) => {
          if (refuse && JSON.stringify(writes).includes('review.opened')) throw new TypeError('not now');
          return ports.inventory.write(writes, permit);
        };
        return { ...ports, inventory: { ...ports.inventory, write } };
      },
    });
    keyId = await adopted(w, facts);
    await revokes(w, keyId);
    await w.until(async () => (await getKey(w.ports, keyId)).revocation?.step === 'close', 600);
    expect(w.provider.accepts('cred-0001')).toBe(false);
    expect(await listReviews(w.ports, { keyId })).toEqual([]);
    refuse = false;
    await untilIdle(w, keyId);
    expect(await listReviews(w.ports, { keyId })).toMatchObject([{ kind: 'emergency' }]);
  });

  it('cannot be closed while it runs, before somebody judged it, or twice', async () => {
    services(w, facts);
    await revokes(w, keyId);
    await expect(closes()).rejects.toMatchObject({ code: 'E_BUSY', message: expect.stringContaining('CONTAINMENT INCOMPLETE') });
    await untilIdle(w, keyId);
    await expect(closes()).rejects.toMatchObject({ code: 'E_BUSY', message: expect.stringContaining('rekey review answer') });
    expect((await shown()).openItems).toEqual(expect.arrayContaining([expect.stringContaining('its root cause')]));
    await judge('justified');
    expect(await closes()).toMatchObject({
      state: 'closed',
      outcome: 'true-positive',
      rootCause: 'committed with a debug log',
      closedBy: 'ana',
      openItems: [],
    });
    await expect(closes()).rejects.toMatchObject({ code: 'E_NOTHING_TO_DO' });
    expect((await history(w.ports, keyId)).at(-1)).toMatchObject({
      event: 'incident.closed',
      detail: { rootCause: 'committed with a debug log', outcome: 'justified' },
    });
  });

  it.each([
    ['whoever judged it', async () => judge('false-alarm')],
    ['whoever released the reissue', async () => judge('justified')],
  ])('is on record as a false alarm when %s said so; what was revoked stays dead', async (who, judged) => {
    const byRelease = who.includes('released');
    await revokes(w, keyId, { source: byRelease ? 'unknown' : 'repository' });
    if (byRelease) {
      await w.until(async () => (await getKey(w.ports, keyId)).revocation?.held === true);
      await releaseReissue(w.ports, { keyId, mistake: true, reason: 'a test string' }, 'responder');
    }
    await untilIdle(w, keyId);
    await judged();
    expect(await closes('a test string')).toMatchObject({ outcome: 'false-alarm' });
    expect(w.provider.accepts('cred-0001')).toBe(false);
  });
});

describe('POL-K3 POL-R8: the record of an incident', () => {
  it('writes itself from the chain: who, when, why, how long, how it was proven, who was told, who recovered', async () => {
    services(w, facts);
    await ended();
    const incident = await shown();
    expect(incident).toMatchObject({
      state: 'recovered',
      outcome: 'open',
      versions: [1],
      requests: [{ actor: 'responder', reason: 'in a public repository', source: 'repository' }],
      certificates: [{ version: 1 }],
      chain: { brokenAt: null },
    });
    expect(incident.stopwatch.every(({ seconds }) => seconds !== null)).toBe(true);
    expect(incident.consumers.every(({ recoveredAt }) => recoveredAt !== null)).toBe(true);
    const events = incident.timeline.map(({ event }) => event);
    for (const event of ['revocation.requested', 'versions.compromised', 'revocation.disabled', 'revocation.closed', 'review.opened'])
      expect(events).toContain(event);
    expect(incident.timeline.map(({ seq }) => seq)).toEqual([...incident.timeline.map(({ seq }) => seq)].sort((a, b) => a - b));
    expect(await listIncidents(w.ports, keyId)).toMatchObject([{ operationId: incident.operationId }]);
  });

  it('says what is left to do, as long as it is left', async () => {
    services(w, facts, { silent: ['batch'] });
    await ended();
    const { openItems } = await shown();
    expect(openItems).toEqual(expect.arrayContaining(['batch (team-batch) has not proved that it recovered']));
    expect(openItems.join()).not.toContain('api (team-api)');
    expect(openItems.join()).toContain('version 1 is tried again at');
  });

  it('says so when an entry of its chain was changed afterwards', async () => {
    await ended();
    const [entry] = (await shown()).timeline;
    await w.inventory.write([
      {
        do: 'update',
        key: { pk: `KEY#${keyId}`, sk: `AUD#${String(entry?.seq).padStart(10, '0')}` },
        change: { set: { actor: 'nobody' } },
      },
    ]);
    const incident = await shown();
    expect(incident.chain.brokenAt).toBe(entry?.seq);
    expect(incident.openItems[0]).toContain(`entry ${entry?.seq} of the audit chain does not follow`);
  });

  it('has no value in it, as JSON or as a document, and no text of people ends a cell or begins markup', async () => {
    services(w, facts);
    const values = await Promise.all([1].map(async (number) => (await findVersion(w.ports, keyId, number))?.token ?? ''));
    const texts = await Promise.all(values.map(async (token) => (await w.ports.secrets.read(keyId, token))?.reveal() ?? ''));
    await revokes(w, keyId, { reason: 'found | by <b>us</b>\n# not a heading' });
    await untilIdle(w, keyId);
    const second = (await w.ports.secrets.read(keyId, (await findVersion(w.ports, keyId, 2))?.token ?? ''))?.reveal() ?? '';
    const incident = await shown();
    const text = incidentText(incident);
    expect(findMarkers([...texts, second], { json: JSON.stringify(incident), text })).toEqual([]);
    expect(text).toContain('found \\| by \\<b\\>us\\</b\\> # not a heading');
    expect(text.split('\n').filter((line) => line.startsWith('# '))).toHaveLength(1);
  });

  it('is not there for a key that was never revoked', async () => {
    await expect(shown()).rejects.toMatchObject({ code: 'E_NOT_FOUND', message: `${keyId} was never revoked` });
    expect(await listIncidents(w.ports, keyId)).toEqual([]);
  });
});

describe('POL-R4: the people of a key', () => {
  const triggers = () => w.pages.filter(({ action }) => action === 'trigger').map(({ level, to }) => `${level} ${to}`);

  it('are told of an emergency at once: owner, team and on-call, each on record, and again when it is contained', async () => {
    services(w, facts);
    await revokes(w, keyId, { reason: 'in a public repository' });
    await w.until(() => triggers().length === 3, 10);
    expect((await getKey(w.ports, keyId)).state).toBe('revoking');
    expect(triggers().sort()).toEqual(['on-call on-call', 'owner ana', 'team team-payments']);
    expect(w.pages[0]).toMatchObject({
      severity: 'critical',
      lines: [{ reason: 'Revoked', text: 'revoked by responder: in a public repository' }],
    });
    await untilIdle(w, keyId);
    await w.pass(30);
    expect(w.pages.filter(({ action }) => action === 'resolve')).toHaveLength(3);
    expect((await shown()).told.map(({ level, to }) => `${level} ${to}`).sort()).toEqual(triggers().sort());
  });

  it('and its consumers hear that it started, that it is disabled, verified and closed, in that order', async () => {
    services(w, facts);
    await ended();
    const phases = w.notices.filter(({ audience }) => audience === '*').map(({ type }) => type);
    const order = ['key.revocation.started', 'key.revoked', 'key.contained', 'key.reissued'];
    expect(order.map((type) => phases.indexOf(type as (typeof phases)[number]))).toEqual(
      order.map((type) => phases.indexOf(type as (typeof phases)[number])).sort((a, b) => a - b),
    );
    for (const type of order) expect(phases).toContain(type);
    for (const consumer of facts.consumers)
      expect(w.notices.some(({ audience, type }) => audience === consumer.name && type === 'key.revoked')).toBe(true);
  });

  it('are told by nobody before the provider was: the first call of the path is its disable', async () => {
    const calls: string[] = [];
    const { disable } = w.provider;
    w.provider.disable = async (...args: Parameters<typeof disable>) => {
      calls.push('disable');
      return disable(...args);
    };
    const { publish } = w.ports.notifier;
    const { page } = w.ports.pager;
    Object.assign(w.ports.notifier, {
      publish: async (...args: Parameters<typeof publish>) => {
        calls.push('tell');
        return publish(...args);
      },
    });
    Object.assign(w.ports.pager, {
      page: async (...args: Parameters<typeof page>) => {
        calls.push('page');
        return page(...args);
      },
    });
    await revokes(w, keyId);
    await untilIdle(w, keyId);
    expect(calls.slice(0, 2)).toEqual(['disable', 'disable']);
    expect(calls).toContain('page');
  });
});
