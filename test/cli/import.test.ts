import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ImportOptions, importKeys } from '../../cli/import/run.ts';
import { csvLines, yamlDocuments } from '../../cli/import/write-keys.ts';
import type { Session } from '../../cli/session.ts';
import type { KeyFacts } from '../../core/key.ts';
import { listKeys } from '../../core/show.ts';
import { answer } from '../../requests/answer.ts';
import { end } from '../support/operations.ts';
import { testFacts, type World, world } from '../support/world.ts';

let w: World;
let folder: string;
beforeEach(() => {
  w = world({ reconciler: false });
  folder = mkdtempSync(join(tmpdir(), 'rekey-import-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await end(w);
});

/** The real door, asked in this process; `cut` ends it after so many requests that write. */
const session = (cut = Number.POSITIVE_INFINITY): Session => {
  let writes = 0;
  const ask = async (name: string, input: object) => {
    if (name === 'key.register' && 'rows' in input && !('dryRun' in input) && ++writes > cut) throw new Error('the machine lost power');
    return answer(w.ports, name, input, { actor: 'ana', via: 'operate' });
  };
  return { door: { ask }, json: false, live: false, note() {}, redraw() {} } as unknown as Session;
};
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const run = (path: string, more: Partial<ImportOptions> = {}, by = session()) =>
  importKeys(by, { files: [path], partial: false, dryRun: false, rejected: join(folder, 'rejected.jsonl'), ...more });
const ids = async () => (await listKeys(w.ports)).map(({ id }) => id);
const heading = 'id,owner,environment,purpose,provider,store,destinations,consumers,expires,params.principal';
const row = (id: string, more = 'ana,staging,charge cards') => `${id},${more},memory,rekey,app=memory:${id},,never,${id}`;
const csv = (...rows: string[]) => `${[heading, ...rows].join('\n')}\n`;
const refused = () =>
  readFileSync(join(folder, 'rejected.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('row 52: a CSV file', () => {
  it('with a byte order mark, CRLF, quotes, commas and a formula is read as it was meant', async () => {
    const text = `\uFEFF${csv(row('a/one', 'ana,staging,"charge ""big"" cards, at night"'), row('a/two', "ana,staging,'=cmd()")).replaceAll('\n', '\r\n')}`;
    expect(await run(file('keys.csv', text))).toMatchObject({ rows: 2, created: 2, refused: 0 });
    const facts = (await Promise.all(
      (await ids()).map((keyId) => answer(w.ports, 'key.show', { keyId }, { actor: 'x', via: 'operate' })),
    )) as {
      facts: KeyFacts;
    }[];
    expect(facts.map((one) => one.facts.purpose)).toEqual(['charge "big" cards, at night', '=cmd()']);
  });

  it('with a line’s end inside a cell, or cells too few, is refused by row, and the row says where it is', async () => {
    const text = csv(row('a/one', 'ana,staging,"two\nlines"'), 'a/two,ana', row('a/three'));
    expect(await run(file('keys.csv', text), { partial: true })).toMatchObject({ rows: 3, created: 1, refused: 2 });
    expect(await ids()).toEqual(['a/three']);
    expect(refused().map(({ source }) => source)).toEqual([expect.stringMatching(/line 3$/), expect.stringMatching(/line 4$/)]);
  });

  it('with a heading that is not known, or a quote that never ends, is refused whole', async () => {
    await expect(run(file('keys.csv', 'id,value\na/b,c\n'))).rejects.toMatchObject({
      code: 'E_INPUT_INVALID',
      problems: [{ message: 'column value is not known' }],
    });
    await expect(run(file('keys.csv', csv('a/one,"ana')))).rejects.toMatchObject({ code: 'E_INPUT_INVALID' });
    expect(await ids()).toEqual([]);
  });

  it('that was exported is imported to the same facts, and formulas were neutralised on the way', async () => {
    const facts = testFacts({
      id: 'team/key',
      owner: '=HYPERLINK("x")',
      purpose: '+1',
      overlapSeconds: 7200,
      params: { principal: 'p', n: '2' },
    });
    await answer(w.ports, 'key.register', { facts: { ...facts, purpose: '-1+2' } }, { actor: 'ana', via: 'operate' });
    for (const [name, lines] of [
      ['keys.csv', csvLines(session(), {})],
      ['keys.yaml', yamlDocuments(session(), {})],
    ] as const) {
      let text = '';
      for await (const one of lines) text += one;
      if (name === 'keys.csv') expect(text).toContain(`'-1+2`);
      expect(text.split('\n').some((one) => /(^|,|")=H/.test(one) && name === 'keys.csv')).toBe(false);
      expect(await run(file(name, text))).toMatchObject({ rows: 1, unchanged: 1, changed: 0 });
    }
  });
});

describe('row 53: a file in another encoding', () => {
  it.each([
    ['UTF-16', Buffer.from(`\uFEFF${csv(row('a/one'))}`, 'utf16le')],
    ['Latin-1', Buffer.from(csv(row('a/one', 'Zoë,staging,café')), 'latin1')],
  ])('%s is refused, and how to convert it is said', async (_encoding, bytes) => {
    for (const name of ['keys.csv', 'keys.yaml'])
      await expect(run(file(name, bytes))).rejects.toMatchObject({
        code: 'E_INPUT_INVALID',
        problems: [{ message: expect.stringContaining('iconv') }],
      });
    expect(await ids()).toEqual([]);
  });
});

describe('row 54, row 55: rows that cannot be imported', () => {
  const bad = csv(row('a/one'), row('a/one', 'bob,production,again'), row('a/two', ',staging,no owner'), row('a/three'));

  it('keep all others from it, and each is given back with its reasons', async () => {
    expect(await run(file('keys.csv', bad))).toMatchObject({ rows: 4, created: 0, refused: 2, rejected: join(folder, 'rejected.jsonl') });
    expect(await ids()).toEqual([]);
    expect(refused().map(({ source, problems }) => [source.split(', ')[1], problems[0].message])).toEqual([
      ['line 3', expect.stringContaining('a/one is also in')],
      ['line 4', 'is missing'],
    ]);
  });

  it('are left out where that is asked for', async () => {
    expect(await run(file('keys.csv', bad), { partial: true })).toMatchObject({ created: 1, refused: 2 });
    expect(await ids()).toEqual(['a/three']);
  });

  it('because two keys would end each other’s credentials are found before anything is written', async () => {
    const both = csv(`${row('a/one').replace(/a\/one$/, 'same')}`, `${row('a/two').replace(/a\/two$/, 'same')}`).replaceAll(
      heading,
      `${heading},exclusive`,
    );
    const text = both.replace(/same\n/, 'same,true\n').replace(/same\n/, 'same,\n');
    expect(await run(file('keys.csv', text))).toMatchObject({ created: 0, refused: 1 });
  });
});

it('row 56: a file with a column of values is refused whole, and neither stored nor repeated', async () => {
  const secret = `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`;
  const text = csv(row('a/one'), row('a/two', `ana,staging,${secret}`));
  for (const partial of [true, false]) {
    const error = await run(file('keys.csv', text), { partial }).catch((one: Error) => one);
    expect(error).toMatchObject({ code: 'E_SECRET_IN_INPUT', message: expect.stringContaining('rekey revoke') });
    expect(JSON.stringify(error)).not.toContain(secret);
  }
  expect(await ids()).toEqual([]);
});

it('row 57: an import that was interrupted half-way goes on when it is run again: nothing twice, nothing lost', async () => {
  const rows = Array.from({ length: 1050 }, (_, i) => row(`fleet/key-${i}`));
  const path = file('keys.csv', csv(...rows));
  await expect(run(path, {}, session(4))).rejects.toThrow('lost power');
  const half = (await ids()).length;
  expect(half).toBeGreaterThan(0);
  expect(half).toBeLessThan(1050);
  expect(await run(path)).toMatchObject({ rows: 1050, created: 1050 - half, unchanged: half, refused: 0 });
  expect(await ids()).toHaveLength(1050);
});

it('row 58: an end in another form, before time began or far after it, is refused with an example', async () => {
  for (const wrong of ['31/12/2027', '2027-12-31', '1830297600', '+052984-01-01T00:00:00Z']) {
    const text = csv(row('a/one').replace(',never,', `,${wrong},`));
    expect(await run(file('keys.csv', text))).toMatchObject({ created: 0, refused: 1 });
    expect(refused()[0].problems[0].message).toContain('2027-01-31T00:00:00Z');
  }
});

it('row 59: a row of a key that another account’s key has already is refused by row', async () => {
  await answer(
    w.ports,
    'key.register',
    { facts: testFacts({ id: 'b/first', params: { principal: 'p' }, exclusive: true }) },
    { actor: 'ana', via: 'operate' },
  );
  const text = csv(row('a/one').replace(/a\/one$/, 'p'), row('a/two'));
  expect(await run(file('keys.csv', text), { partial: true })).toMatchObject({ created: 1, refused: 1 });
  expect(refused()[0].problems[0].message).toContain('b/first');
});

it('YAML of many documents is read a few at a time, and what is wrong is told by the line of the file', async () => {
  const document = (id: string, owner: string) =>
    `---\napiVersion: rekey/v1\nkind: Key\nid: ${id}\n${owner}environment: staging\npurpose: x\nprovider: memory\nparams: { principal: ${id} }\nstore: rekey\ndestinations: [{ id: app, kind: memory, at: ${id} }]\nconsumers: []\nexpires: never\n`;
  const text = Array.from({ length: 450 }, (_, i) => document(`fleet/key-${i}`, i === 333 ? '' : 'owner: ana\n')).join('');
  expect(await run(file('keys.yaml', text), { partial: true })).toMatchObject({ rows: 450, created: 449, refused: 1 });
  const [, at] = /line (\d+)/.exec(refused()[0].source) ?? [];
  expect(text.split('\n')[Number(at) + 1]).toBe('id: fleet/key-333');
});
