import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refused } from '../../core/errors.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
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
    [
      'row 37: an unknown tier',
      file.replace('\n  low:', '\n  extreme: {rotateEvery: P1D}\n  low:'),
      /line \d+, column 3: tiers.extreme is not a known field/,
    ],
    ['row 37: a tier that is missing', file.slice(0, file.indexOf('  low:')), /tiers.low is missing/],
    [
      'row 37: a period of nothing',
      file.replace('rotateEvery: P30D', 'rotateEvery: PT0S'),
      /tiers.high.rotateEvery must be more than nothing/,
    ],
    ['row 37: a negative period', file.replace('rotateEvery: P30D', 'rotateEvery: -P30D'), /tiers.high.rotateEvery must be a duration/],
    [
      'row 37: a period of 10,000 days',
      file.replace('rotateEvery: P180D', 'rotateEvery: P10000D'),
      /tiers.low.rotateEvery .*at most 3650 days/,
    ],
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

  const part = (text: string) => `${file.replace(new RegExp(`^${text.split(':')[0]}:.*\\n`, 'm'), '')}${text}\n`;
  const freeze = (more: string) => part(`holds: [{ name: year-end, reason: full, ${more} }]`);
  const nights = (more: string) => part(`windows: [{ name: nights, ${more} }]`);

  test.each([
    [
      'row 37: a life shorter than the period',
      file.replace('maxLifetime: P45D', 'maxLifetime: P30D'),
      /tiers.high.maxLifetime must be at least rotateEvery/,
    ],
    [
      'POL-T4: a high tier that is watched less than a medium one',
      file.replace('probeEvery: PT1H', 'probeEvery: P2D'),
      /tiers.medium.probeEvery must be at least/,
    ],
    [
      'row 38: a reminder before the period begins',
      file.replace('remindBefore: [P3D]', 'remindBefore: [P30D]'),
      /tiers.high.remindBefore must each be .*less than rotateEvery/,
    ],
    [
      'POL-T5: a rule that gives tier low without isolation',
      file.replace('{ exposure: [isolated] } }', '{ environment: [dev] } }'),
      /tierRules.3.when must ask for exposure/,
    ],
    ['row 43: a rule that no key can reach', file.replace('when: { privileged: true }', 'when: {}'), /tierRules.1.when must not be empty/],
    [
      'rules that leave a key without a tier',
      file.replace("  - { tier: medium, because: 'it is internal, with limited scope' }\n", ''),
      /tierRules must end in a rule without "when"/,
    ],
    [
      'row 42: a pattern with anything but *',
      file.replace('[prod*]', () => "['(prod+)+$']"),
      /tierRules.0.when.environment.0 must be a name, in which \* stands/,
    ],
    ['row 41: a cron line', nights("cron: '0 22 31 2 *'"), /windows.0.cron is not a known field/],
    ['row 41: a time with seconds', nights("from: '22:00:30', to: '06:00'"), /windows.0.from must be a time like 22:00, without seconds/],
    [
      'row 41: the 31st of February',
      freeze("from: '2027-02-31T00:00:00Z', until: '2027-03-31T00:00:00Z'"),
      /holds.0.from must be an instant in UTC/,
    ],
    [
      'row 41: an instant of a local zone',
      freeze("from: '2027-02-01T00:00:00+07:00', until: '2027-03-31T00:00:00Z'"),
      /holds.0.from must be an instant in UTC/,
    ],
    ['row 41: a zone that is none', nights("from: '22:00', to: '06:00', zone: Mars/Base"), /windows.0.zone is no time zone/],
    [
      'a window shorter than the pause between two looks',
      nights("when: { tier: [low] }, from: '22:00', to: '23:00'"),
      /windows.0.to must be at least 21600 s after/,
    ],
    [
      'a hold that ends before it begins',
      freeze("from: '2027-02-01T00:00:00Z', until: '2027-01-31T00:00:00Z'"),
      /holds.0.until must be after/,
    ],
    ['a hold without an end', freeze("from: '2027-02-01T00:00:00Z'"), /holds.0.until is missing/],
    ['a hold of a year', freeze("from: '2027-01-01T00:00:00Z', until: '2028-01-01T00:00:00Z'"), /holds.0.until must be at most 92 days/],
    [
      'a hold without a reason',
      part("holds: [{ name: x, from: '2027-01-01T00:00:00Z', until: '2027-01-02T00:00:00Z' }]"),
      /holds.0.reason is missing/,
    ],
    [
      'row 40: nobody who may revoke',
      file.replace('actions: [revoke, reissue]', 'actions: [reissue]'),
      /authority must let somebody revoke keys of tier high/,
    ],
    [
      'row 40: approval for an emergency',
      file.replace('    actions: [revoke, reissue]', '    approvals: 2\n    actions: [revoke, reissue]'),
      /authority.0.approvals is not a known field/,
    ],
    [
      'POL-Q1: one role that creates and revokes',
      file.replace('[revoke, reissue]', '[revoke, create]').replace('roles: [responder]', 'roles: [operator, responder]'),
      /must keep create, approve and revoke apart; operator has/,
    ],
    [
      'POL-I5: a report that nobody verified and that ends a key',
      file.replace('confidence: [verified], does: revoke', 'confidence: [unverified], does: revoke'),
      /triggers.0.does must not end a key on a report/,
    ],
    [
      'POL-I2: a departure that ends keys',
      file.replace('source: [vendor-end]', 'source: [departure]'),
      /triggers.3.does must not end a key because somebody left/,
    ],
    [
      'triggers that leave a report undecided',
      file.replace('verified, reported, unverified], does: case', 'verified, reported], does: case'),
      /triggers must end in a row for every source/,
    ],
    [
      'a chain in which the last may be nobody',
      file.replace('      - { who: on-call, after: PT1H }\n', ''),
      /tiers.high.page must end with on-call/,
    ],
    [
      'POL-V1: a policy that is looked at every second year',
      file.replace('policyEvery: P365D', 'policyEvery: P730D'),
      /reviews.policyEvery must be at most a year/,
    ],
    ['no share for revocations', file.replace('revokeShare: 0.2', 'revokeShare: 0'), /pace.revokeShare must be more than 0/],
    [
      'a target that nobody can meet',
      file.replace('dead: PT15M, restore: PT1H', 'dead: PT15M, restore: PT1M'),
      /tiers.high.targets.restore must be at least "dead"/,
    ],
  ])('%s', (_, text, message) => {
    expect(text).not.toBe(file);
    expect(faults(text)).toMatch(/^E_INPUT_INVALID/);
    expect(faults(text)).toMatch(message);
    expect(faults(text)).toMatch(/policy\.yaml, line \d+, column \d+/);
  });

  test('what a file leaves out is as shipped, and its versions may live half as long again as its period', () => {
    const short = `${file.slice(0, file.indexOf('\ntierRules:')).replace(/^ {4}(?:maxLifetime|probeEvery|reportEvery|drillEvery|accessReviewEvery|dormantAfter|remindBefore|targets|page):.*\n(?: {6}.*\n)*/gm, '')}\n`;
    expect(readPolicy(short, 'policy.yaml', productionSettings)).toEqual(defaultPolicy);
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
