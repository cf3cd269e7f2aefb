import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { allowed } from './allowed.ts';
import type { Outcome } from './journey.ts';
import { optionsOf } from './options.ts';
import { failures, journeyTable } from './report.ts';

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
