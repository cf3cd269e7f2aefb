import { createReadStream } from 'node:fs';
import { type CsvError, type Info, parse } from 'csv-parse';
import { Refused } from '../../core/errors.ts';
import { hasVendorSecret, looksSecret } from '../../core/secret-detector.ts';
import { readKeyRow } from '../../requests/key-document.ts';
import type { Row } from './rows.ts';
import { utf8 } from './utf8.ts';

/** Columns that hold one text each, as the field of the key document of that name. */
const texts = [
  'id',
  'owner',
  'team',
  'unit',
  'environment',
  'purpose',
  'provider',
  'account',
  'exposure',
  'store',
  'expires',
  'overlap',
  'acceptsGap',
  'mode',
];
/** Columns that hold a list, by `;`. */
const lists = ['scopes', 'readers', 'monitors'];

/**
 * The keys of a CSV file (RFC 4180, UTF-8 with or without a byte order mark), row by row, with the number of the line that each ends on. Its
 * columns are those that `rekey export --csv` writes. Throws Refused for a file that cannot be read at all, and E_SECRET_IN_INPUT at the first
 * cell that looks like a key's value. No message repeats a cell.
 */
export async function* csvKeys(path: string): AsyncIterable<Row> {
  const parser = parse({
    bom: true,
    columns: (header: string[]) => checked(header, path),
    info: true,
    relax_column_count: true,
    max_record_size: 65_536,
  });
  const input = createReadStream(path).on('error', (error) => parser.destroy(unreadable(path, error)));
  const text = utf8(path).on('error', (error) => parser.destroy(error));
  input.pipe(text).pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: Record<string, string>; info: Info }>) {
      const source = `${path}, line ${info.lines}`;
      refuseSecrets(record, source);
      if ((info as { readonly error?: unknown }).error)
        yield { id: null, source, problems: [{ path: source, message: 'has another number of cells than the heading' }] };
      else yield readKeyRow(documentOf(record), source);
    }
  } catch (error) {
    if (error instanceof Refused) throw error;
    const { code, lines } = error as CsvError & { lines?: number };
    throw new Refused('E_INPUT_INVALID', `${path} is no CSV that can be read`, [
      { path: `${path}, line ${lines ?? '?'}`, message: `a quote or a line is not as it should be (${code ?? 'unknown'})` },
    ]);
  }
}

function checked(header: string[], path: string): string[] {
  const known = (name: string) =>
    [...texts, ...lists, 'destinations', 'consumers', 'contacts', 'reissue'].includes(name) ||
    ['privileged', 'exclusive', 'publishable'].includes(name) ||
    /^params\.[A-Za-z0-9_-]{1,64}$/.test(name);
  const unknown = header.filter((name) => !known(name));
  const twice = header.filter((name, i) => header.indexOf(name) !== i);
  const problems = [
    ...unknown.map((name) => ({
      path: `${path}, line 1`,
      message: looksSecret(name) ? 'a column’s name looks like a key’s value' : `column ${name.slice(0, 40)} is not known`,
    })),
    ...twice.map((name) => ({ path: `${path}, line 1`, message: `column ${name.slice(0, 40)} is there twice` })),
    ...(header.includes('id') ? [] : [{ path: `${path}, line 1`, message: 'there is no column id: the first line must name the columns' }]),
  ];
  if (problems.length) throw new Refused('E_INPUT_INVALID', `the heading of ${path} cannot be used`, problems);
  return header;
}

function refuseSecrets(record: Readonly<Record<string, string>>, source: string): void {
  for (const [column, cell] of Object.entries(record)) {
    // A vendor's own ids under `params` are irregular too; only a known shape or a very long run counts there.
    if (!hasVendorSecret(cell) && !looksSecret(cell, column.startsWith('params.') ? 40 : 24)) continue;
    throw new Refused(
      'E_SECRET_IN_INPUT',
      `${source} seems to hold a key's value, so none of the file was used. If it is a real one, treat it as leaked: rekey revoke --leaked -`,
      [{ path: source, message: 'looks like a key’s value' }],
    );
  }
}

/** The key document that a row stands for; a cell that is empty is a field that is not there. */
function documentOf(record: Readonly<Record<string, string>>): Record<string, unknown> {
  // What export put before a formula is taken away again.
  const plain = (text: string) => text.replace(/^'(?=[=+\-@\t\r])/, '');
  const cell = (name: string) => plain(record[name]?.trim() ?? '') || undefined;
  const parts = (name: string) =>
    cell(name)
      ?.split(';')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  const params = Object.entries(record).filter(([name, value]) => name.startsWith('params.') && value !== '');
  const contacts = parts('contacts');
  return defined({
    apiVersion: 'rekey/v1',
    kind: 'Key',
    ...Object.fromEntries(texts.map((name) => [name, cell(name)])),
    ...Object.fromEntries(lists.map((name) => [name, parts(name)])),
    privileged: truth(cell('privileged')),
    exclusive: truth(cell('exclusive')),
    publishable: truth(cell('publishable')),
    params: params.length ? Object.fromEntries(params.map(([name, value]) => [name.slice('params.'.length), plain(value)])) : undefined,
    destinations: parts('destinations')?.map(destinationOf),
    consumers: Object.hasOwn(record, 'consumers') ? (parts('consumers') ?? []).map(consumerOf) : undefined,
    incident: contacts || cell('reissue') ? defined({ contacts: contacts ?? [], reissue: cell('reissue') }) : undefined,
  });
}

const truth = (cell: string | undefined): unknown => (cell === undefined ? undefined : ({ true: true, false: false }[cell] ?? cell));

/** `app=local-file:/etc/app/key` */
function destinationOf(part: string): unknown {
  const [, id, kind, at] = /^([^=]+)=([^:]+):(.+)$/.exec(part) ?? [];
  return id === undefined ? part : { id: id.trim(), kind: kind?.trim(), at: at?.trim() };
}

/** `checkout|team-shop|shop@example.com|PT5M|cached|possession|PT10M`: its roll-out comes last; the last three may be left out. */
function consumerOf(part: string): unknown {
  const [name, owner, contact, refresh, kind, proof, deploy] = part.split('|').map((one) => one.trim());
  return defined({ name, owner, contact, refresh, class: kind, proof, deploy });
}

const defined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const unreadable = (path: string, error: unknown) =>
  new Refused('E_USAGE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
