import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findingsOf } from '../../core/findings.ts';
import { commitInstallation } from '../../core/installation.ts';
import { getKey } from '../../core/items.ts';
import type { Key } from '../../core/key.ts';
import { checks } from '../../core/policy/checks.ts';
import { keyChange, policyChanges } from '../../core/policy/compare-policies.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { listFindings } from '../../core/policy/findings-of-all.ts';
import { showPolicy } from '../../core/policy/show-policy.ts';
import { searchKeys } from '../../core/search.ts';
import { answer } from '../../requests/answer.ts';
import { end } from '../support/operations.ts';
import { adopted, consumerNamed, testFacts, type World, world } from '../support/world.ts';

let w: World;
beforeEach(() => {
  w = world({ reconciler: false, policy: defaultPolicy, provider: { traits: { maxLive: 1000 } } });
});
afterEach(() => end(w));

const now = '2026-01-05T08:00:00.000Z';
const first = { behind: null, limit: 1000 };
const whole = async (): Promise<Key> => getKey(w.ports, await adopted(w));
const exception = (rule: string) => ({
  id: 'exception-1',
  rule,
  reason: 'being replaced',
  compensating: 'an allow-list',
  requestedBy: 'ana',
  requestedAt: now,
  until: '2026-02-01T00:00:00.000Z',
  approvedBy: 'bob',
  approvedAt: now,
});

describe('the checks of the policy', () => {
  it('POL-Q7: have a name of their own each, a sentence and a severity', () => {
    expect(new Set(checks.map(({ rule }) => rule)).size).toBe(checks.length);
    for (const { sentence, severity } of checks) {
      expect(sentence).toMatch(/^[A-Z].*\.$/);
      expect(['breach', 'warning', 'note']).toContain(severity);
    }
  });

  it('find nothing wrong with a key whose record is whole', async () => {
    expect(findingsOf(await whole(), now, defaultPolicy)).toEqual([]);
  });

  it.each<[rule: string, more: (key: Key) => Partial<Key>]>([
    ['POL-W3 POL-U6 POL-P2: store-not-approved', ({ facts }) => ({ facts: { ...facts, store: 'spreadsheet' } })],
    ['POL-C1: no-scopes', ({ facts }) => ({ facts: { ...facts, scopes: [] } })],
    ['POL-P4: no-schedule', () => ({ nextDueAt: null })],
    [
      'POL-U2: overlap-too-short',
      ({ facts }) => ({ facts: { ...facts, consumers: [{ ...consumerNamed('slow'), refreshSeconds: 200_000 }] } }),
    ],
    ['POL-Q6: excepted', () => ({ exceptions: [exception('rotation')] })],
    ['POL-F11: review-missed', () => ({ breaches: [{ rule: 'review-missed', of: 'x', message: 'no answer', since: now }] })],
    ['no-version', () => ({ state: 'registered', current: null, nextDueAt: null })],
  ])('see a key that breaks %s, and that alone', async (title, more) => {
    const key = await whole();
    const found = findingsOf({ ...key, ...more(key) }, now, defaultPolicy);
    expect(found.map(({ rule }) => rule)).toEqual([title.split(': ').at(-1)]);
  });

  it('POL-Q6: say what an exception accepts as a note with its end, and say it as before once that has passed', async () => {
    const key = { ...(await whole()), exceptions: [exception('no-monitor')] };
    const broken = { ...key, facts: { ...key.facts, monitors: [] } };
    expect(findingsOf(broken, now, defaultPolicy)).toMatchObject([
      { rule: 'no-monitor', severity: 'note', message: expect.stringContaining('accepted until 2026-02-01') },
    ]);
    expect(findingsOf(broken, '2026-02-01T00:00:00.000Z', defaultPolicy)).toMatchObject([{ rule: 'no-monitor', severity: 'warning' }]);
  });
});

