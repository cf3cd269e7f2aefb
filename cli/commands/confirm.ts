import { Command } from 'commander';
import { checkKeyId } from '../../core/key-id.ts';
import type { KeyReport } from '../../core/show.ts';
import { intend } from '../intend.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly consumer?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

/** `rekey confirm`: a named person says that a consumer has moved. Services prove it themselves. */
export function confirm(): Command {
  return new Command('confirm')
    .description('say under your name that a consumer has moved, where it cannot prove it itself (never for tier high)')
    .argument('<key>', 'its id')
    .argument('[version]', 'proves nothing: name the consumer and the reason')
    .option('--consumer <name>', "which consumer; '*' decides for a key without consumers")
    .option('--reason <text>', 'how you know, for the record')
    .option('--dry-run', 'say what would happen, and do nothing')
    .addHelpText('after', examples('confirm reports/mailer --consumer newsletter --reason "restarted it, log shows version 4"'))
    .action(
      action<Options>(async (session, { consumer, reason, dryRun }, key, version) => {
        const keyId = checkKeyId(key ?? '');
        if (dryRun) {
          const known = ({ facts }: KeyReport) =>
            facts.consumers.some(({ name }) => name === consumer) || (consumer === '*' && facts.consumers.length === 0);
          return intend(session, keyId, [`count ${consumer ?? 'nobody (name a consumer)'} as moved, on your word`], (report) => {
            if (!report.operation?.waitsFor) return 'no operation waits for a confirmation';
            return known(report) ? null : `${consumer ?? 'nobody'} is not one of its consumers`;
          });
        }
        const input = {
          keyId,
          ...(version === undefined ? {} : { version: Number(version) || 0 }),
          ...(consumer === undefined ? {} : { consumer }),
          ...(reason === undefined ? {} : { reason }),
        };
        const confirmed = await session.door.ask<{ keyId: string; consumer: string; complete: boolean }>('confirm', input);
        session.result(
          confirmed,
          () =>
            `${confirmed.consumer} counts as moved. ${confirmed.complete ? 'Everybody has moved.' : 'The old version goes when everybody has moved and the overlap is over.'}`,
        );
        return 0;
      }),
    );
}
