import type { AuditEntry } from '../audit.ts';
import { keyOfChain, type LogChain, type Period, said } from './period.ts';

/** A key as the log alone tells it, at the end of a period. What the log does not say is empty. */
export interface KeyRow {
  readonly key: string;
  readonly owner: string;
  readonly team: string;
  readonly unit: string;
  readonly environment: string;
  readonly provider: string;
  readonly tier: string;
  readonly state: string;
  readonly version: string;
  readonly registered: string;
  /** When the version in use was made, as far as the log tells. */
  readonly renewed: string;
}

type Step = (row: KeyRow, entry: AuditEntry) => Partial<KeyRow>;

const facts: Step = (row, entry) => {
  const named = ['owner', 'team', 'unit', 'environment', 'provider', 'tier'] as const;
  return Object.fromEntries(named.map((name) => [name, said(entry, name) || row[name]]));
};
const state =
  (is: string): Step =>
  () => ({ state: is });

/** What each event changes of the row; every other one changes nothing. */
const steps: Readonly<Record<string, Step>> = {
  'key.registered': (row, entry) => ({ ...facts(row, entry), state: 'registered', registered: entry.at }),
  'key.changed': facts,
  'key.derived': facts,
  'key.owner-changed': (_row, entry) => ({ owner: said(entry, 'to') }),
  'key.offboarding': state('offboarding'),
  'key.retired': () => ({ state: 'retired', version: '' }),
  'version.adopted': (_row, entry) => ({ state: 'active', version: said(entry, 'version'), renewed: entry.at }),
  'rotation.started': state('rotating'),
  'rotation.aborted': state('rolling back'),
  'rotation.rolled-back': (row, entry) => ({ state: said(entry, 'current') === '0' ? 'registered' : 'active', version: row.version }),
  'rotation.done': (_row, entry) => ({ state: 'active', version: said(entry, 'current'), renewed: entry.at }),
  'revocation.requested': state('revoking'),
  'revocation.contained': state('contained'),
  'revocation.closed': (_row, entry) => ({ state: 'active', version: said(entry, 'current'), renewed: entry.at }),
};

/** The row of a key at the end of a period; null for a journal, and for a key that was registered later. */
export function keyRow({ chain, entries }: LogChain, { to }: Period): KeyRow | null {
  const key = keyOfChain(chain);
  if (key === null) return null;
  const nothing = {
    owner: '',
    team: '',
    unit: '',
    environment: '',
    provider: '',
    tier: '',
    state: '',
    version: '',
    registered: '',
    renewed: '',
  };
  const known = entries.filter(({ at }) => at < to);
  if (known.length === 0) return null;
  const row: KeyRow = { key, ...nothing };
  for (const entry of known) Object.assign(row, steps[entry.event]?.(row, entry));
  return row;
}
