import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installation, keyDocument, localInstallation } from '../support/local-installation.ts';

let here: Installation;
beforeAll(async () => {
  here = await localInstallation();
});
afterAll(() => here.stop());

/** Everything under a folder of the workspace, as one text. */
function everything(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

const rows = (stdout: string) => (JSON.parse(stdout) as { added: { keyId: string; outcome: string; version?: string }[] }).added;
const show = async (key: string) => JSON.parse((await here.rekey(['key', 'show', key, '--json'])).stdout);

describe('key add', () => {
  test('registers the keys of files and folders, and run again changes nothing', async () => {
    const file = here.keyFile('many.yaml', 'many/one', 'many/two', 'many/three');
    const first = await here.rekey(['key', 'add', '-f', file, '--json']);
    expect([first.code, rows(first.stdout).map(({ keyId, outcome }) => [keyId, outcome])]).toEqual([
      0,
      [
        ['many/one', 'created'],
        ['many/two', 'created'],
        ['many/three', 'created'],
      ],
    ]);
    const again = await here.rekey(['key', 'add', '-f', file, '--json']);
    expect(rows(again.stdout).map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  });

  test('repeats what the provider can and cannot do, once for each provider', async () => {
    const { code, stderr } = await here.rekey(['key', 'add', '-f', here.keyFile('told.yaml', 'told/one', 'told/two')]);
    expect(code).toBe(0);
    expect(stderr.match(/^sandbox: Sandbox vendor \(additive; observed, 2026-11-24\)$/gm)).toHaveLength(1);
    expect(stderr).toContain('the old one lives until every consumer has moved');
  });

  test('a key whose provider needs a parameter that its file does not give is refused before anything is registered', async () => {
    writeFileSync(join(here.workspace, 'no-principal.yaml'), keyDocument('told/three').replace(/params: .*\n/, ''));
    expect(await here.rekey(['key', 'add', '-f', 'no-principal.yaml'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('params.principal'),
    });
  });

  test('of many keys, interrupted half-way, is finished by running it again', async () => {
    here.keyFile('half.yaml', 'half/one', 'half/two');
    await here.rekey(['key', 'add', '-f', 'half.yaml']);
    here.keyFile('half.yaml', 'half/one', 'half/two', 'half/three', 'half/four');
    const { stdout } = await here.rekey(['key', 'add', '-f', 'half.yaml', '--json']);
    expect(rows(stdout).map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged', 'created', 'created']);
  });

  test('row 54, row 55: one bad row stops them all, unless the good ones are asked for; each fault has its place', async () => {
    writeFileSync(
      join(here.workspace, 'bad.yaml'),
      `${keyDocument('bad/one')}---\n${keyDocument('bad/two').replace('owner: team-payments\n', '')}`,
    );
    const all = await here.rekey(['key', 'add', '-f', 'bad.yaml']);
    expect(all).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/nothing was registered[\s\S]*bad.yaml, line 16, column 1: owner: is missing/),
    });
    expect((await here.rekey(['key', 'show', 'bad/one'])).code).toBe(3);
    const some = await here.rekey(['key', 'add', '-f', 'bad.yaml', '--partial', '--json']);
    expect([some.code, rows(some.stdout).map(({ keyId }) => keyId)]).toEqual([2, ['bad/one']]);
    expect(JSON.parse(some.stdout).rejected).toMatchObject([{ id: 'bad/two', source: 'bad.yaml, line 16, column 1' }]);
  });

  test('POL-W3: what only the installation can refuse is refused before the first row is registered', async () => {
    writeFileSync(
      join(here.workspace, 'store.yaml'),
      `${keyDocument('store/one')}---\n${keyDocument('store/two').replace('store: rekey', 'store: spreadsheet')}`,
    );
    const { code, stderr } = await here.rekey(['key', 'add', '-f', 'store.yaml']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/line 16.*store: is not a store that the policy approves/)]);
    expect((await here.rekey(['key', 'show', 'store/one'])).code).toBe(3);
  });

  test('a dry run checks and registers nothing', async () => {
    const { code, stdout } = await here.rekey(['key', 'add', '-f', here.keyFile('dry.yaml', 'dry/one'), '--dry-run']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/dry\/one +medium/)]);
    expect((await here.rekey(['key', 'show', 'dry/one'])).code).toBe(3);
  });

  test('row 56: a file that seems to hold a value is refused whole and not repeated', async () => {
    const planted = here.vendor.stranger('planted').value;
    writeFileSync(join(here.workspace, 'leaky.yaml'), `${keyDocument('leaky/one')}# value: ${planted}\n`);
    const { code, stdout, stderr } = await here.rekey(['key', 'add', '-f', 'leaky.yaml', '--partial']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^E_SECRET_IN_INPUT.*leaky.yaml/)]);
    expect(stdout + stderr).not.toContain(planted.slice(4));
  });

  test('files that are not there, or not fitting options, are usage errors', async () => {
    for (const args of [
      ['-f', 'none.yaml'],
      ['-f', 'many.yaml', '--value-from', '-'],
      ['-f', 'dry.yaml', '--mint', '--value-from', '-'],
      ['-f', 'dry.yaml', '--credential-id', 'x'],
    ]) {
      expect(await here.rekey(['key', 'add', ...args])).toMatchObject({ code: 2, stderr: expect.stringMatching(/^E_USAGE/) });
    }
  });
});

