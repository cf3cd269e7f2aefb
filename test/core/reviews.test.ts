import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installationState } from '../../core/installation.ts';
import { getKey } from '../../core/items.ts';
import { readJournal } from '../../core/journal.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { reviewKinds } from '../../core/policy.ts';
import { answerReview } from '../../core/reviews/answer.ts';
import { escalateReviews } from '../../core/reviews/escalate.ts';
import { listReviews } from '../../core/reviews/list.ts';
import { openKeyReview, openReview } from '../../core/reviews/open.ts';
import { getReview, policyEvents, reviewAnswers } from '../../core/reviews/review.ts';
import { history, showKey } from '../../core/show.ts';
import { answer } from '../../requests/answer.ts';
import { end } from '../support/operations.ts';
import { adopted, testFacts, type World, world } from '../support/world.ts';

let w: World;
beforeEach(() => {
  w = world({ reconciler: false, policy: defaultPolicy });
});
afterEach(() => end(w));

const day = 86_400;
const facts = testFacts({ owner: 'ana', team: 'team-payments' });
const asked = { kind: 'access', trigger: 'first', cause: 'is it still needed?' } as const;
const events = async (keyId: string) =>
  (await history(w.ports, keyId)).map(({ event }) => event).filter((event) => /review|breach/.test(event));
const told = () => w.notices.filter(({ type }) => type === 'key.review').map(({ data }) => data.reason);

