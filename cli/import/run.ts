import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { Refused } from '../../core/errors.ts';
import type { ImportedRow } from '../../requests/import.ts';
import type { KeyRow, RejectedRow } from '../../requests/key-document.ts';
import type { Session } from '../session.ts';
import { csvKeys } from './csv-keys.ts';
import { inGroups, isKey, type Row, settled } from './rows.ts';
import { yamlKeys } from './yaml-keys.ts';

export interface ImportOptions {
  readonly files: readonly string[];
  /** Import the good rows although others are refused. */
  readonly partial: boolean;
  readonly dryRun: boolean;
  /** Where the rows that were refused are written, one JSON document in a line. */
  readonly rejected: string;
}

export interface Imported {
  readonly rows: number;
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly refused: number;
  /** The first of them; all are in the file. */
  readonly first: readonly RejectedRow[];
  readonly rejected: string | null;
}

/** As many rows as one request takes; as many requests as are under way at once; as many refused rows as are shown. */
const group = 100;
const atOnce = 4;
const shown = 20;

/**
 * Imports keys from CSV and YAML files of any size: first every row is read and looked at, then, if all are good, they are registered. Rows that
 * are there already stay as they are, so that an interrupted import goes on when it is run again. Refused rows are written to a file with their
 * reasons, and by default keep all others from being imported. Throws Refused for a file that cannot be read or that seems to hold a value.
 */
export async function importKeys(session: Session, options: ImportOptions): Promise<Imported> {
  const refused = new Refusals(options.rejected);
  try {
    let rows = 0;
    await through(rowsOf(options.files), async (some) => {
      rows += some.length;
      refused.add(...some.filter((row): row is RejectedRow => !isKey(row)));
      refused.add(...(await ask(session, some.filter(isKey), true)).refused);
      tell(session, `${rows} rows looked at`, rows);
    });
    const counts = { created: 0, changed: 0, unchanged: 0 };
    const go = !options.dryRun && (options.partial || refused.count === 0);
    if (go) {
      let done = 0;
      await through(rowsOf(options.files), async (some) => {
        const good = some.filter(isKey).filter(({ facts }) => !refused.ids.has(facts.id));
        const { answers, refused: late } = await ask(session, good, false);
        refused.add(...late);
        for (const { outcome } of answers) if (outcome in counts) counts[outcome as keyof typeof counts] += 1;
        done += good.length;
        tell(session, `${done} of ${rows} rows imported`, done);
      });
    }
    session.redraw('');
    return { rows, ...counts, refused: refused.count, first: refused.first, rejected: await refused.end() };
  } catch (error) {
    await refused.drop();
    throw error;
  }
}

/** The rows that were refused: written as they come, so that any number of them costs no memory. */
class Refusals {
  readonly ids = new Set<string>();
  readonly first: RejectedRow[] = [];
  readonly #path: string;
  #file: ReturnType<typeof createWriteStream> | undefined;
  count = 0;

  constructor(path: string) {
    this.#path = path;
  }

  add(...rows: readonly RejectedRow[]): void {
    for (const row of rows) {
      this.count += 1;
      if (row.id) this.ids.add(row.id);
      if (this.first.length < shown) this.first.push(row);
      this.#file ??= createWriteStream(this.#path, { mode: 0o600 });
      this.#file.write(`${JSON.stringify(row)}\n`);
    }
  }

  async end(): Promise<string | null> {
    if (!this.#file) return null;
    this.#file.end();
    await finished(this.#file);
    return this.#path;
  }

  /** Nothing half is left. */
  async drop(): Promise<void> {
    if (await this.end().catch(() => null)) await rm(this.#path, { force: true });
  }
}

async function* everyRowOf(files: readonly string[]): AsyncIterable<Row> {
  for (const file of files) {
    if (/\.csv$/i.test(file)) yield* csvKeys(file);
    else if (/\.ya?ml$/i.test(file)) yield* yamlKeys(file);
    else throw new Refused('E_USAGE', `${file} is neither .csv nor .yaml`);
  }
}

const rowsOf = (files: readonly string[]): AsyncIterable<Row> => settled(everyRowOf(files));

/** Groups of rows, a few of them at work at once, in bounded memory. */
async function through(rows: AsyncIterable<Row>, work: (some: Row[]) => Promise<void>): Promise<void> {
  const under = new Set<Promise<void>>();
  const failures: Error[] = [];
  for await (const some of inGroups(rows, group)) {
    const one: Promise<void> = work(some)
      .catch((error: Error) => void failures.push(error))
      .finally(() => under.delete(one));
    under.add(one);
    if (under.size >= atOnce) await Promise.race(under);
    if (failures.length) break;
  }
  await Promise.all(under);
  if (failures[0]) throw failures[0];
}

async function ask(
  session: Session,
  rows: readonly KeyRow[],
  dryRun: boolean,
): Promise<{ answers: ImportedRow[]; refused: RejectedRow[] }> {
  if (rows.length === 0) return { answers: [], refused: [] };
  const facts = rows.map((row) => row.facts);
  const answers = await session.door.ask<ImportedRow[]>('key.register', { rows: facts, ...(dryRun ? { dryRun } : {}) });
  const refused = answers.flatMap((answer, i): RejectedRow[] => {
    const source = rows[i]?.source ?? '';
    if (answer.outcome !== 'refused') return [];
    return [{ id: answer.keyId, source, problems: answer.problems.map(({ path, message }) => ({ path: `${source}: ${path}`, message })) }];
  });
  return { answers, refused };
}

/** A line that is redrawn for people, and one now and then for a log. */
function tell(session: Session, text: string, rows: number): void {
  session.redraw(text);
  if (!session.live && rows % 10_000 < group) session.note(text);
}
