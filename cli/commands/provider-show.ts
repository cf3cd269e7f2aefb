import { Command } from 'commander';
import { type CapabilitySheet, sheetOf } from '../../core/capability.ts';
import { capabilityLines } from '../capability-text.ts';
import { exits } from '../ending.ts';
import { localFolder } from '../local-door.ts';
import { action, examples, type GlobalOptions } from '../session.ts';

/** `rekey provider show`: what one vendor can and cannot do for a key, and where that was read. */
export function providerShow(): Command {
  return new Command('show')
    .description('what a provider can and cannot do for a key, what it needs, and where each fact came from')
    .argument('<provider>', 'its name')
    .addHelpText('after', examples('provider show sendgrid', 'provider show okta-client-secret --json'))
    .action(
      action<GlobalOptions>(async (session, { stage, url }, provider) => {
        const { localProviders } = await import('../../local/desk/desk.ts');
        const deployed = stage !== undefined || url !== undefined;
        const sheet = deployed
          ? await session.door.ask<CapabilitySheet>('provider.show', { provider })
          : sheetOf(localProviders(localFolder()).find(provider ?? ''));
        session.result(sheet, () => [...capabilityLines(sheet), '', ...inputs(sheet), '', ...facts(sheet)].join('\n'));
        return exits.ok;
      }),
    );
}

function inputs({ params, admin, provider }: CapabilitySheet): string[] {
  const fields = (of: CapabilitySheet['params']) =>
    Object.entries(of).map(([name, { needed, description }]) => `  ${name}${needed ? '' : ' (optional)'}: ${description}`);
  return [
    "A key's file says under params:",
    ...(Object.keys(params).length ? fields(params) : ['  nothing']),
    `The admin credential admin/${provider}/<account> holds:`,
    ...(Object.keys(admin).length ? fields(admin) : ['  nothing: none is needed']),
  ];
}

function facts(sheet: CapabilitySheet): string[] {
  return [
    'Where it was read:',
    ...sheet.facts.map(
      ({ about, is, source, on, note }) => `  ${about.join(', ')}: ${is}, ${on}${source ? `, ${source}` : ''}${note ? ` (${note})` : ''}`,
    ),
    ...sheet.docs.map((page) => `  see ${page}`),
  ];
}
