import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { run } from '../../cli/main.ts';
import { refusals } from '../../core/errors.ts';
import { launcher, rekey } from '../support/local-installation.ts';
import { ok, page, refused, type StubDoor, stubDoor } from '../support/stub-door.ts';

let door: StubDoor;
beforeAll(async () => {
  door = await stubDoor();
});
afterAll(async () => {
  await door.stop();
  rmSync(nowhere, { recursive: true, force: true });
});
beforeEach(() => {
  door.asked.length = 0;
  door.reply = () => ok({});
});

const at = () => ({ cwd: door.workspace });
const secret = ['sk', 'live', '4eC39HqLyjWDarjtT1zdp7dc'].join('_');
const nowhere = mkdtempSync(join(tmpdir(), 'rekey-nowhere-'));

describe('what is typed wrong', () => {
  test.each([
    [['roate', 'a'], 'rotate'],
    [['key', 'shwo', 'a'], 'show'],
    [['rotate', 'a', '--yes', '--dry-rnu'], '--dry-run'],
  ])('row 1: %j names the nearest word, and ends with 2', async (args, nearest) => {
    const { code, stdout, stderr } = await rekey(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^E_USAGE: /);
    expect(stderr).toContain(nearest);
  });

  test.each([[['rotate']], [['hold', 'a', '--until', 'P1D']], [['revoke']], [['key']], [['key', 'add']]])(
    'row 1: %j without what it needs ends with 2',
    async (args) => {
      expect((await rekey(args)).code).toBe(2);
    },
  );

  test.each([
    [['revoke', secret]],
    [['key', 'add', '-f', 'x.yaml', '--value', 'anything']],
    [['key', 'add', '-f', 'x.yaml', `--value=${secret}`]],
    [['rotate', 'a', '--yes', '--reason', `leaked: ${secret}`]],
    [[secret]],
    [['key', 'add', '-f', 'x.yaml', '--value-from', '-', '--credential-id', secret]],
  ])('row 2: a value among the arguments is refused, not repeated, and nothing is sent', async (args) => {
    const { code, stdout, stderr } = await rekey(args, at());
    expect({ code, stdout, asked: door.asked }).toEqual({ code: 2, stdout: '', asked: [] });
    expect(stderr).toMatch(/^E_SECRET_IN_INPUT/);
    expect(stderr).toMatch(/history/);
    expect(stderr).not.toContain(secret.slice(8));
  });

  test.each([
    ['row 6', 'payments/../root', /must be words/],
    ['row 6', 'payments stripe', /must be words/],
    ['row 6', 'x'.repeat(300), /300 characters/],
    ['row 6', 'Payments/Stripe', /write payments\/stripe/],
    ['row 6', 'payments/💳', /U\+1F4B3/],
    ['row 7', 'p\u0430yments/stripe', /U\+0430/],
  ])('%s: the id %j is refused before anything is sent', async (_, id, message) => {
    const { code, stderr } = await rekey(['rotate', id, '--yes'], at());
    expect({ code, asked: door.asked }).toEqual({ code: 2, asked: [] });
    expect(stderr).toMatch(/^E_INPUT_INVALID/);
    expect(stderr).toMatch(message);
  });

  test('row 22: a hold without an end, or with one that is no time, is refused before anything is sent', async () => {
    for (const until of [[], ['--until', 'tomorrow'], ['--until', '2027-02-31'], ['--until', 'P1M']]) {
      const { code, stderr } = await rekey(['hold', 'a', '--reason', 'sale', ...until], at());
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^E_INPUT_INVALID.*--until/)]);
    }
    expect(door.asked).toEqual([]);
  });
});

