import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { parse } from 'csv-parse/sync';
import { chromium as browsers } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesOf, sourceOf } from '../../cli/evidence/files.ts';
import type { AuditEntry } from '../../core/audit.ts';
import { groupOfEvent } from '../../core/evidence-pack/event-groups.ts';
import { getKey, partition } from '../../core/items.ts';
import { history } from '../../core/show.ts';
import { type Made, packFor } from './evidence.ts';
import { type Expected, expectedCalendar } from './expected.ts';
import { type NinetyDays, ninetyDays } from './run.ts';
import { days, dormant, exceptions, fleet, leak, startsAt, vendorEnd } from './scenario.ts';

let run: NinetyDays;
const log = new Map<string, AuditEntry[]>();
beforeAll(async () => {
  run = await ninetyDays();
  for (const { facts } of fleet) log.set(facts.id, await history(run.ports, facts.id));
}, 240_000);

const day = 86_400_000;
const of = (key: string, event: string) => (log.get(key) ?? []).filter((entry) => entry.event === event);
const rotations = (): Omit<Expected, 'late'>[] =>
  fleet
    .flatMap(({ facts: { id } }) =>
      of(id, 'rotation.started').map(({ at, detail }) => ({
        key: id,
        day: (Date.parse(at) - startsAt) / day,
        reason: String(detail['reason']),
      })),
    )
    .sort((a, b) => a.day - b.day || (a.key < b.key ? -1 : 1));
const byKey = (rows: readonly Omit<Expected, 'late'>[]) =>
  Object.fromEntries(fleet.map(({ facts: { id } }) => [id, rows.filter(({ key }) => key === id).map(({ reason }) => reason)]));

describe('POL-Q4: ninety days of the sample fleet', () => {
  it('has every tier, twelve owners and five vendors', () => {
    expect(fleet.length).toBeGreaterThanOrEqual(60);
    expect(new Set(fleet.map(({ tier }) => tier)).size).toBe(3);
    expect(new Set(fleet.map(({ facts }) => facts.owner)).size).toBe(12);
    expect(new Set(fleet.map(({ facts }) => facts.provider)).size).toBe(5);
    expect(run.failures).toEqual([]);
  });

  it('has exactly the rotations that the policy asks for, each for its reason, by a calendar of its own', () => {
    const expected = expectedCalendar(fleet, days);
    expect(byKey(rotations())).toEqual(byKey(expected));
    expect(expected.length).toBeGreaterThan(100);
  });

  it('starts each within a firing of its tier’s schedule', () => {
    const firing = { high: 300, medium: 3600, low: 21_600 };
    for (const { facts, tier } of fleet) {
      const [found, expected] = [rotations(), expectedCalendar(fleet, days)].map((rows) => rows.filter(({ key }) => key === facts.id));
      for (const [i, one] of (found ?? []).entries()) {
        const late = (one.day - (expected?.[i]?.day ?? 0)) * 86_400;
        expect([facts.id, late >= -60 && late <= (i + 1) * (firing[tier] + 300), late]).toEqual([facts.id, true, late]);
      }
    }
  });

  it('ends every rotation with the old version refused, and none is left open but by its vendor’s end', async () => {
    for (const { facts, tier } of fleet) {
      const key = await getKey(run.ports, facts.id);
      expect([facts.id, key.tier]).toEqual([facts.id, tier]);
      const ended = [...of(facts.id, 'rotation.done'), ...of(facts.id, 'rotation.superseded')].length;
      expect([facts.id, of(facts.id, 'rotation.started').length - ended, key.attention && key.state]).toEqual([
        facts.id,
        key.rotation ? 1 : 0,
        facts.provider === vendorEnd.vendor ? 'contained' : null,
      ]);
    }
  });

  it('POL-I3: what the vendor’s end hit is contained and stays so; the leaked key has a new version; the unused one is retired under a name', async () => {
    const gone = fleet.filter(({ facts }) => facts.provider === vendorEnd.vendor);
    expect(gone.length).toBeGreaterThan(5);
    for (const { facts } of gone) expect((await getKey(run.ports, facts.id)).state).toBe('contained');
    expect(of(leak.key, 'revocation.closed')).toHaveLength(1);
    expect((await getKey(run.ports, dormant.key)).state).toBe('retired');
    expect(of(dormant.key, 'key.offboarding-asked')[0]?.actor).toBe('hal');
  });

  it('POL-I2 POL-V3: no key is left with the owner who went, and each of them opened a review', async () => {
    const left = fleet.filter(({ facts }) => facts.owner === 'bob');
    expect(left.length).toBeGreaterThan(3);
    for (const { facts } of left) {
      expect((await getKey(run.ports, facts.id)).facts.owner).toBe(facts.team);
      expect(of(facts.id, 'review.opened').some(({ detail }) => detail['kind'] === 'departure')).toBe(true);
    }
  });

  it('POL-Q6: each exception was asked for by one, approved by another, and ended by itself', () => {
    for (const { key } of exceptions) {
      const told = (log.get(key) ?? []).filter(({ event }) => event.startsWith('exception.'));
      expect(told.map(({ event, actor }) => `${event} ${actor}`)).toEqual([
        'exception.asked ana',
        'exception.approved sam',
        'exception.ended schedule',
      ]);
    }
  });

  it('POL-P7: has one line in the log for each rotation and revocation that its versions show', async () => {
    for (const { facts } of fleet) {
      const versions = await run.ports.inventory.list(partition(facts.id), 'VER#');
      const minted = of(facts.id, 'version.created').length + of(facts.id, 'version.adopted').length;
      expect([facts.id, versions.length]).toEqual([facts.id, minted]);
      const dead = versions.filter(({ state }) => state === 'disabled' || state === 'destroyed').length;
      const ended = of(facts.id, 'version.dead').length + of(facts.id, 'rotation.done').length;
      expect([facts.id, ended]).toEqual([facts.id, dead]);
    }
  });
});

