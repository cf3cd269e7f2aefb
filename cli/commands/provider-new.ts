import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { scaffold } from '../../local/desk/scaffold.ts';
import { exits } from '../ending.ts';
import { askText } from '../input.ts';
import { action, examples, type GlobalOptions } from '../session.ts';
import { writing } from '../write-file.ts';

interface Options extends GlobalOptions {
  readonly title?: string;
  readonly base?: string;
  readonly docs?: string;
  readonly header?: string;
  readonly out: string;
}

/** `rekey provider new`: a spec to begin with, from a few questions. */
export function providerNew(): Command {
  return new Command('new')
    .description('write a spec to begin with; what has to be compared with the vendor says EDIT')
    .argument('<id>', 'the name that keys will say under provider, like acme-mail')
    .option('--title <text>', 'what the keys are called')
    .option('--base <origin>', "the API's origin, like https://api.acme.example")
    .option('--docs <page>', "the page that describes the vendor's key API")
    .option('--header <name>', 'the header that carries a key; a Bearer token when it is not said')
    .option('--out <folder>', 'where to write it', '.')
    .addHelpText(
      'after',
      examples(
        'provider new acme-mail',
        'provider new acme-mail --title "Acme Mail" --base https://api.acme.example --docs https://docs.acme.example/keys',
      ),
    )
    .action(
      action<Options>(async (session, options, id = '') => {
        const title = options.title ?? (await askText('What are its keys called?', '--title', 'Acme Mail keys'));
        const base = options.base ?? (await askText("The API's origin?", '--base', 'https://api.acme.example'));
        const docs = options.docs ?? (await askText('The page that describes its key API?', '--docs', 'https://docs.acme.example/keys'));
        const { header } = options;
        const yaml = scaffold({
          id,
          title,
          base,
          docs,
          on: new Date().toISOString().slice(0, 10),
          ...(header === undefined ? {} : { header }),
        });
        const file = join(options.out, `${id}.yaml`);
        if (existsSync(file)) throw new Refused('E_EXISTS', `${file} is there already; it was left alone`);
        await writing(file, () => writeFileSync(file, yaml, { flag: 'wx' }));
        session.result(
          { file },
          () => `Wrote ${file}. Edit what says EDIT, then: rekey provider lint ${file}, rekey provider test ${file}`,
        );
        return exits.ok;
      }),
    );
}
