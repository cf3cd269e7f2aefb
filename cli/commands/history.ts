import { Command } from 'commander';
import type { AuditEntry } from '../../core/audit.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';

/** `rekey history`: the audit entries of a key, oldest first. */
export function history(): Command {
  return new Command('history')
    .description('show what happened to a key, who did it and when')
    .argument('<key>', 'its id')
    .addHelpText('after', examples('history payments/stripe', 'history payments/stripe --json > evidence.json'))
    .action(
      action(async (session, _options, key) => {
        const entries = await session.door.ask<AuditEntry[]>('key.history', { keyId: checkKeyId(key ?? '') });
        session.result(entries, () =>
          table(
            ['#', 'WHEN', 'WHO', 'WHAT', 'DETAIL'],
            entries.map(({ seq, at, actor, event, detail }) => [
              String(seq),
              at,
              actor,
              event,
              Object.entries(detail)
                .map(([name, value]) => `${name}=${value}`)
                .join(' '),
            ]),
          ),
        );
        return 0;
      }),
    );
}
