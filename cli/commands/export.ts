import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { csvLines, yamlDocuments } from '../import/write-keys.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly csv?: boolean;
  readonly unit?: string;
  readonly owner?: string;
  readonly out?: string;
}

/** `rekey export`: every key as its owner would write it, to keep elsewhere or to edit in a spreadsheet; `rekey import` reads it back. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write what is on record of the keys as key documents or CSV; rekey import reads it back')
    .option('--csv', 'CSV instead of YAML; a cell that a spreadsheet would take for a formula begins with an apostrophe')
    .option('--unit <name>', 'only the keys of this unit')
    .option('--owner <name>', 'only the keys of this owner')
    .option('--out <file>', 'a file; by default it is printed')
    .addHelpText('after', examples('export > keys.yaml', 'export --csv --out keys.csv', 'export --unit cards --csv'))
    .action(
      action<Options>(async (session, { csv, unit, owner, out }) => {
        const filter = { ...(unit === undefined ? {} : { unit }), ...(owner === undefined ? {} : { owner }) };
        const lines = csv ? csvLines(session, filter) : yamlDocuments(session, filter);
        if (out === undefined) for await (const line of lines) process.stdout.write(line);
        else await pipeline(lines, createWriteStream(out, { mode: 0o600 }));
        return 0;
      }),
    );
}