describe('what comes by stdin', () => {
  const leaked = (stdin: string) => rekey(['revoke', '--leaked', '-', '--no-wait'], { ...at(), stdin });
  const found = () => door.asked.map(({ input }) => input['leaked']);

  test('row 3: nothing is refused', async () => {
    for (const stdin of ['', '\n']) expect(await leaked(stdin)).toMatchObject({ code: 2, stderr: expect.stringMatching(/^E_INPUT_EMPTY/) });
    expect(door.asked).toEqual([]);
  });

  test('row 4: one line end at the end is taken off, and spaces are kept and reported', async () => {
    door.reply = () => ok({ match: null, stranger: null, unasked: [] });
    await leaked('short\r\n');
    await leaked('short\n\n');
    const { stderr } = await leaked(' short');
    expect(found()).toEqual(['short', 'short\n', ' short']);
    expect(stderr).toMatch(/begins or ends with a space/);
  });

  test.each([
    ['a byte order mark', '\uFEFFvalue'],
    ['a NUL', 'val\0ue'],
  ])('row 4: %s is refused', async (_, stdin) => {
    expect(await leaked(stdin)).toMatchObject({ code: 2, stderr: expect.stringMatching(/^E_INPUT_INVALID/) });
    expect(door.asked).toEqual([]);
  });

  test('row 5: ten megabytes are refused before they are read', async () => {
    const { code, stderr } = await leaked('x'.repeat(10_000_000));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^E_TOO_LARGE/)]);
    expect(door.asked).toEqual([]);
  });

  test('a value is found inside the line that was pasted, and is printed nowhere', async () => {
    const match = {
      keyId: 'a',
      version: 3,
      state: 'live',
      role: 'current',
      by: 'fingerprint',
      owner: 'o',
      consumers: [],
      siblings: [],
      breaks: [],
      contacts: [],
    };
    door.reply = ({ path }) => ok(path.endsWith('find') ? { match, stranger: null, unasked: [] } : {});
    const { code, stdout, stderr } = await leaked(`2026-01-01 ERROR Authorization: "Bearer ${secret}"\n`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/version 3 of a /);
    expect(stderr).toContain('--confirm a');
    expect(stdout + stderr).not.toContain(secret.slice(8));
  });
});

describe('what the door says', () => {
  const oneOfEach = Object.entries(refusals).filter(([, exit], index, all) => all.findIndex(([, other]) => other === exit) === index);

  test.each([
    ['row 13: too soon', 'rotate', 'E_TOO_SOON'],
    ['row 20: past the point of no return', 'rollback', 'E_PAST_POINT_OF_NO_RETURN'],
    ['row 12: revoked', 'rotate', 'E_REVOKED'],
  ])('%s ends with 5, and there is no flag around it', async (_, command, code) => {
    door.reply = () => refused(code);
    const yes = command === 'rotate' ? ['--yes'] : [];
    expect(await rekey([command, 'a', '--reason', 'x', ...yes], at())).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringContaining(code),
    });
    expect((await rekey([command, 'a', '--reason', 'x', '--force'], at())).code).toBe(2);
  });

  test('a rotation that nobody can agree to asks for --yes, and a time-out must be a number', async () => {
    expect(await rekey(['rotate', 'a'], at())).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(await rekey(['rotate', 'a', '--yes', '--wait', '--timeout', 'abc'], at())).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('seconds'),
    });
    expect(door.asked).toEqual([]);
  });

  test.each(oneOfEach)('%s ends with %i, in words and as JSON', async (code, exit) => {
    door.reply = () => refused(code, 409, [{ path: 'keyId', message: 'did you mean b?' }]);
    const words = await rekey(['rotate', 'a', '--yes'], at());
    expect(words).toEqual({ code: exit, stdout: '', stderr: `${code}: said the door (${code})\n  keyId: did you mean b?\n` });
    const json = await rekey(['rotate', 'a', '--yes', '--json'], at());
    expect([json.code, json.stdout, JSON.parse(json.stderr)]).toEqual([
      exit,
      '',
      { error: { code, message: `said the door (${code})`, problems: [{ path: 'keyId', message: 'did you mean b?' }] } },
    ]);
  });

  test('an unexpected error, an answer that is none, and control characters are shown as they should be', async () => {
    door.reply = () => ({
      status: 500,
      body: { error: { code: 'E_INTERNAL', name: 'Error', message: 'request 1\u001b[2J\u202e', problems: [] } },
    });
    expect(await rekey(['status'], at())).toEqual({ code: 1, stdout: '', stderr: 'E_INTERNAL: request 1\\u001b[2J\\u202e\n' });
    door.reply = () => ({ status: 502, body: '<html>' });
    expect(await rekey(['status'], at())).toMatchObject({ code: 1, stderr: expect.stringMatching(/HTTP 502/) });
  });

  test('nobody there is said with what to do, without a stack trace', async () => {
    for (const env of [{}, { REKEY_HOME: join(nowhere, 'x') }]) {
      const { code, stderr } = await rekey(['status'], { cwd: nowhere, env });
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^E_UNREACHABLE.*npm start/)]);
      expect(stderr).not.toMatch(/\n {4}at /);
    }
  });

  test('the installation is found from a folder below, and by REKEY_HOME', async () => {
    door.reply = () => ok(page([]));
    expect((await rekey(['key', 'list', '--json'], { cwd: nowhere, env: { REKEY_HOME: join(door.workspace, '.rekey') } })).stdout).toBe(
      '[]\n',
    );
    expect((await rekey(['key', 'list', '--json'], { cwd: join(door.workspace, '.rekey') })).stdout).toBe('[]\n');
    expect(door.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-of-a-test', 'Bearer token-of-a-test']);
  });
});

