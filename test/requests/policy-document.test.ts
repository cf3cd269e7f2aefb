import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refused } from '../../core/errors.ts';
import { defaultPolicy } from '../../core/policy.ts';
import { productionSettings } from '../../core/settings.ts';
import { formatDuration, parseDuration } from '../../requests/duration.ts';
import { readPolicy, writePolicy } from '../../requests/policy-document.ts';

const file = readFileSync('policy.yaml', 'utf8');

function faults(text: string): string {
  try {
    readPolicy(text, 'policy.yaml', productionSettings);
  } catch (error) {
    if (error instanceof Refused)
      return [error.code, error.message, ...error.problems.map(({ path, message }) => `${path} ${message}`)].join('\n');
    throw error;
  }
  return 'accepted';
}

describe('the policy file', () => {
  test('at the root says what the built-in policy says', () => {
    expect(readPolicy(file, 'policy.yaml', productionSettings)).toEqual(defaultPolicy);
  });

  test('is written so that it reads back the same', () => {
    const other = { ...defaultPolicy, version: '2027-a', approvedStores: ['rekey', 'secrets-manager'], maxHoldSeconds: 90 };
    expect(readPolicy(writePolicy(other), 'policy.yaml', productionSettings)).toEqual(other);
  });

  test('may say for which stage it is', () => {
    expect(readPolicy(`${file}stage: prod\n`, 'policy.yaml', productionSettings)).toEqual(defaultPolicy);
  });
});

describe('a policy that is refused', () => {
  test.each([
    ['row 36: a tab', file.replace('  high:', '\thigh:'), /line \d+, column 1/],
    ['row 36: a name used twice', `${file}version: '2'\n`, /line \d+, column 1 .*used before/],
    ['row 37: an unknown tier', `${file}  extreme: {rotateEvery: P1D}\n`, /line \d+, column 3: tiers.extreme is not a known field/],
    ['row 37: a tier that is missing', file.slice(0, file.indexOf('  low:')), /tiers.low is missing/],
    [
      'row 37: a period of nothing',
      file.replace('rotateEvery: P30D', 'rotateEvery: PT0S'),
      /tiers.high.rotateEvery must be more than nothing/,
    ],
    ['row 37: a negative period', file.replace('rotateEvery: P30D', 'rotateEvery: -P30D'), /tiers.high.rotateEvery must be a duration/],
    ['row 37: a period of 10,000 days', file.replace('P180D', 'P10000D'), /tiers.low.rotateEvery .*at most 3650 days/],
    [
      'row 38: a period within overlap and soak',
      file.replace('rotateEvery: P30D', 'rotateEvery: P8D'),
      /line \d+, column 5: tiers.high.rotateEvery must be more than overlapMax \+ soak \+ 2 ×/,
    ],
    ['row 40: a switch against revocation', `${file}revoke: disabled\n`, /revoke is not a known field/],
    [
      'row 40: a veto of the owner',
      file.replace('    atOverlapMax: hold', '    ownerMayVeto: true\n    atOverlapMax: hold'),
      /tiers.high.ownerMayVeto is not a known field/,
    ],
    ['row 22: holds of more than fourteen days', file.replace('P14D', 'P15D'), /maxHold must be .*at most P14D/],
    ['row 46: a file of another stage', `${file}stage: staging\n`, /stage this policy is for staging, and this is prod/],
    ['a number without a unit', file.replace('overlapMin: PT2H', 'overlapMin: 7200'), /tiers.high.overlapMin must be a text/],
    ['no approved store', file.replace('[rekey]', '[]'), /approvedStores must name at least one/],
    ['two policies', `${file}---\n${file}`, /exactly one policy/],
  ])('%s', (_, text, message) => {
    expect(faults(text)).toMatch(/^E_INPUT_INVALID/);
    expect(faults(text)).toMatch(message);
  });

  test('row 36: an alias bomb', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...[...'bcdefg'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdef'[i]}`)}]`),
    ].join('\n');
    expect(faults(bomb)).toMatch(/^E_INPUT_INVALID/);
  });

  test('row 45: a text that looks like a value is refused and not repeated', () => {
    const planted = ['ghp', 'q7RkZ2mV9xTbW4nYc8LpD3hJ5sFg1a'].join('_');
    expect(faults(`${file}# ${planted}\n`)).toMatch(/^E_SECRET_IN_INPUT/);
    expect(faults(`${file}# ${planted}\n`)).not.toContain(planted.slice(4));
  });
});

describe('durations', () => {
  test('are weeks to seconds, and nothing whose length varies', () => {
    expect(['P1W', 'P30D', 'PT2H30M', 'P1DT1S'].map(parseDuration)).toEqual([604_800, 2_592_000, 9000, 86_401]);
    expect(['P', 'PT', 'P1M', 'P1Y', '30d', 'PT1.5H', '-PT1H', 'P1D ', 'PT1H1D'].map(parseDuration)).toEqual(Array(9).fill(undefined));
  });

  test('are written so that they read back the same', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (seconds) => parseDuration(formatDuration(seconds)) === seconds));
  });
});
