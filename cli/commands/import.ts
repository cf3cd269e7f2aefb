import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { exits } from '../ending.ts';
import { type Imported, importKeys } from '../import/run.ts';
import { action, examples, type Session } from '../session.ts';

interface Options {
  readonly file: readonly string[];
  readonly partial?: boolean;
  readonly dryRun?: boolean;
  readonly rejected?: string;
}

/** `rekey import`: any number of keys from CSV or YAML. All or none, unless said otherwise; interrupted, it can be run again. */
export function importCommand(): Command {
  return new Command('import')
    .description('register any number of keys from CSV or YAML files; nothing at the vendors is touched')
    .requiredOption('-f, --file <paths...>', 'files: .csv with the columns of "rekey export --csv", or .yaml with key documents')
    .option('--partial', 'import the good rows although others are refused')
    .option('--rejected <file>', 'where refused rows are written with their reasons', 'rejected.jsonl')
    .option('--dry-run', 'look at every row, and import none')
    .addHelpText(
      'after',
      examples('import -f keys.csv --dry-run', 'import -f keys.csv', 'import -f all.yaml --partial --rejected bad.jsonl'),
    )
    .action(
      action<Options>(async (session, { file, partial = false, dryRun = false, rejected = 'rejected.jsonl' }) => {
        const imported = await importKeys(session, { files: file, partial, dryRun, rejected });
        const none = imported.refused > 0 && !partial && !dryRun;
        session.result(imported, () => text(imported, dryRun, none));
        return imported.refused > 0 ? failed(session, imported, none) : exits.ok;
      }),
    );
}

function text({ rows, created, changed, unchanged, refused }: Imported, dryRun: boolean, none: boolean): string {
  if (dryRun) return `${rows - refused} of ${rows} rows can be imported.`;
  return none
    ? 'Nothing was imported.'
    : `${rows} rows: ${created} new, ${changed} changed, ${unchanged} as they were, ${refused} refused.`;
}

function failed(session: Session, { refused, first, rejected }: Imported, none: boolean): number {
  const all = none ? '; nothing was imported (--partial imports the good rows)' : '';
  const problems = first.flatMap((row) => row.problems);
  session.failure(new Refused('E_INPUT_INVALID', `${refused} rows were refused${all}. All of them are in ${rejected}`, problems));
  return exits.usage;
}
