import { Command } from 'commander';
import { exits } from '../ending.ts';
import { action, examples } from '../session.ts';

/** `rekey provider test`: runs a spec's fixtures. Nothing is sent anywhere. */
export function providerTest(): Command {
  return new Command('test')
    .description("run a spec's fixtures: what it asks and makes of the answers, compared with what they say; nothing is sent")
    .argument('<specs...>', 'spec files, or names of shipped specs')
    .addHelpText('after', examples('provider test acme-mail.yaml', 'provider test sendgrid twilio-api-key'))
    .action(
      action(async (session, _options, given) => {
        const { specFile, testFile } = await import('../../local/desk/desk.ts');
        const tested = await Promise.all([given ?? []].flat().map((named) => testFile(specFile(named))));
        const { green, red } = session.color;
        session.result(tested, () =>
          tested
            .flatMap(({ file, runs, missing }) => [
              `${file}: ${runs.filter(({ faults }) => !faults.length).length} of ${runs.length} fixtures`,
              ...runs.flatMap(({ name, operation, faults }) => [
                `  ${faults.length ? red('FAIL') : green('ok  ')}  ${operation}: ${name}`,
                ...faults.map((fault) => `        ${fault}`),
              ]),
              ...missing.map((what) => `  no fixture shows that ${what}`),
            ])
            .join('\n'),
        );
        const failed = tested.some(({ runs }) => runs.length === 0 || runs.some(({ faults }) => faults.length));
        return failed ? exits.unproven : exits.ok;
      }),
    );
}
