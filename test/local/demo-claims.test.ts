import { describe, expect, test } from 'vitest';
import { type Claim, deathOf, revocationClaims, rollbackClaims, rotationClaims } from '../../local/demo/claims.ts';
import type { LogLine } from '../../local/sandbox/journal.ts';

const pair = { from: { number: 1, id: 'old' }, to: { number: 2, id: 'new' } };

/** A vendor's log in short: `work old ok`, `whoami new no`, `disable old`. */
function log(...entries: readonly string[]): LogLine[] {
  return entries.map((entry, second) => {
    const [operation = '', credentialId = '', outcome = 'ok'] = entry.split(' ');
    const onKey = operation === 'disable';
    return {
      at: new Date(second * 1000).toISOString(),
      method: 'GET',
      path: onKey ? `/v1/principals/p/keys/${credentialId}/disable` : `/v1/${operation}`,
      operation,
      credentialId: onKey ? 'admin' : credentialId,
      valueSha256: '',
      outcome: outcome === 'no' ? 'refused' : 'accepted',
      status: outcome === 'no' ? 401 : 200,
    };
  });
}

const broken = (claims: readonly Claim[]) => claims.filter(({ holds }) => !holds).map(({ says }) => says);

describe('what the demo says of a rotation', () => {
  const right = ['work old', 'work new', 'work old', 'work new', 'disable old', 'whoami old', 'whoami old no', 'work new'];

  test('holds for a log that shows it', () => {
    expect(broken(rotationClaims(log(...right), pair))).toEqual([]);
  });

  test.each([
    ['nothing happened', [], 4],
    ['the versions never overlapped', ['work old', 'work old', 'work new', 'disable old', 'whoami old no'], 1],
    ['the old version was used after its disable', [...right, 'work old no'], 2],
    ['nobody used the new version before', ['work old', 'disable old', 'whoami old no', 'work new'], 2],
    ['the old version was disabled, and nobody asked whether it is dead', right.slice(0, 5), 1],
    ['a disabled version was accepted again', [...right, 'whoami old'], 1],
    ['a service was refused', [...right, 'work new no'], 1],
    ['a service was refused with a value that nobody knows', [...right, 'work unknown no'], 1],
  ])('does not hold when %s', (_, entries, count) => {
    expect(broken(rotationClaims(log(...entries), pair))).toHaveLength(count);
  });
});

describe('what the demo says of a rollback', () => {
  const right = ['work old', 'work new', 'whoami new no', 'work old', 'disable new', 'whoami new no', 'work old'];

  test('holds for a log that shows it', () => {
    expect(broken(rollbackClaims(log(...right), pair))).toEqual([]);
  });

  test.each([
    ['nothing was refused', ['work old', 'disable new', 'whoami new no', 'work old']],
    ['the new version lives on', right.slice(0, 4)],
    ['the old version was disabled too', [...right, 'disable old']],
    ['a service was refused', [...right, 'work old no']],
  ])('does not hold when %s', (_, entries) => {
    expect(broken(rollbackClaims(log(...entries), pair))).not.toEqual([]);
  });
});

describe('what the demo says of a revocation', () => {
  const right = ['work old', 'disable old', 'whoami old no', 'whoami old no', 'work new', 'work new'];

  test('holds for a log that shows it, and tells when', () => {
    expect(broken(revocationClaims(log(...right), pair, 2))).toEqual([]);
    expect(deathOf(log(...right), 'old')).toEqual({ disabledAt: 1000, provenAt: 3000 });
  });

  test.each([
    ['it was never disabled', ['work old', 'whoami old no', 'work new', 'work new']],
    ['it was accepted after it was refused', [...right, 'work old']],
    ['the services are still out', right.slice(0, 4)],
    ['the next version is refused', [...right, 'work new no']],
  ])('does not hold when %s', (_, entries) => {
    expect(broken(revocationClaims(log(...entries), pair, 2))).not.toEqual([]);
    expect(deathOf(log('work old'), 'old')).toEqual({ disabledAt: undefined, provenAt: undefined });
  });
});