describe('a review', () => {
  it('has a subject, a cause, somebody it is given to and a date; the key it is about says so, and its people are told', async () => {
    const keyId = await adopted(w, facts);
    const review = await openKeyReview(w.ports, keyId, asked, 'schedule');
    expect(review).toMatchObject({
      kind: 'access',
      subject: { kind: 'key', id: keyId },
      assignee: 'ana',
      openedAt: '2026-01-05T08:00:00.000Z',
      dueAt: '2026-01-19T08:00:00.000Z',
      state: 'open',
    });
    expect(await listReviews(w.ports, {})).toEqual([review]);
    expect(await events(keyId)).toEqual(['review.opened']);
    expect(told()).toEqual(['ana is asked to answer by 2026-01-19T08:00:00.000Z: is it still needed?']);
  });

  it('is opened once by one cause, also by two at once; another cause opens another', async () => {
    const keyId = await adopted(w, facts);
    const [one, two] = await Promise.all([openKeyReview(w.ports, keyId, asked, 'a'), openKeyReview(w.ports, keyId, asked, 'b')]);
    expect(two).toEqual(one);
    await openKeyReview(w.ports, keyId, { ...asked, trigger: 'second' }, 'a');
    expect(await listReviews(w.ports, { keyId })).toHaveLength(2);
    expect(await events(keyId)).toEqual(['review.opened', 'review.opened']);
  });

  it('that nobody answers goes from its owner to the team to on-call, and its deadline is a breach and a finding', async () => {
    const keyId = await adopted(w, facts);
    const { id } = await openKeyReview(w.ports, keyId, asked, 'schedule');
    await w.pass(7 * day - 1);
    expect(await escalateReviews(w.ports)).toEqual([]);
    await w.pass(1);
    expect(await escalateReviews(w.ports)).toEqual([`${id}: given to team-payments`]);
    expect(await escalateReviews(w.ports)).toEqual([]);
    await w.pass(7 * day);
    expect(await escalateReviews(w.ports)).toEqual([`${id}: missed`]);
    expect(await getReview(w.ports, id)).toMatchObject({ state: 'open', assignee: 'on-call', missedAt: '2026-01-19T08:00:00.000Z' });
    expect(await events(keyId)).toEqual(['review.opened', 'review.escalated', 'review.missed', 'breach.opened']);
    const [finding] = (await showKey(w.ports, keyId)).findings.filter(({ rule }) => rule === 'review-missed');
    expect(finding).toMatchObject({ since: '2026-01-19T08:00:00.000Z', message: expect.stringContaining('on-call has not answered') });
    // Silence is no answer: nothing else happens, however long it lasts.
    await w.pass(400 * day);
    expect(await escalateReviews(w.ports)).toEqual([]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', current: 1 });
    expect(await listReviews(w.ports, { overdue: true })).toHaveLength(1);
  });

  it('that is answered is closed under the name of whoever answered, and ends the breach', async () => {
    const keyId = await adopted(w, facts);
    const { id } = await openKeyReview(w.ports, keyId, asked, 'schedule');
    await w.pass(14 * day);
    await escalateReviews(w.ports);
    const answered = await answerReview(w.ports, { reviewId: id, answer: 'needed', note: 'charges cards' }, 'ana');
    expect(answered).toMatchObject({ state: 'answered', answer: 'needed', answeredBy: 'ana', answeredAt: '2026-01-19T08:00:00.000Z' });
    expect(await events(keyId)).toEqual(['review.opened', 'review.missed', 'breach.opened', 'review.answered', 'breach.closed']);
    expect((await getKey(w.ports, keyId)).breaches).toEqual([]);
    expect(await listReviews(w.ports, {})).toEqual([]);
    expect(await listReviews(w.ports, { keyId })).toMatchObject([{ id, answer: 'needed' }]);
    await w.pass(day);
    expect(await escalateReviews(w.ports)).toEqual([]);
  });

  it('is answered once: the same answer again is the same, another is refused, and so is a word that its kind does not have', async () => {
    const keyId = await adopted(w, facts);
    const { id: reviewId } = await openKeyReview(w.ports, keyId, asked, 'schedule');
    await expect(answerReview(w.ports, { reviewId, answer: 'kept', note: 'x' }, 'ana')).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      problems: [{ path: 'answer', message: 'must be one of needed, not-needed' }],
    });
    const answers = ['ana', 'bob'].map((who) =>
      answerReview(w.ports, { reviewId, answer: 'needed', note: 'x' }, who).then(
        () => 'taken',
        ({ code }) => code,
      ),
    );
    expect((await Promise.all(answers)).sort()).toEqual(['E_NOTHING_TO_DO', 'taken']);
    const { answeredBy } = await getReview(w.ports, reviewId);
    await answerReview(w.ports, { reviewId, answer: 'needed', note: 'x' }, String(answeredBy));
    expect(await events(keyId)).toEqual(['review.opened', 'review.answered']);
    await expect(answerReview(w.ports, { reviewId: 'access-none', answer: 'needed', note: 'x' }, 'ana')).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    });
  });

  it('POL-F7: of an emergency is judged by somebody else than who acted, and without an answer it is a breach at the deadline', async () => {
    const keyId = await adopted(w, facts);
    const { id: reviewId } = await openKeyReview(
      w.ports,
      keyId,
      { kind: 'emergency', trigger: 'revoke-1', cause: 'revoked without approval' },
      'responder',
    );
    await expect(answerReview(w.ports, { reviewId, answer: 'justified', note: 'x' }, 'responder')).rejects.toMatchObject({
      code: 'E_FORBIDDEN',
    });
    await w.pass(5 * day);
    await escalateReviews(w.ports);
    expect((await getKey(w.ports, keyId)).breaches).toMatchObject([{ rule: 'review-missed', of: reviewId }]);
    expect(await answerReview(w.ports, { reviewId, answer: 'justified', note: 'x' }, 'ana')).toMatchObject({ answeredBy: 'ana' });
  });

  it('of the policy belongs to the installation: its own journal has it, and its deadline is a breach there', async () => {
    const review = await openReview(
      w.ports,
      { kind: 'policy', id: 'policy' },
      { kind: 'policy', trigger: '2026', cause: 'a year is over' },
      'schedule',
    );
    expect(review.assignee).toBe('security');
    await w.pass(30 * day);
    await escalateReviews(w.ports);
    expect((await installationState(w.ports)).breaches).toMatchObject([{ rule: 'review-missed', of: review.id }]);
    await answerReview(w.ports, { reviewId: review.id, answer: 'kept', note: 'nothing changed' }, 'sec');
    expect((await installationState(w.ports)).breaches).toEqual([]);
    const lines = (await readJournal(w.ports, 'INSTALLATION')).map(({ event }) => event);
    expect(lines).toEqual(['review.opened', 'review.missed', 'breach.opened', 'review.answered', 'breach.closed']);
  });

  it('costs nothing to wait for: a look reads what is due and no more', async () => {
    const keyId = await adopted(w, facts);
    for (let i = 0; i < 20; i++) await openKeyReview(w.ports, keyId, { ...asked, trigger: String(i) }, 'schedule');
    let reads = 0;
    const { inventory } = w.ports;
    const counted: typeof inventory = {
      ...inventory,
      get: (key) => {
        reads += 1;
        return inventory.get(key);
      },
    };
    await escalateReviews({ ...w.ports, inventory: counted });
    expect(reads).toBe(0);
  });

  it.each(reviewKinds)('of kind %s can be answered in more than one way, each with its meaning', (kind) => {
    const answers = Object.entries(reviewAnswers[kind]);
    expect(answers.length).toBeGreaterThan(1);
    for (const [word, meaning] of answers)
      expect([word, meaning]).toEqual([expect.stringMatching(/^[a-z-]+$/), expect.stringMatching(/\w{3}/)]);
  });
});

describe('POL-V2 POL-K4: what no machine sees', () => {
  it.each(policyEvents)('%s opens one review of the policy, however often it is told that day', async (because) => {
    const ask = () => answer(w.ports, 'review.open', { because, note: 'it happened' }, { actor: 'ana', via: 'operate' });
    await ask();
    await ask();
    expect(await listReviews(w.ports, { kind: 'policy' })).toMatchObject([
      { cause: `${because}: it happened`, openedBy: 'ana', dueAt: '2026-02-04T08:00:00.000Z' },
    ]);
  });
});
