import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { exits } from '../ending.ts';
import { action, examples } from '../session.ts';

/** `rekey provider lint`: whether a spec may be used, with line, column and the reason of everything that is wrong. */
export function providerLint(): Command {
  return new Command('lint')
    .description('check spec files: every mistake with line, column and reason, and what would make them better')
    .argument('<specs...>', 'spec files, or names of shipped specs')
    .addHelpText('after', examples('provider lint acme-mail.yaml', 'provider lint sendgrid --json'))
    .action(
      action(async (session, _options, given) => {
        const { lintFile, specFile } = await import('../../local/desk/desk.ts');
        const linted = [given ?? []].flat().map((named) => lintFile(specFile(named), Date.now()));
        session.result(linted, () =>
          linted
            .map(({ file, problems, advice }) =>
              [
                `${file}: ${problems.length ? `${problems.length} problem(s)` : 'may be used'}`,
                ...advice.map((one) => `  advice: ${one}`),
              ].join('\n'),
            )
            .join('\n'),
        );
        const problems = linted.flatMap(({ file, problems: of }) => of.map(({ path, message }) => ({ path: `${file}:${path}`, message })));
        if (problems.length) throw new Refused('E_INPUT_INVALID', `${problems.length} problem(s)`, problems);
        return exits.ok;
      }),
    );
}
