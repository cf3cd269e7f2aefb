import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { alarmHeadings } from '../../infra/alarms.ts';
import { conditions, left } from './alarm-conditions.ts';
import { notDone } from './alarms.ts';
import { allowed } from './allowed.ts';
import type { Cloud } from './cloud.ts';
import type { Journey, NotRun, Outcome, Tell } from './journey.ts';
import { optionsOf } from './options.ts';
import { letters, readJourneys } from './read-journeys.ts';
import { failures, journeyTable } from './report.ts';
import { runAll } from './run-all.ts';

const outcome = (more: Partial<Outcome>): Outcome => ({
  journey: { letter: 'a', title: 'something' },
  result: 'passed',
  seconds: 1,
  observed: ['seen'],
  notRun: [],
  ...more,
});

describe('what is not run', () => {
  test('fails the run unless the list of the endpoint names it', () => {
    const notRun = [{ what: 'a: a part', why: 'no such thing here' }];
    expect(failures('ministack', [outcome({ notRun })])).toEqual([expect.stringContaining('not on the list for ministack: a: a part')]);
    const [known] = allowed.ministack;
    expect(failures('ministack', [outcome({ notRun: [known!] })])).toEqual([]);
  });

  test('is allowed at an endpoint that nobody knows for nothing', () => {
    expect(allowed['another endpoint']).toEqual([]);
    expect(failures('another endpoint', [outcome({})], [{ what: 'two-keys', why: 'x' }])).toHaveLength(1);
  });

  test.each([
    ['aws', ['vendor']],
    ['ministack', ['two-keys']],
  ] as const)('passes at %s when exactly what it is known to lack is missing: %j', async (endpoint, lacking) => {
    const missing = lacking.map((what) => ({ what, why: 'no such thing here' }));
    const journeys = await readJourneys();
    // What a journey says by itself: j of its alarms, i of the backups.
    const parts = (letter: string): NotRun[] => {
      if (letter === 'i' && endpoint === 'ministack') return [{ what: 'i: point-in-time recovery', why: 'x' }];
      const lacks = (capability: string) => missing.find(({ what }) => what === capability)?.why;
      const unsaid = Object.keys({ ...conditions, ...left }).filter((alarm) => notDone(alarm, lacks) !== undefined);
      return letter === 'j' ? unsaid.map((alarm) => ({ what: `j: ${alarm}`, why: 'x' })) : [];
    };
    const runs = journeys.map((journey) => ({
      ...journey,
      async run(_cloud: Cloud, tell: Tell) {
        for (const { what, why } of parts(journey.letter)) tell.notRun(what.slice(3), why);
      },
    }));
    const outcomes = await runAll(runs, {} as Cloud, missing, () => undefined);
    expect(failures(endpoint, outcomes, missing)).toEqual([]);
    const passed = outcomes.filter(({ result }) => result === 'passed').map(({ journey }) => journey.letter);
    expect(passed.join('')).toBe(endpoint === 'aws' ? 'aj' : letters);
  });

  test('is said for every alarm of the stack, once', () => {
    expect([...Object.keys(conditions), ...Object.keys(left)].sort()).toEqual(Object.keys(alarmHeadings).sort());
  });

  test('says why wherever it is allowed', () => {
    for (const { why } of Object.values(allowed).flat()) expect(why.length).toBeGreaterThan(20);
  });
});

test('a journey that failed, and a run without any, fail the run', () => {
  expect(failures('ministack', [outcome({ result: 'failed' })])).toEqual(['a failed: something']);
  expect(failures('ministack', [])).toEqual(['no journey was run']);
});

test('the table has each journey with everything that was observed, one line each', () => {
  expect(journeyTable([outcome({ observed: ['one', 'two\nlines'] })]).split('\n')).toEqual([
    expect.stringContaining('JOURNEY'),
    expect.stringMatching(/^a +something +passed +1 s +one$/),
    expect.stringMatching(/^ +two \/ lines$/),
  ]);
});

test.each([
  [['--only', 'z'], 'no journey is called z'],
  [['--only', ''], 'no journey is called'],
  [['--what'], 'Usage'],
])('%j is refused with the usage', (args, message) => {
  expect(() => optionsOf(args, ['a', 'b'])).toThrow(
    expect.objectContaining({ code: 'E_USAGE', message: expect.stringContaining(message) }),
  );
});

test('without Python one message says what to install, and nothing else', async () => {
  const main = join(import.meta.dirname, 'main.ts');
  const { AWS_ENDPOINT_URL: _none, REKEY_TEST_AWS: _neither, ...env } = process.env;
  const ended = await promisify(execFile)(process.execPath, [main], { env: { ...env, PATH: '/nowhere' } }).then(
    () => ({ code: 0, stderr: '' }),
    ({ code, stderr }) => ({ code, stderr }),
  );
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/^E_NO_PYTHON: .*install Python/m);
  expect(ended.stderr).not.toMatch(/\n\s+at /);
});

test('a journey begins after those that it names, and with --only of one that waits for others, at once', async () => {
  const order: string[] = [];
  const journey = (letter: string, after?: string): Journey => ({
    ...{ letter, title: letter, needs: [], ...(after ? { after } : {}) },
    async run() {
      order.push(`${letter} begins`);
      await Promise.resolve();
      order.push(`${letter} ends`);
    },
  });
  await runAll([journey('a', 'b'), journey('b')], {} as Cloud, [], () => undefined);
  expect(order).toEqual(['b begins', 'b ends', 'a begins', 'a ends']);
  await expect(runAll([journey('a', 'b')], {} as Cloud, [], () => undefined)).resolves.toMatchObject([{ result: 'passed' }]);
});

test('no journey waits for one that waits for it', async () => {
  const journeys = await readJourneys();
  for (const { letter, after = '' } of journeys)
    for (const other of after) expect(journeys.find((one) => one.letter === other)?.after ?? '', letter).toBe('');
});
