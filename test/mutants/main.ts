import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { catalogue, isSimulated, type Killer, killers, type Row, testsOf, textsOf } from './catalogue.ts';
import { failing, hunt } from './hunters.ts';
import { inWords } from './killer.ts';
import { explained } from './mechanisms.ts';
import { DoesNotApply, type Mutant } from './mutant.ts';
import { root, type ThrowAway, throwAway } from './throw-away.ts';

const usage = `Usage: npm run mutants -- [options]
  --only WORDS   the mutants whose name has these words
  --new          those that have no known killer yet
  --seeds N      how many seeds to search where the known killer no longer kills (3000)
  --workers N    processes, 1 or 2 (2)
  --store        writes what was found to test/mutants/killers.json
  --json         the table as JSON`;

/** What became of a mutant: who killed it, or why nobody did. */
interface Fate {
  readonly row: Row;
  readonly killer: Killer | null;
  /** The invariants, or the titles of the tests, that went red. */
  readonly red: readonly string[];
  readonly note: string;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    new: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '3000' },
    workers: { type: 'string', default: '2' },
    store: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else await everyMutant(whole(values.seeds), Math.min(2, whole(values.workers) || 1));

function whole(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0 && number < 2 ** 31) return number;
  console.error(usage);
  process.exit(2);
}