describe('what is printed', () => {
  const keys = [
    {
      id: 'iğne/ı',
      owner: 'İz',
      tier: 'low',
      state: 'active',
      current: 1,
      due: null,
      nextDueAt: '2026-03-29T01:30:00.000Z',
      findings: [],
      hold: null,
      attention: null,
      mode: 'live',
    },
  ];

  test('row 25: is the same bytes in any language and time zone', async () => {
    door.reply = () => ok(page(keys));
    const environments = [
      { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', TZ: 'Pacific/Chatham' },
      { LANG: 'C', TZ: 'America/St_Johns' },
      { NO_COLOR: '1' },
    ];
    for (const args of [
      ['key', 'list', '--json'],
      ['--json', 'key', 'list'],
      ['key', 'list'],
    ]) {
      const outputs = await Promise.all(environments.map((env) => rekey(args, { ...at(), env })));
      expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1);
      if (args.includes('--json')) expect(JSON.parse(outputs[0]?.stdout ?? '')).toEqual(keys);
    }
  });

  test('row 24: a reader that goes away changes no exit code and prints no stack trace', async () => {
    door.reply = () => ok(page(Array(5000).fill(keys[0])));
    const child = spawn('/bin/sh', ['-c', `{ "$0" "$1" key list; echo "exit $?" >&2; } | head -c 1`, process.execPath, launcher], {
      cwd: door.workspace,
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    await new Promise((resolve) => child.on('close', resolve));
    expect(stderr).toBe('exit 0\n');
  });

  test.runIf(existsSync('/dev/full'))('row 24: a full disk is an error', async () => {
    door.reply = () => ok(page(keys));
    const child = spawn(process.execPath, [launcher, 'key', 'list'], {
      cwd: door.workspace,
      stdio: ['ignore', openSync('/dev/full', 'w'), 'ignore'],
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
  });

  test('every command shows examples in its help', async () => {
    const help = async (words: readonly string[]): Promise<string> => {
      let printed = '';
      const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
        printed += text;
        return true;
      });
      expect(await run([...words, '--help']).finally(() => write.mockRestore())).toBe(0);
      return printed;
    };
    const commandsIn = async (words: readonly string[]): Promise<string[][]> => {
      const text = await help(words);
      const listed = /^Commands:\n((?: .*\n)+)/m.exec(text)?.[1] ?? '';
      const names = [...listed.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
      if (names.length === 0) return [[...words]];
      const found: string[][] = [];
      for (const name of names) found.push(...(await commandsIn([...words, name])));
      return found;
    };
    const commands = await commandsIn([]);
    expect(commands.length).toBeGreaterThan(15);
    for (const words of commands) expect(await help(words)).toContain(`$ rekey ${words.join(' ')}`);
  });
});
