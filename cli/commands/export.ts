import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import { csvLines, yamlDocuments } from '../import/write-keys.ts';
import { action, examples } from '../session.ts';
import { writing } from '../write-file.ts';

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
        else await writing(out, () => writeWhole(lines, out));
        return 0;
      }),
    );
}

/** Writes a file under another name first: what stands at its place is whole, or what was there before. */
async function writeWhole(lines: AsyncIterable<string>, file: string): Promise<void> {
  const part = `${file}.part`;
  try {
    await pipeline(lines, createWriteStream(part, { mode: 0o600 }));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
