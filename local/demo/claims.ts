import type { LogLine } from '../sandbox/journal.ts';

/** One sentence about what happened, whether the vendor's own log bears it out, and what the log says. */
export interface Claim {
  readonly says: string;
  readonly holds: boolean;
  readonly seen: string;
}

type Log = readonly LogLine[];

/** Two versions of a key by the vendor's ids. */
export interface Pair {
  readonly from: { readonly number: number; readonly id: string };
  readonly to: { readonly number: number; readonly id: string };
}

/** A rotation: overlap, nobody on the old version when it was disabled, the old version dead, and no call refused. */
export function rotationClaims(log: Log, { from, to }: Pair): Claim[] {
  const firstNew = log.findIndex((line) => isWork(line, to.id) && line.outcome === 'accepted');
  const lastOld = log.findLastIndex((line) => isWork(line, from.id) && line.outcome === 'accepted');
  const disabled = disableOf(log, from.id);
  const late = log.slice(disabled + 1).filter((line) => isWork(line, from.id)).length;
  return [
    {
      says: `versions ${from.number} and ${to.number} were both in use for a while`,
      holds: firstNew >= 0 && lastOld > firstNew,
      seen: firstNew >= 0 && lastOld > firstNew ? `${seconds(log, firstNew, lastOld)} s with both` : 'never both',
    },
    {
      says: `no service used version ${from.number} any more when it was disabled`,
      holds: disabled > 0 && late === 0 && firstNew >= 0 && firstNew < disabled,
      seen: `${late} calls with it afterwards`,
    },
    dead(log, from, disabled),
    unharmed(log, [from.id, to.id]),
  ];
}

/** A rollback: the new version was refused when it was verified and is dead; the old one never stopped working. */
export function rollbackClaims(log: Log, { from, to }: Pair): Claim[] {
  const disabled = disableOf(log, to.id);
  const before = disabled < 0 ? log : log.slice(0, disabled);
  const refused = before.filter((line) => line.operation === 'whoami' && line.credentialId === to.id && line.outcome === 'refused').length;
  const working = log.slice(disabled + 1).filter((line) => isWork(line, from.id) && line.outcome === 'accepted').length;
  const told = log.filter((line) => line.operation === 'disable' && line.path.includes(`/keys/${from.id}/`)).length;
  return [
    { says: `the vendor refused version ${to.number} when it was verified`, holds: refused > 0, seen: `${refused} times` },
    dead(log, to, disabled),
    {
      says: `version ${from.number} was never disabled and goes on working`,
      holds: disabled > 0 && working > 0 && told === 0,
      seen: `${working} calls since, ${told} disables`,
    },
    unharmed(log, [from.id, to.id]),
  ];
}

/** A revocation: the leaked version dead, and the services at work again with the next one. */
export function revocationClaims(log: Log, { from, to }: Pair, services: number): Claim[] {
  const disabled = disableOf(log, from.id);
  const again = log.slice(disabled + 1).filter((line) => isWork(line, to.id) && line.outcome === 'accepted').length;
  const refused = log.filter((line) => isWork(line, to.id) && line.outcome !== 'accepted').length;
  return [
    dead(log, from, disabled),
    {
      says: `the services work again, with version ${to.number}`,
      holds: disabled > 0 && again >= services && refused === 0,
      seen: `${again} calls accepted, ${refused} refused`,
    },
  ];
}

/** When the vendor was told to refuse a credential, and when it had refused it twice: milliseconds since 1970, or undefined. */
export function deathOf(log: Log, id: string): { readonly disabledAt: number | undefined; readonly provenAt: number | undefined } {
  const disabled = disableOf(log, id);
  const refusals =
    disabled < 0
      ? []
      : log.slice(disabled + 1).filter((line) => line.credentialId === id && line.outcome === 'refused' && line.operation === 'whoami');
  const at = (line: LogLine | undefined) => (line ? Date.parse(line.at) : undefined);
  return { disabledAt: at(log[disabled]), provenAt: at(refusals[1]) };
}

/** Dead: refused after the disable, and never accepted after the first refusal. */
function dead(log: Log, { number, id }: Pair['from'], disabled: number): Claim {
  const after = disabled < 0 ? [] : log.slice(disabled + 1).filter((line) => line.credentialId === id);
  const first = after.findIndex((line) => line.outcome === 'refused');
  const revived = first < 0 ? 0 : after.slice(first).filter((line) => line.outcome === 'accepted').length;
  const refusals = after.filter((line) => line.outcome === 'refused').length;
  return {
    says: `version ${number} is dead`,
    holds: refusals > 0 && revived === 0,
    seen: `${refusals} refused after its disable, ${revived} accepted after the first of them`,
  };
}

function unharmed(log: Log, ids: readonly string[]): Claim {
  const calls = log.filter((line) => line.operation === 'work' && (ids.includes(line.credentialId) || line.credentialId === 'unknown'));
  const refused = calls.filter((line) => line.outcome === 'refused').length;
  return {
    says: 'no call of a service was refused',
    holds: calls.length > 0 && refused === 0,
    seen: `${calls.length} calls, ${refused} refused`,
  };
}

function isWork(line: LogLine, id: string): boolean {
  return line.operation === 'work' && line.credentialId === id;
}

/** Where the log has the disable of a credential; -1 when it has none. */
function disableOf(log: Log, id: string): number {
  return log.findIndex((line) => line.operation === 'disable' && line.outcome === 'accepted' && line.path.endsWith(`/keys/${id}/disable`));
}

function seconds(log: Log, from: number, to: number): string {
  return ((Date.parse(log[to]?.at ?? '') - Date.parse(log[from]?.at ?? '')) / 1000).toFixed(1);
}
