import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noticeOf } from '../../consumer/notice.ts';
import { receive } from '../../core/adoption.ts';
import { getKey } from '../../core/items.ts';
import { toCloudEvent } from '../../core/notice.ts';
import type { Ports } from '../../core/ports.ts';
import { answer } from '../../requests/answer.ts';
import { parseBody } from '../../requests/body.ts';
import { receiptOf } from '../../requests/receipt.ts';
import { requests } from '../../requests/requests.ts';
import { beginsRotation, end, noticeTo, receiptFor, untilStep } from '../support/operations.ts';
import { adopted, testFacts, type World, world } from '../support/world.ts';
import { expectNoEcho, hostileText, hostileValue, mutationsOf, namedEnd, planted, saidBy } from './hostile.ts';

let w: World;
let keyId: string;
/** The ports of a door: what it starts stands still, so that whatever changes was changed by the request. */
let door: Ports;
beforeEach(async () => {
  w = world({ reconciler: false });
  keyId = await adopted(w);
  door = { ...w.ports, executions: { ...w.ports.executions, start: async () => undefined } };
});
afterEach(() => end(w));

/** What the inventory holds, in short. */
const stored = (): string => createHash('sha256').update(JSON.stringify(w.inventory.items())).digest('hex');

const runs = { numRuns: 250 };
const good: Readonly<Record<string, unknown>> = {
  'key.register': { facts: { ...testFacts(), id: 'payments/other', params: { user: 'svc' } } },
  'key.adopt': { keyId: 'payments/stripe', token: '00000000-0000-8000-a000-000000000001', credentialId: 'cred-1' },
  'key.mint': { keyId: 'payments/stripe', reason: 'x', requestId: 'request-1' },
  rotate: { keyId: 'payments/stripe', reason: 'x', requestId: 'request-1' },
  revoke: { keyId: 'payments/stripe', scope: [1], reason: 'x', source: 'chat', requestId: 'request-1', dryRun: true },
  'revoke.find': { leaked: 'abc' },
  reissue: { keyId: 'payments/stripe', reason: 'x', mistake: false },
  rollback: { keyId: 'payments/stripe', reason: 'x' },
  confirm: { keyId: 'payments/stripe', consumer: 'api', reason: 'x' },
  hold: { keyId: 'payments/stripe', reason: 'x', until: '2026-01-06T00:00:00Z' },
  unhold: { keyId: 'payments/stripe', reason: 'x' },
  sweep: { tier: 'high' },
  'revoke.unmanaged': { provider: 'memory', credentialId: 'x', params: { user: 'svc' }, reason: 'x', requestId: 'request-1' },
  'bulk.begin': { selector: { owner: 'nobody', issuedBefore: '2026-01-06T00:00:00Z' }, count: 3, reason: 'x', source: 'chat' },
  'bulk.find': { leaked: ['abc', 'def'] },
  'report.event': {
    event: { id: 'e-1', source: 'leak', subject: { leaked: 'abc' }, says: 'x', where: 'chat', at: '2026-01-06T00:00:00Z' },
  },
  'report.findings': {
    scanner: 'gitleaks',
    findings: [{ id: 'a'.repeat(64), leaked: 'abc', says: 'x', evidence: '', at: '', verified: true }],
  },
  'break-glass.register': { publicKey: 'x' },
};

describe('a request, whatever is in it,', () => {
  it.each(Object.keys(requests))('%s: is carried out, or refused by name with nothing stored and nothing repeated', async (name) => {
    const input = fc.oneof({ weight: 3, arbitrary: mutationsOf(good[name] ?? { keyId }) }, { weight: 1, arbitrary: hostileValue });
    await fc.assert(
      fc.asyncProperty(input, async (given) => {
        const before = stored();
        const error = await namedEnd(() => answer(door, name, given, { actor: 'ada', via: 'operate' }));
        if (!error) return;
        expect(stored()).toBe(before);
        expectNoEcho(saidBy(error));
      }),
      { numRuns: 80 },
    );
    expectNoEcho(JSON.stringify(w.inventory.items()));
    expect(Reflect.get({}, 'a')).toBeUndefined();
  });

  it('by any other name is refused', async () => {
    await fc.assert(
      fc.asyncProperty(hostileText, async (name) => {
        fc.pre(!Object.hasOwn(requests, name));
        const error = await namedEnd(() => answer(w.ports, name, {}, { actor: 'ada', via: 'operate' }));
        expect(error).toMatchObject({ code: 'E_NOT_FOUND' });
        expectNoEcho(saidBy(error));
      }),
      runs,
    );
  });
});

describe('a body, whatever is in it,', () => {
  const json = fc.oneof(
    hostileText,
    hostileValue.map((value) => JSON.stringify(value) ?? ''),
    fc.tuple(hostileValue, hostileText, fc.nat()).map(([value, text, at]) => {
      const written = JSON.stringify(value) ?? '';
      return written.slice(0, at % (written.length + 1)) + text + written.slice(at % (written.length + 1));
    }),
    hostileText.map((name) => `{${JSON.stringify(name)}:1,${JSON.stringify(name)}:2}`),
  );

  it('is JSON that can be worked with, or is refused and not repeated', async () => {
    await fc.assert(
      fc.asyncProperty(json, async (text) => expectNoEcho(saidBy(await namedEnd(() => parseBody(text))))),
      { numRuns: 1000 },
    );
  });
});

describe('a receipt, whatever is in it,', () => {
  it('counts only when it is the right answer, and leaves nothing behind otherwise', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const right = await receiptFor(w, noticeTo(w, 'api', 'key.issued'));
    await fc.assert(
      fc.asyncProperty(mutationsOf(right), fc.constantFrom('api', 'batch', 'nobody'), async (given, consumer) => {
        fc.pre(JSON.stringify(given) !== JSON.stringify(right));
        const before = stored();
        const error = await namedEnd(async () => receive(w.ports, receiptOf(given), consumer));
        if (!error) return;
        expect(stored()).toBe(before);
        expectNoEcho(saidBy(error));
      }),
      runs,
    );
    expect((await getKey(w.ports, keyId)).rotation?.confirmedAt).toBeNull();
    const adoptions = w.inventory.items().filter(({ sk }) => sk.startsWith('ADOPT#'));
    expect(adoptions).toEqual([]);
  });
});

describe('row 64: an event that a consumer hears, whatever is in it,', () => {
  it('is a notice in every part, or none', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const event = toCloudEvent(noticeTo(w, 'api', 'key.issued'), 'test');
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutationsOf(event), hostileValue), async (given) => {
        const notice = noticeOf(given);
        if (!notice) return;
        expect([notice.id, notice.keyId, notice.time, notice.operationId].every((field) => typeof field === 'string')).toBe(true);
        expect(['refresh', 'stop-using', 'none', 'look']).toContain(notice.action);
        for (const place of notice.places ?? [])
          expect([typeof place.id, typeof place.kind, typeof place.at]).toEqual(Array(3).fill('string'));
      }),
      { numRuns: 800 },
    );
  });
});

describe('row 66: an answer to a waiting Confirm, under any token,', () => {
  it('changes nothing', async () => {
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const before = stored();
    const token = (await getKey(w.ports, keyId)).rotation?.taskToken;
    await fc.assert(
      fc.asyncProperty(hostileText, async (given) => {
        fc.pre(given !== token);
        await w.ports.executions.succeed(given);
        await w.ports.executions.fail(given, 'Superseded', planted);
      }),
      runs,
    );
    expect(stored()).toBe(before);
  });
});
