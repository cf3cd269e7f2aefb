import type { KeyReport } from '../core/show.ts';
import { about } from './elapsed.ts';

/**
 * What a revocation means, in plain words: which version is dead and cannot return, which one can reach how many services in about how long,
 * and what to type for it. `scope` is what was asked to be revoked: the record marks versions as compromised a moment after that.
 */
export function aftermath(report: KeyReport, scope: 'all' | readonly number[]): string[] {
  const { id, versions, operation, facts, state } = report;
  const asked = (number: number) => (scope === 'all' ? state === 'revoking' : scope.includes(number));
  const revoked = versions.filter(({ number, compromised }) => compromised || asked(number));
  const dead = revoked.filter(({ state }) => state === 'disabled' || state === 'destroyed').map(({ number }) => number);
  const dying = revoked.map(({ number }) => number).filter((number) => !dead.includes(number));
  const usable = versions.find((version) => version.number === report.current && version.state === 'live' && !revoked.includes(version));
  const next =
    operation?.kind === 'revoke' && operation.newVersion > 0
      ? operation.newVersion
      : Math.max(0, ...versions.map(({ number }) => number)) + 1;
  return [
    ...(dead.length ? [`${named(dead)} of ${id} ${is(dead)} dead: proven refused by ${report.provider}. It cannot return.`] : []),
    ...(dying.length
      ? [`${named(dying)} of ${id} ${is(dying)} not proven dead yet: CONTAINMENT INCOMPLETE. ${report.provider} is asked until it is.`]
      : []),
    usable
      ? `Version ${usable.number} is in use and was not revoked: services go on with it, or as soon as they read it.`
      : `Version ${next} can reach ${reach(facts.consumers.map(({ refreshSeconds }) => refreshSeconds))}.`,
    ...(usable ? [] : command(report)),
  ];
}

function command({ id, operation }: KeyReport): string[] {
  if (operation?.kind === 'revoke' && !operation.waitsFor) return ['It is issued by itself when that is safe.'];
  return [
    `It is held back until you say so: rekey reissue ${id} --reason "…"`,
    `Was this the wrong key? rekey reissue ${id} --mistake --reason "…"`,
  ];
}

function reach(refreshSeconds: readonly number[]): string {
  const count = refreshSeconds.length;
  // Issuing and writing take well under a minute; the slowest consumer's own refresh is the rest.
  const seconds = 30 + Math.max(0, ...refreshSeconds);
  return `${count === 0 ? 'whoever reads its destinations' : `${count} service${count === 1 ? '' : 's'}`} in ${about(seconds)} after it is issued`;
}

function named(numbers: readonly number[]): string {
  return `Version${numbers.length === 1 ? '' : 's'} ${numbers.join(', ')}`;
}

function is(numbers: readonly number[]): string {
  return numbers.length === 1 ? 'is' : 'are';
}
