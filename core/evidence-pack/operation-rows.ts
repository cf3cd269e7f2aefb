import type { AuditEntry } from '../audit.ts';
import { milliseconds } from '../time.ts';
import { isIn, keyOfChain, type LogChain, type Period, said } from './period.ts';

/** A rotation that began in the period. `late`: a breach of its due date stood open when it began. */
export interface RotationRow {
  readonly key: string;
  readonly reason: string;
  readonly by: string;
  readonly started: string;
  readonly ended: string;
  readonly outcome: 'done' | 'rolled back' | 'superseded' | 'open';
  readonly timing: 'on time' | 'late';
}

/** A revocation that was asked for in the period, with its times in seconds since then; empty while it has not come to that. */
export interface RevocationRow {
  readonly key: string;
  readonly by: string;
  readonly reason: string;
  readonly source: string;
  readonly kind: string;
  readonly requested: string;
  readonly disabled: string;
  readonly dead: string;
  readonly closed: string;
  readonly secondsToDisabled: number | '';
  readonly secondsToDead: number | '';
}

/** A version that was proven dead in the period, and what proved it. */
export interface DeathRow {
  readonly key: string;
  readonly version: string;
  readonly at: string;
  readonly proof: string;
}

const ends: Readonly<Record<string, RotationRow['outcome']>> = {
  'rotation.done': 'done',
  'rotation.rolled-back': 'rolled back',
  'rotation.superseded': 'superseded',
};

/** The rotations of a key that began in the period. */
export function rotationRows({ chain, entries }: LogChain, period: Period): RotationRow[] {
  const key = keyOfChain(chain);
  if (key === null) return [];
  return entries.flatMap((entry, i): RotationRow[] => {
    if (entry.event !== 'rotation.started' || !isIn(period, entry.at)) return [];
    const operation = said(entry, 'operation');
    const end = entries.slice(i).find((one) => ends[one.event] && said(one, 'operation') === operation && one.at < period.to);
    return [
      {
        ...{ key, reason: said(entry, 'reason'), by: entry.actor, started: entry.at, ended: end?.at ?? '' },
        outcome: (end && ends[end.event]) ?? 'open',
        timing: isOverdue(entries.slice(0, i)) ? 'late' : 'on time',
      },
    ];
  });
}

/** Whether, after these entries, a breach of the due date stands open. */
function isOverdue(entries: readonly AuditEntry[]): boolean {
  const about = entries.filter((entry) => entry.event.startsWith('breach.') && said(entry, 'rule') === 'overdue');
  return about.at(-1)?.event === 'breach.opened';
}

/** The revocations of a key that were asked for in the period; what met in one revocation is one row. */
export function revocationRows({ chain, entries }: LogChain, period: Period): RevocationRow[] {
  const key = keyOfChain(chain);
  if (key === null) return [];
  const rows: RevocationRow[] = [];
  let open = false;
  for (const [i, entry] of entries.entries()) {
    if (entry.event === 'revocation.closed' || entry.event === 'key.offboarding') open = false;
    if (entry.event !== 'revocation.requested') continue;
    const joins = open;
    open = true;
    if (joins || !isIn(period, entry.at)) continue;
    const until = entries.slice(i).findIndex(({ event }) => event === 'revocation.closed' || event === 'key.offboarding');
    const own = entries.slice(i, until < 0 ? undefined : i + until + 1).filter(({ at }) => at < period.to);
    const first = (event: string) => own.find((one) => one.event === event)?.at ?? '';
    const [disabled, dead] = [first('revocation.disabled'), first('revocation.contained')];
    rows.push({
      ...{ key, by: entry.actor, reason: said(entry, 'reason'), source: said(entry, 'source'), kind: said(entry, 'kind') || 'emergency' },
      ...{ requested: entry.at, disabled, dead, closed: first('revocation.closed') },
      secondsToDisabled: seconds(entry.at, disabled),
      secondsToDead: seconds(entry.at, dead),
    });
  }
  return rows;
}

const seconds = (from: string, to: string): number | '' => (to === '' ? '' : Math.round((milliseconds(to) - milliseconds(from)) / 1000));

/** The versions of a key that were proven dead in the period. */
export function deathRows({ chain, entries }: LogChain, period: Period): DeathRow[] {
  const key = keyOfChain(chain);
  if (key === null) return [];
  return entries
    .filter(({ event, at }) => event === 'version.dead' && isIn(period, at))
    .map((entry) => ({ key, version: said(entry, 'version'), at: entry.at, proof: said(entry, 'proof') }));
}