describe('the first version', () => {
  test('is minted, and run again stays', async () => {
    const file = here.keyFile('mint.yaml', 'mint/one');
    expect(rows((await here.rekey(['key', 'add', '-f', file, '--mint', '--json'])).stdout)).toMatchObject([
      { outcome: 'created', version: '1, on its way' },
    ]);
    const { code } = await here.rekey(['key', 'show', 'mint/one', '--watch', '--timeout', '60']);
    expect([code, (await show('mint/one')).current]).toEqual([0, 1]);
    expect(rows((await here.rekey(['key', 'add', '-f', file, '--mint', '--json'])).stdout)).toMatchObject([
      { outcome: 'unchanged', version: '1, unchanged' },
    ]);
    expect(existsSync(join(here.workspace, 'values/mint/one'))).toBe(true);
  });

  test('POL-F9: is adopted from stdin; the value is in no output, no request, and nothing on the disk but encrypted', async () => {
    const { value } = here.vendor.stranger('adopt-one', 'made by hand');
    const file = here.keyFile('adopt.yaml', 'adopt/one');
    const { code, stdout, stderr } = await here.rekey(['key', 'add', '-f', file, '--value-from', '-', '--json'], { stdin: `${value}\n` });
    expect([code, rows(stdout)]).toMatchObject([0, [{ outcome: 'created', version: '1, adopted' }]]);
    expect(stdout + stderr).not.toContain(value);
    expect(everything(join(here.workspace, '.rekey'))).not.toContain(value);
    expect(await show('adopt/one')).toMatchObject({ state: 'active', current: 1 });
    expect(here.vendor.log().some(({ operation }) => operation === 'disable')).toBe(false);
    const again = await here.rekey(['key', 'add', '-f', file, '--value-from', '-', '--json'], { stdin: value });
    expect(rows(again.stdout)).toMatchObject([{ version: '1, unchanged' }]);
  });

  test('is not adopted from a value that the vendor refuses, and nothing keeps a label', async () => {
    here.vendor.stranger('adopt-bad', 'made by hand');
    const file = here.keyFile('adopt-bad.yaml', 'adopt/bad');
    const { code, stdout } = await here.rekey(['key', 'add', '-f', file, '--value-from', '-'], { stdin: 'not-the-value' });
    expect([code, stdout]).toEqual([6, expect.stringMatching(/E_NOT_ACCEPTED/)]);
    expect(await show('adopt/bad')).toMatchObject({ state: 'registered', current: null });
    const stored = JSON.parse(readFileSync(join(here.workspace, '.rekey/secrets/adopt%2Fbad.json'), 'utf8')) as { labels: object };
    expect(stored.labels).toEqual({});
  });

  test.each([
    ['row 3: an empty stdin', '', 'E_INPUT_EMPTY'],
    ['row 4: a NUL', 'a\0b', 'E_INPUT_INVALID'],
    ['row 5: 10 MB', 'x'.repeat(10_000_000), 'E_TOO_LARGE'],
  ])('%s is refused, and the key waits for a good one', async (_, stdin, code) => {
    const ran = await here.rekey(['key', 'add', '-f', here.keyFile('wait.yaml', 'wait/one'), '--value-from', '-'], { stdin });
    expect(ran.stderr + ran.stdout).toContain(code);
    expect(ran.code).toBe(2);
    expect(await show('wait/one')).toMatchObject({ state: 'registered' });
  });
});

