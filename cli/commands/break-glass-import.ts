import { Command } from 'commander';
import type { Imported } from '../../core/break-glass/import.ts';
import { Refused } from '../../core/errors.ts';
import { installationName } from '../break-glass/cut.ts';
import { breakGlassFolder, readIndex, readRecords } from '../break-glass/folder.ts';
import { table } from '../output.ts';
import { action, examples, type GlobalOptions, type Session } from '../session.ts';

/** Records of one request. */
const atOnce = 50;

/** `rekey break-glass import`: hands over what was done while Rekey could not be asked. */
export function breakGlassImport(): Command {
  return new Command('import')
    .description('hand over what was ended by break-glass: it is fenced, proven dead, told and put on record; again is harmless')
    .addHelpText('after', examples('break-glass import', 'break-glass import --stage prod'))
    .action(action<GlobalOptions>(run));
}

async function run(session: Session, options: GlobalOptions): Promise<number> {
  const folder = breakGlassFolder(installationName(options));
  const records = readRecords(folder);
  if (records.length === 0) throw new Refused('E_NOTHING_TO_DO', `nothing was done by break-glass: ${folder.records} holds no record`);
  const { signer } = readIndex(folder);
  const imported: Imported[] = [];
  for (let from = 0; from < records.length; from += atOnce) {
    const part = records.slice(from, from + atOnce);
    imported.push(...(await session.door.ask<{ imported: Imported[] }>('break-glass.import', { signer, records: part })).imported);
    session.redraw(`${imported.length} of ${records.length} …`);
  }
  session.result({ imported }, () =>
    table(
      ['#', 'OUTCOME', 'KEY', 'OPERATION'],
      imported.map(({ seq, outcome, keyId, operationId }) => [String(seq), outcome, keyId || '-', operationId || '-']),
    ),
  );
  return 0;
}
