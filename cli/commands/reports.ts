import { Command } from 'commander';
import type { Queued } from '../../core/reports/budget.ts';
import type { Taken } from '../../core/reports/report.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly sender?: string;
}

/** `rekey reports list`: what waits because its sender sent too much at once. */
export function reportsList(): Command {
  return new Command('list')
    .description('show the reports that wait for a responder because their sender sent too many')
    .option('--sender <name>', 'of this sender only')
    .addHelpText('after', examples('reports list', 'reports list --sender github'))
    .action(
      action<Options>(async (session, { sender }) => {
        const queued = await session.door.ask<Queued[]>('report.queued', sender === undefined ? {} : { sender });
        session.result(queued, () =>
          queued.length
            ? table(
                ['SINCE', 'SENDER', 'KEY', 'VERSIONS', 'SAYS'],
                queued.map(({ at, sender: of, keyId, versions, says }) => [at, of, keyId, versions.join(', ') || 'all', says]),
              )
            : 'Nothing waits.',
        );
        return 0;
      }),
    );
}

/** `rekey reports release`: lets them act. */
export function reportsRelease(): Command {
  return new Command('release')
    .description('let the reports that wait act, as the policy says')
    .option('--sender <name>', 'of this sender only')
    .addHelpText('after', examples('reports release --sender github'))
    .action(
      action<Options>(async (session, { sender }) => {
        const { taken } = await session.door.ask<{ taken: Taken[] }>('report.release', sender === undefined ? {} : { sender });
        session.result({ taken }, () =>
          taken.length
            ? table(
                ['KEY', 'DONE', 'BECAUSE'],
                taken.map(({ keyId, did, because }) => [keyId, did, because]),
              )
            : 'Nothing waited.',
        );
        return 0;
      }),
    );
}