describe('POL-W6: the evidence of the sample fleet', () => {
  let whole: Made;
  let folder: string;
  const from = '2026-02-01T00:00:00.000Z';
  const to = '2026-03-15T00:00:00.000Z';
  /** Counted over the raw lines of the log, with nothing of the code that makes the pack. */
  const counted = (event: string, where: (entry: AuditEntry) => boolean = () => true) =>
    [...log.values()].flat().filter((entry) => entry.event === event && entry.at >= from && entry.at < to && where(entry)).length;
  beforeAll(async () => {
    whole = await packFor(run.ports, { from, to });
    folder = mkdtempSync(join(tmpdir(), 'rekey-evidence-'));
    for (const [name, text] of whole.files) writeFileSync(join(folder, name), text);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const expectedLate = () => expectedCalendar(fleet, days).filter((one) => one.late && one.day >= 31 && one.day < 73);
  const expected = () => ({
    inventory: fleet.length,
    rotations: counted('rotation.started'),
    revocations: counted('revocation.requested'),
    certificates: counted('version.dead'),
    drills: 0,
    exceptions: exceptions.length,
    late: expectedLate().length,
  });

  it('opens in a browser as a report whose numbers are those of the raw log, and loads nothing from anywhere', async () => {
    const browser = await browsers.launch({ executablePath: await chromium.executablePath(), args: chromium.args });
    try {
      const page = await browser.newPage();
      const [asked, errors]: [string[], string[]] = [[], []];
      page.on('request', (request) => asked.push(request.url()));
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('console', (message) => errors.push(message.text()));
      const file = `file://${join(folder, 'report.html')}`;
      await page.goto(file);
      expect(await page.title()).toBe('Evidence of sample, 2026-02-01 to 2026-03-15');
      const shown = await page.$$eval('#numbers dd', (all) =>
        Object.fromEntries(all.map((one) => [one.id.slice(6), Number(one.textContent)])),
      );
      expect(shown).toMatchObject(expected());
      for (const name of ['inventory', 'rotations', 'revocations', 'certificates'] as const)
        expect([name, await page.locator(`#table-${name} tbody tr`).count()]).toEqual([name, expected()[name]]);
      expect(await page.locator('#log-state').textContent()).toMatch(/^It is as it was written/);
      expect(await page.locator('.says').textContent()).toContain('no certificate');
      expect(await page.locator('#controls tbody tr').count()).toBeGreaterThan(10);
      expect(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')).toBe(true);
      expect((await page.pdf()).length).toBeGreaterThan(10_000);
      expect([asked, errors]).toEqual([[file], []]);
    } finally {
      await browser.close();
    }
  }, 60_000);

  it('calls late exactly those that the freeze kept longer than their tier tolerates', () => {
    const late = whole.pack.rotations.filter(({ timing }) => timing === 'late').map(({ key }) => key);
    expect(late.sort()).toEqual(
      expectedLate()
        .map(({ key }) => key)
        .sort(),
    );
  });

  it('says the same in JSON and in CSV', () => {
    const pack = JSON.parse(whole.files.get('evidence.json') ?? '');
    for (const [name, count] of Object.entries(expected())) {
      if (name === 'late') continue;
      expect([name, pack[name].length]).toEqual([name, count]);
      expect([name, parse(whole.files.get(`${name}.csv`) ?? '', { columns: true }).length]).toEqual([name, count]);
    }
  });

  it('verifies: it can be made again from its own log, byte for byte; and what was changed in it is named', async () => {
    const read = (name: string) => whole.files.get(name) ?? '';
    expect((await filesOf(sourceOf(read))).files).toEqual(whole.files);
    expect(whole.pack.log).toMatchObject({ problems: [], unsealed: 0 });
    const edited = await filesOf(
      sourceOf((name) => (name === 'log.jsonl' ? read(name).replace('rotation.started', 'rotation.starved') : read(name))),
    );
    expect(edited.pack.log.problems).toMatchObject([{ kind: 'edited' }]);
    expect(edited.files.get('report.html')).not.toBe(read('report.html'));
  });

  it('POL-F13: claims nothing, and says what is missing', () => {
    expect(whole.pack.says).toMatch(/no certificate.*does not claim/);
    expect(whole.pack.missing).toContain('No drill of a revocation is on record in this period.');
    expect([...whole.files.values()].join(' ')).not.toMatch(/\b(is|are) compliant\b|certified|complies with/i);
  });

  it('POL-G3: of one unit has no row of another, in no file, and both together have every key once', async () => {
    const [cards, maps] = [await packFor(run.ports, { from, to, unit: 'cards' }), await packFor(run.ports, { from, to, unit: 'maps' })];
    const ids = (unit: string) => fleet.filter(({ facts }) => facts.unit === unit).map(({ facts }) => facts.id);
    for (const [made, mine, others] of [
      [cards, ids('cards'), ids('maps')],
      [maps, ids('maps'), ids('cards')],
    ] as const) {
      expect(made.pack.inventory.map(({ key }) => key).sort()).toEqual([...mine].sort());
      const text = [...made.files.values()].join('\n');
      for (const id of others) expect(text.includes(id)).toBe(false);
      expect(made.pack.log).toMatchObject({ problems: [], unsealed: 0 });
    }
  });

  it('POL-G1: every event of the log is evidence of access, of change or of incidents', () => {
    const groups = new Set(['access', 'change', 'incident']);
    const events = new Set([...log.values()].flat().map(({ event }) => event));
    expect([...events].filter((event) => !groups.has(groupOfEvent(event) ?? ''))).toEqual([]);
    expect(new Set(whole.pack.acted.map(({ group }) => group))).toEqual(groups);
  });
});
