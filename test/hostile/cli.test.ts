import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../cli/main.ts';
import { refused, type StubDoor, stubDoor } from '../support/stub-door.ts';
import { cpuSeconds, expectNoEcho, hostileText, planted } from './hostile.ts';

let door: StubDoor;
let folder: string;
const before = {
  cwd: process.cwd(),
  env: { REKEY_HOME: process.env['REKEY_HOME'], HOME: process.env['HOME'] },
  stdin: Object.getOwnPropertyDescriptor(process, 'stdin'),
};
beforeAll(async () => {
  door = await stubDoor();
  door.reply = () => refused('E_NOT_FOUND', 404);
  folder = mkdtempSync(join(tmpdir(), 'rekey-hostile-'));
  process.chdir(folder);
  process.env['REKEY_HOME'] = join(door.workspace, '.rekey');
  process.env['HOME'] = folder;
});
beforeEach(() => writeFileSync(join(folder, 'a-file'), `api_key: ${planted}\n`));
afterAll(async () => {
  process.chdir(before.cwd);
  process.exitCode = undefined;
  for (const [name, value] of Object.entries(before.env)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  if (before.stdin) Object.defineProperty(process, 'stdin', before.stdin);
  await door.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly said: string;
  readonly seconds: number;
}

/** One command line in this process; what comes by stdin is somebody's mistake. */
async function rekey(args: readonly string[], stdin = ''): Promise<Ran> {
  let said = '';
  const writes = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      said += text;
      return true;
    }),
  );
  Object.defineProperty(process, 'stdin', {
    value: Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY: false }),
    configurable: true,
  });
  process.exitCode = undefined;
  const since = process.cpuUsage();
  try {
    return { code: await run(args), said, seconds: cpuSeconds(since) };
  } finally {
    for (const write of writes) write.mockRestore();
    process.exitCode = undefined;
  }
}

interface Found {
  readonly words: readonly string[];
  readonly options: readonly { readonly name: string; readonly takes: boolean }[];
}

/** Every command there is, as the help tells it, with its options. */
async function commands(words: readonly string[] = []): Promise<Found[]> {
  const { said } = await rekey([...words, '--help']);
  const listed = /^Commands:\n((?: .*\n)+)/m.exec(said)?.[1] ?? '';
  const names = [...listed.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
  const options = [...said.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)( [<[])?/gm)].map(([, name = '', takes]) => ({
    name,
    takes: Boolean(takes),
  }));
  if (names.length === 0) return [{ words, options: options.filter(({ name }) => name !== '--help') }];
  const found: Found[] = [];
  for (const name of names) found.push(...(await commands([...words, name])));
  return found;
}

/** What may stand behind a command or an option: also what belongs there, so that the rest is looked at. */
const word = fc.oneof(
  { weight: 2, arbitrary: hostileText },
  {
    weight: 2,
    arbitrary: fc.constantFrom('payments/stripe', '1', 'a-file', '.', 'nowhere.yaml', '2027-01-31T00:00:00Z', 'P1D', 'chat', 'memory'),
  },
);

/** A command line: some words, some of the command's options in any order, some twice, some without what they need. */
const lineOf = ({ words, options }: Found): fc.Arbitrary<string[]> => {
  const option = fc
    .tuple(fc.constantFrom(...options), word, fc.nat(9))
    .map(([{ name, takes }, value, forgotten]) => (takes && forgotten ? [name, value] : [name]));
  return fc
    .tuple(fc.array(word, { maxLength: 2 }), fc.array(option, { maxLength: 4 }), fc.boolean())
    .map(([given, chosen, first]) => [...words, ...(first ? [...given, ...chosen.flat()] : [...chosen.flat(), ...given])]);
};

/** Exit codes that a person can do something about. */
const understood = [0, 2, 3, 4, 5, 6, 7, 8];

describe('a command line, whatever is in it,', () => {
  it('of any command: ends within a second of work by a code with a meaning, and repeats nothing', async () => {
    const all = await commands();
    expect(all.length).toBeGreaterThan(35);
    for (const command of all) {
      await fc.assert(
        fc.asyncProperty(lineOf(command), hostileText, async (args, stdin) => {
          const { code, said, seconds } = await rekey(args, stdin);
          expectNoEcho(said);
          expect(said).not.toMatch(/E_INTERNAL|^ {4}at /m);
          // The doctor says by its code that something is wrong; any other 1 is an installation that cannot be reached.
          if (code === 1) expect(args[0] === 'doctor' || said.includes('E_UNREACHABLE')).toBe(true);
          else expect(understood).toContain(code);
          expect(seconds).toBeLessThan(1);
        }),
        { numRuns: 25 },
      );
    }
  });

  it('with a value anywhere: is refused before anything is read or sent', async () => {
    const all = await commands();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...all).chain(lineOf), fc.nat(), async (line, at) => {
        const place = at % (line.length + 1);
        const asked = door.asked.length;
        const { code, said } = await rekey([...line.slice(0, place), planted, ...line.slice(place)]);
        expect([code, door.asked.length]).toEqual([2, asked]);
        expect(said).toContain('E_SECRET_IN_INPUT');
        expectNoEcho(said);
      }),
      { numRuns: 100 },
    );
  });
});