async function everyMutant(seeds: number, workers: number): Promise<void> {
  const rows = catalogue().filter(({ mutant: { name } }) => name.includes(values.only) && !(values.new && killers[name]));
  await soundWithout(rows);
  const waiting = rows.values();
  const fates: Fate[] = [];
  const work = async () => {
    const copy = throwAway();
    try {
      for (const row of waiting) {
        fates.push(await fateOf(row, copy, seeds));
        progress(fates, rows.length);
        // As they are found: a search is long, and may be broken off.
        if (values.store) store(fates);
      }
    } finally {
      copy.end();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  if (process.stderr.isTTY) process.stderr.write('\n');
  fates.sort((a, b) => rows.indexOf(a.row) - rows.indexOf(b.row));
  print(fates);
  if (fates.some(survives)) process.exitCode = 1;
}

/** The histories that are said to kill mutants say nothing if they break the product as it is. */
async function soundWithout(rows: readonly Row[]): Promise<void> {
  const known = rows.flatMap(({ mutant }) => {
    const killer = killers[mutant.name];
    return killer && 'by' in killer ? [killer.by] : [];
  });
  const { death, stopped, why } = await hunt(root, { known, shows: [], seeds: 0 });
  if (death) console.error(`the product itself breaks ${death.invariants.join(' ')} with ${inWords(death.by)}: ${death.seen}`);
  if (stopped) console.error(`a history of the product itself could not be told: ${why}`);
  if (death || stopped) process.exit(1);
}

async function fateOf(row: Row, copy: ThrowAway, seeds: number): Promise<Fate> {
  if (row.because !== undefined && row.mutant.edits.length === 1) return { row, killer: null, red: [], note: row.because };
  try {
    return await copy.holding(textsOf(row.mutant, copy.path), () => killed(row, copy.path, seeds));
  } catch (error) {
    const why = error instanceof DoesNotApply ? 'does not apply' : 'does not run';
    return { row, killer: null, red: [], note: `${why}: ${(error as Error).message}` };
  }
}

/** Tries the known killer; where there is none, or it no longer kills, looks among histories, and then among the tests of its file. */
async function killed(row: Row, path: string, seeds: number): Promise<Fate> {
  const { mutant } = row;
  const known = killers[mutant.name];
  const tests = known && 'test' in known ? [known] : testsOf(mutant);
  if (known && 'by' in known) {
    const { death } = await hunt(path, { known: [known.by], shows: mutant.shows ?? [], seeds: 0 });
    if (death) return { row, killer: known, red: foremost(death.invariants, mutant), note: '' };
  }
  const note = known ? `${byWords(known)} no longer kills it: --store` : '';
  let survived = '';
  if (!(known && 'test' in known) && isSimulated(mutant)) {
    const { death, told, stopped, why } = await hunt(path, { known: [], shows: mutant.shows ?? [], seeds });
    if (death) return { row, killer: { by: death.by }, red: foremost(death.invariants, mutant), note };
    survived = `survived ${told} histories${stopped ? `; ${stopped} stopped: ${why}` : ''}`;
  }
  for (const { test, titled } of tests) {
    const red = await failing(path, test, titled);
    if (red[0]) return { row, killer: { test, titled: titled || red[0] }, red: [red[0]], note: titled ? '' : note };
  }
  return { row, killer: null, red: [], note: `${survived} and ${tests.length} files of tests` };
}

/** What the mutant is about comes first. */
function foremost(invariants: readonly string[], { shows = [] }: Mutant): string[] {
  return [...invariants].sort((a, b) => Number(shows.includes(b)) - Number(shows.includes(a)));
}

/** Explained conditions are no mutants of their own. */
function survives({ row, killer }: Fate): boolean {
  return killer === null && !(row.because !== undefined && row.mutant.edits.length === 1);
}

function byWords(killer: Killer): string {
  return 'by' in killer ? inWords(killer.by) : `${killer.test}, ${killer.titled}`;
}

/** On a terminal one line that changes; elsewhere a line for each mutant. */
function progress(fates: readonly Fate[], all: number): void {
  const last = fates.at(-1) as Fate;
  const line = `${fates.length} of ${all} mutants, ${fates.filter(survives).length} alive`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}  `);
  else console.error(`${line}; ${last.row.mutant.name}: ${last.red.join(' ') || last.note}`);
}

function store(fates: readonly Fate[]): void {
  const found = fates.flatMap(({ row, killer }): [string, Killer][] => (killer ? [[row.mutant.name, killer]] : []));
  const all = { ...killers, ...Object.fromEntries(found) };
  const kept = catalogue().flatMap(({ mutant: { name } }) => (all[name] ? [[name, all[name]]] : []));
  writeFileSync(join(root, 'test', 'mutants', 'killers.json'), `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`);
}

function print(fates: readonly Fate[]): void {
  const headings = { protocol: 'mechanisms of the protocol', own: 'our own', condition: 'conditions of production writes' } as const;
  if (values.json) {
    const rows = fates.map(({ row, killer, red, note }) => ({
      mutant: row.mutant.name,
      kind: row.kind,
      red,
      killer,
      because: row.because,
      note,
    }));
    console.log(JSON.stringify({ mutants: rows, explained }));
    return;
  }
  const width = Math.max(...fates.map(({ row }) => row.mutant.name.length), 20);
  for (const [kind, heading] of Object.entries(headings)) {
    const its = fates.filter(({ row }) => row.kind === kind);
    if (its.length) console.log(`\n${heading}`);
    for (const { row, killer, red, note } of its) {
      const backed = row.because && row.mutant.edits.length > 1 ? ` (with its second guard: ${row.because})` : '';
      const fate = killer
        ? `${(red[0] ?? '').slice(0, 24).padEnd(8)}  ${byWords(killer)}${backed}`
        : row.because
          ? `explained  ${note}`
          : `ALIVE     ${note}`;
      console.log(`  ${row.mutant.name.padEnd(width)}  ${fate}${killer && note ? ` [${note}]` : ''}`);
    }
  }
  if (!values.only) {
    console.log('\nwithout which the model breaks nothing');
    for (const { name, because } of explained) console.log(`  ${name.padEnd(width)}  explained  ${because}`);
  }
  const dead = fates.filter(({ killer }) => killer);
  const named = dead.filter(({ row }) => row.kind !== 'condition').length;
  console.log(
    `\n${dead.length} of ${fates.length} killed (${named} mechanisms, ${dead.length - named} conditions), ${fates.filter(survives).length} alive`,
  );
}
