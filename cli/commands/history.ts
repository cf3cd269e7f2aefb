import { Command } from 'commander';
import type { AuditEntry } from '../../core/audit.ts';
import { Refused } from '../../core/errors.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { detailText, table } from '../output.ts';
import { action, examples } from '../session.ts';

/** `rekey history`: the audit entries of a key, oldest first. */
export function history(): Command {
  return new Command('history')
    .description('show what happened to a key, who did it and when')
    .argument('[key]', 'its id')
    .option('--unmanaged <provider>', 'what was done at a provider to credentials that no key has')
    .addHelpText(
      'after',
      examples('history payments/stripe', 'history payments/stripe --json > evidence.json', 'history --unmanaged aws-iam'),
    )
    .action(
      action<{ readonly unmanaged?: string }>(async (session, { unmanaged: provider }, key) => {
        if ((provider === undefined) === (key === undefined)) throw new Refused('E_USAGE', 'name the key, or a provider with --unmanaged');
        const entries =
          provider === undefined
            ? await session.door.ask<AuditEntry[]>('key.history', { keyId: checkKeyId(key ?? '') })
            : await session.door.ask<AuditEntry[]>('unmanaged.history', { provider });
        session.result(entries, () =>
          table(
            ['#', 'WHEN', 'WHO', 'WHAT', 'DETAIL'],
            entries.map(({ seq, at, actor, event, detail }) => [String(seq), at, actor, event, detailText(detail)]),
          ),
        );
        return 0;
      }),
    );
}