describe('the findings of all keys', () => {
  it('come page by page, each once, and what is the installation’s comes first', async () => {
    for (let i = 0; i < 7; i++)
      await adopted(w, testFacts({ id: `team/key-${i}`, exclusive: false, monitors: [], unit: i % 2 ? 'cards' : 'maps' }));
    await commitInstallation(w.ports, () => ({
      actor: 'x',
      set: {
        pause: { reason: 'release', by: 'ana', since: now, until: '2026-01-06T00:00:00.000Z' },
        breaches: [{ rule: 'review-missed', of: 'r', message: 'late', since: now }],
      },
      events: [{ event: 'x' }],
    }));
    const rows = [];
    let behind = first.behind as Parameters<typeof listFindings>[1]['behind'];
    let pages = 0;
    do {
      const page = await listFindings(w.ports, { behind, limit: 3 });
      rows.push(...page.rows);
      behind = page.next;
      pages += 1;
    } while (behind);
    expect(pages).toBe(3);
    expect(rows.filter(({ keyId }) => keyId === null).map(({ rule }) => rule)).toEqual(['review-missed', 'paused']);
    expect(new Set(rows.filter(({ rule }) => rule === 'no-monitor').map(({ keyId }) => keyId)).size).toBe(7);
    expect(rows.filter(({ unit }) => unit === 'cards')).toHaveLength(3);
  });

  it('row 35: a made-up place of a page is refused, an old one reads on behind it', async () => {
    for (let i = 0; i < 3; i++) await adopted(w, testFacts({ id: `team/key-${i}`, exclusive: false }));
    const caller = { actor: 'ana', via: 'operate' } as const;
    const page = (await answer(w.ports, 'key.list', { limit: 1 }, caller)) as { rows: { id: string }[]; next: string };
    const second = (await answer(w.ports, 'key.list', { limit: 1, behind: page.next }, caller)) as { rows: { id: string }[] };
    expect(second.rows[0]?.id).not.toBe(page.rows[0]?.id);
    for (const behind of ['x', 'AAAA', '2026-01-01T00:00:00.000Z ../etc', '2026-01-01 team/key-0', '']) {
      await expect(answer(w.ports, 'key.list', { behind }, caller)).rejects.toMatchObject({
        code: 'E_INPUT_INVALID',
        problems: [{ path: 'behind' }],
      });
    }
  });
});

describe('a search', () => {
  const found = async (filter: Parameters<typeof searchKeys>[1]) =>
    (await searchKeys(w.ports, filter, first)).rows.map(({ id }) => id).sort();

  it('finds keys by owner, team, unit, vendor, service, tier, environment, age, date and rule', async () => {
    const services = (name: string) => [{ ...consumerNamed(name) }];
    await adopted(
      w,
      testFacts({ id: 'a/one', owner: 'ana', team: 'pay', unit: 'cards', consumers: services('checkout'), exclusive: false }),
    );
    await w.pass(40 * 86_400);
    await adopted(w, testFacts({ id: 'a/two', owner: 'bob', team: 'maps', monitors: [], privileged: true, exclusive: false }));
    expect(await found({})).toEqual(['a/one', 'a/two']);
    expect(await found({ owner: 'a*' })).toEqual(['a/one']);
    expect(await found({ team: 'maps' })).toEqual(['a/two']);
    expect(await found({ unit: 'cards', vendor: 'mem*' })).toEqual(['a/one']);
    expect(await found({ service: 'checkout' })).toEqual(['a/one']);
    expect(await found({ tier: 'high' })).toEqual(['a/two']);
    expect(await found({ environment: 'prod*' })).toEqual([]);
    expect(await found({ olderThanDays: 30 })).toEqual(['a/one']);
    expect(await found({ dueBefore: '2026-03-20T00:00:00.000Z' })).toEqual(['a/two']);
    expect(await found({ breaks: 'no-*' })).toEqual(['a/two']);
    expect(await found({ due: true })).toEqual([]);
    expect(await found({ id: '*/two', state: 'active' })).toEqual(['a/two']);
  });
});

describe('another policy', () => {
  it('POL-K2: is compared field by field, and key by key as the engine would derive it', async () => {
    const key = await whole();
    const other = {
      ...defaultPolicy,
      tierRules: [{ tier: 'high' as const, because: 'everything is', when: {} }],
      tiers: { ...defaultPolicy.tiers, high: { ...defaultPolicy.tiers.high, rotateEverySeconds: 86_400 * 20, overlapMaxSeconds: 8 } },
    };
    expect(policyChanges(defaultPolicy, other).map(({ path }) => path)).toContain('tiers.high.rotateEverySeconds');
    expect(policyChanges(defaultPolicy, { ...defaultPolicy })).toEqual([]);
    expect(keyChange(key, other, now)).toMatchObject({
      tier: { from: 'medium', to: 'high', because: 'everything is' },
      tooShortFor: 'api',
      dueNow: false,
    });
    expect(keyChange(key, other, '2026-03-01T00:00:00.000Z')).toMatchObject({ dueNow: true });
    expect(keyChange(key, defaultPolicy, now)).toBeNull();
  });

  it('is shown with its hash and the checks behind its sentences', async () => {
    const view = await showPolicy(w.ports);
    expect(view).toMatchObject({ version: '1', since: null, refused: null });
    expect(view.checks.map(({ rule }) => rule)).toEqual(checks.map(({ rule }) => rule));
  });
});
