import { Command } from 'commander';
import type { CapabilitySheet } from '../../core/capability.ts';
import { exits } from '../ending.ts';
import { localFolder } from '../local-door.ts';
import { table } from '../output.ts';
import { action, examples, type GlobalOptions } from '../session.ts';

/** `rekey provider list`: which vendors this machine knows, or a deployed installation has. Nothing has to run for the first. */
export function providerList(): Command {
  return new Command('list')
    .description('list the providers: how their keys come and go, and how sure that is')
    .addHelpText('after', examples('provider list', 'provider list --stage prod --json'))
    .action(
      action<GlobalOptions>(async (session, { stage, url }) => {
        const { localSheets } = await import('../../local/desk/desk.ts');
        const deployed = stage !== undefined || url !== undefined;
        const sheets = deployed ? await session.door.ask<CapabilitySheet[]>('provider.list', {}) : localSheets(localFolder());
        session.result(sheets, () =>
          table(
            ['PROVIDER', 'PATTERN', 'EVIDENCE', 'CHECKED', 'UNVERIFIED', 'KEYS OF'],
            sheets.map((one) => [one.provider, one.pattern, one.evidence, one.checkedOn, one.unverified.join(', ') || '-', one.title]),
          ),
        );
        return exits.ok;
      }),
    );
}