describe('looking', () => {
  test('list, show, explain, history and status answer in words and as one JSON document', async () => {
    for (const args of [
      ['key', 'list'],
      ['key', 'list', '--findings'],
      ['key', 'show', 'adopt/one'],
      ['key', 'explain', 'adopt/one'],
      ['history', 'adopt/one'],
      ['status'],
    ]) {
      const [words, json] = await Promise.all([here.rekey(args), here.rekey([...args, '--json'])]);
      expect([args, words.code, json.code]).toEqual([args, 0, 0]);
      expect(words.stdout).toMatch(/adopt\/one|adopted|keys/);
      expect(JSON.parse(json.stdout)).toBeTruthy();
    }
  });

  test('POL-Q7: explain has every question, with what is missing', async () => {
    const { answers } = JSON.parse((await here.rekey(['key', 'explain', 'adopt/one', '--json'])).stdout) as {
      answers: { id: string; answer: string[]; missing: string[] }[];
    };
    expect(answers.map(({ id }) => id)).toEqual(['POL-Q1', 'POL-Q2', 'POL-Q3', 'POL-Q4', 'POL-Q5', 'POL-Q6', 'POL-Q7']);
    for (const { answer, missing } of answers) expect(answer.length + missing.length).toBeGreaterThan(0);
  });

  test('show --file prints a document that add takes back unchanged', async () => {
    writeFileSync(join(here.workspace, 'back.yaml'), (await here.rekey(['key', 'show', 'adopt/one', '--file'])).stdout);
    expect(rows((await here.rekey(['key', 'add', '-f', 'back.yaml', '--json'])).stdout)).toMatchObject([{ outcome: 'unchanged' }]);
  });

  test('doctor finds everything well', async () => {
    const { code, stdout } = await here.rekey(['doctor']);
    expect([code, stdout.match(/^ok/gm)?.length]).toEqual([0, 3]);
  });
});

describe('rotating', () => {
  test('row 10: an unknown key ends with 3 and the nearest names', async () => {
    expect(await here.rekey(['rotate', 'adopt/oen', '--yes'])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/did you mean adopt\/one/),
    });
  });

  test('a dry run shows the plan and changes nothing', async () => {
    const { code, stdout } = await here.rekey(['rotate', 'mint/one', '--yes', '--dry-run']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/issue version 2[\s\S]*checkout[\s\S]*Nothing was changed/)]);
    expect(await show('mint/one')).toMatchObject({ operation: null });
  });

  test('row 11, row 23: the same request is the same rotation, another terminal is told who is at it; it can be taken back', async () => {
    const rotate = (id: string) => here.rekey(['rotate', 'adopt/one', '--yes', '--request-id', id, '--json']);
    const first = await rotate('terminal-one');
    expect([first.code, JSON.parse(first.stdout)]).toMatchObject([0, { started: true, oldVersion: 1, newVersion: 2 }]);
    const again = await rotate('terminal-one');
    expect([again.code, JSON.parse(again.stdout).started]).toEqual([0, false]);
    const other = await rotate('terminal-two');
    expect([other.code, other.stderr]).toEqual([5, expect.stringMatching(/E_BUSY[\s\S]*begun by local:/)]);
    expect((await here.rekey(['hold', 'adopt/one', '--until', 'P1D', '--reason', 'sale'])).stderr).toMatch(/^E_BUSY/);
    expect((await here.rekey(['rollback', 'adopt/one', '--reason', 'test', '--dry-run'])).stdout).toMatch(/Nothing was changed/);
    expect((await here.rekey(['rollback', 'adopt/one', '--reason', 'test'])).code).toBe(0);
    expect(await show('adopt/one')).toMatchObject({ state: 'rolling-back' });
  });

  test('row 21: a version number confirms nothing', async () => {
    expect(await here.rekey(['confirm', 'mint/one', '2'])).toMatchObject({ code: 2, stderr: expect.stringMatching(/^E_PROOF_REQUIRED/) });
  });

  test('row 22: a hold of more than 14 days is refused, a shorter one stops the next rotation and can be ended', async () => {
    expect((await here.rekey(['hold', 'mint/one', '--until', 'P15D', '--reason', 'sale'])).stderr).toMatch(/^E_INPUT_INVALID/);
    expect((await here.rekey(['hold', 'mint/one', '--until', 'P13D', '--reason', 'sale'])).code).toBe(0);
    expect(await here.rekey(['rotate', 'mint/one', '--yes'])).toMatchObject({ code: 5, stderr: expect.stringMatching(/^E_HELD/) });
    expect((await here.rekey(['hold', 'mint/one', '--clear', '--reason', 'over'])).code).toBe(0);
  });
});
