import { stringify } from 'csv-stringify/sync';
import type { KeyFacts } from '../../core/key.ts';
import type { KeyRecord } from '../../core/search.ts';
import { formatDuration } from '../../requests/duration.ts';
import { writeKeyDocument } from '../../requests/key-document.ts';
import { everyRow } from '../pages.ts';
import type { Session } from '../session.ts';

/** The keys as YAML documents, one after the other. */
export async function* yamlDocuments(session: Session, filter: object): AsyncIterable<string> {
  for await (const { facts } of everyRow<KeyRecord>(session, 'key.export', filter)) yield `---\n${writeKeyDocument(facts)}`;
}

const columns = [
  ...['id', 'owner', 'team', 'unit', 'environment', 'purpose', 'provider', 'account', 'privileged', 'exposure', 'readers', 'scopes'],
  ...[
    'publishable',
    'store',
    'destinations',
    'consumers',
    'exclusive',
    'contacts',
    'reissue',
    'monitors',
    'expires',
    'overlap',
    'acceptsGap',
  ],
  'mode',
];

/** The keys as CSV (RFC 4180), a line each under a heading. What vendors want to know has a column for each name, so the keys are read twice. */
export async function* csvLines(session: Session, filter: object): AsyncIterable<string> {
  const params = new Set<string>();
  for await (const { facts } of everyRow<KeyRecord>(session, 'key.export', filter))
    for (const name of Object.keys(facts.params)) params.add(name);
  const names = [...params].sort();
  yield line([...columns, ...names.map((name) => `params.${name}`)]);
  for await (const { facts } of everyRow<KeyRecord>(session, 'key.export', filter)) {
    const cells = cellsOf(facts);
    yield line([...columns.map((name) => cells[name] ?? ''), ...names.map((name) => String(facts.params[name] ?? ''))]);
  }
}

function cellsOf(facts: KeyFacts): Readonly<Record<string, string>> {
  const { readers, scopes, monitors, destinations, consumers, incident, expiresAt, overlapSeconds, params: _params, ...rest } = facts;
  const plain = Object.entries(rest).map(([name, value]) => [name, String(value)] as const);
  return {
    ...Object.fromEntries(plain),
    readers: readers.join(';'),
    scopes: scopes.join(';'),
    monitors: monitors.join(';'),
    destinations: destinations.map(({ id, kind, at }) => `${id}=${kind}:${at}`).join(';'),
    consumers: consumers
      .map(({ deploySeconds, ...one }) =>
        [one.name, one.owner, one.contact, formatDuration(one.refreshSeconds), one.class, one.proof]
          .concat(deploySeconds === undefined ? [] : [formatDuration(deploySeconds)])
          .join('|'),
      )
      .join(';'),
    contacts: incident.contacts.join(';'),
    reissue: incident.reissue,
    expires: expiresAt ?? 'never',
    overlap: overlapSeconds === null ? '' : formatDuration(overlapSeconds),
  };
}

const line = (cells: readonly string[]): string => stringify([[...cells]], { escape_formulas: true, record_delimiter: 'windows' });
