import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { exits } from '../ending.ts';
import { filesOf, packHash, sourceOf } from '../evidence/files.ts';
import { packSource, textOf } from '../evidence/source.ts';
import { action, examples, type Session } from '../session.ts';
import { writing } from '../write-file.ts';

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly unit?: string;
  readonly out?: string;
  readonly controls?: string;
  readonly verify?: string;
}

/** `rekey evidence`: a pack of what the log says about a period, that anybody can check without asking the installation. */
export function evidence(): Command {
  return new Command('evidence')
    .description('make a pack of evidence from the log alone: a report to read and print, JSON, CSV, and what proves it; or check one')
    .option('--from <day>', 'the first day of the period, like 2027-01-01')
    .option('--to <day>', 'the first day after the period')
    .option('--unit <name>', 'only the keys of this unit: nothing of any other is in the pack')
    .option('--out <folder>', 'where it is written; made when missing', 'evidence')
    .option('--controls <file>', 'a table of controls instead of the one that ships (cli/evidence/controls.yaml)')
    .option('--verify <folder>', 'check a pack: its files, its log against its seals, and that its report follows from its log')
    .addHelpText(
      'after',
      examples(
        'evidence --from 2027-01-01 --to 2027-04-01',
        'evidence --from 2027-01-01 --to 2027-04-01 --unit cards',
        'evidence --verify evidence',
      ),
    )
    .action(
      action<Options>((session, options) => (options.verify === undefined ? make(session, options) : check(session, options.verify))),
    );
}

async function make(session: Session, { from, to, unit, out = 'evidence', controls }: Options): Promise<number> {
  const period = { from: dayOf(from, '--from'), to: dayOf(to, '--to') };
  if (period.from >= period.to) throw new Refused('E_USAGE', '--to must be after --from');
  const source = await packSource(session, { ...period, unit, controls, madeAt: new Date().toISOString() });
  const { pack, files } = await filesOf(source);
  await writing(out, () => {
    mkdirSync(out, { recursive: true });
    for (const [name, text] of files) writeFileSync(join(out, name), text);
  });
  const document = { folder: out, hash: packHash(files), keys: pack.inventory.length, missing: pack.missing, problems: pack.log.problems };
  session.result(document, () =>
    [
      `${join(out, 'report.html')}: ${pack.inventory.length} keys, ${pack.rotations.length} rotations, ${pack.revocations.length} revocations.`,
      ...pack.missing.map((line) => `  ${line}`),
      `Anybody can check it: rekey evidence --verify ${out}. Write down its hash: ${document.hash}`,
    ].join('\n'),
  );
  return pack.log.problems.length ? exits.needsPerson : exits.ok;
}

async function check(session: Session, folder: string): Promise<number> {
  const read = (name: string): string => textOf(join(folder, name));
  let again: Awaited<ReturnType<typeof filesOf>>;
  try {
    again = await filesOf(sourceOf(read));
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused('E_INPUT_INVALID', `${folder} holds no pack of evidence that can be read`);
  }
  const changed = [...again.files].filter(([name, text]) => read(name) !== text).map(([name]) => name);
  const { problems } = again.pack.log;
  const document = { folder, hash: packHash(again.files), holds: changed.length === 0 && problems.length === 0, changed, problems };
  session.result(document, () =>
    document.holds
      ? `${folder} holds: its log is as it was sealed, and everything else follows from it. Its hash is ${document.hash}.`
      : [
          `${folder} does not hold.`,
          ...changed.map((name) => `  ${name} is not what follows from the log`),
          ...problems.map(({ chain, seq, message }) => `  ${chain}, ${seq}: ${message}`),
        ].join('\n'),
  );
  return document.holds ? exits.ok : exits.needsPerson;
}

function dayOf(text: string | undefined, option: string): string {
  const at = text && /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (text === undefined || Number.isNaN(at) || !new Date(at).toISOString().startsWith(text))
    throw new Refused('E_USAGE', `${option} takes a day like 2027-01-31`);
  return new Date(at).toISOString();
}
