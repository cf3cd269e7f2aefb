import { expect, test } from 'vitest';
import { readFiles } from './repository.ts';

/** The rows of the policy, by their families: how many each has, counted from 1 but for R, which begins with 0. */
const families = { F: 13, W: 6, Q: 7, K: 4, T: 5, I: 7, R: 10, U: 7, C: 8, G: 4, P: 8, M: 6, V: 4 };

const rows = Object.entries(families).flatMap(([family, count]) =>
  Array.from({ length: count }, (_, i) => `POL-${family}${family === 'R' ? i : i + 1}`),
);

test('every row of the policy has a test that names it', () => {
  const tests = readFiles('.test.ts').filter(({ path }) => path !== 'test/house/coverage.test.ts');
  const named = new Map(rows.map((row) => [row, tests.filter(({ text }) => new RegExp(`\\b${row}\\b`).test(text)).length]));
  const without = rows.filter((row) => named.get(row) === 0);
  console.log(`policy: ${rows.length - without.length} of ${rows.length} rows have a test that names them`);
  expect(rows).toHaveLength(89);
  expect(without).toEqual([]);
});
