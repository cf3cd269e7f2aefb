import { Command } from 'commander';
import type { Status } from '../../core/show.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';
import { wholeStatus } from '../whole-status.ts';

/** `rekey status`: the whole installation at a glance. */
export function status(): Command {
  return new Command('status')
    .description('show the whole installation: what runs, what is late, what needs a person')
    .addHelpText('after', examples('status', 'status --json', 'status --stage prod'))
    .action(
      action(async (session) => {
        const now = await wholeStatus(session);
        session.result(now, () => text(now));
        return 0;
      }),
    );
}

function text({ keys, byState, byTier, open, attention, escalations, overdue }: Omit<Status, 'next'>): string {
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.keys(of)
      .sort()
      .map((name) => `${of[name]} ${name}`)
      .join(', ');
  return [
    keys === 0
      ? 'No keys yet. Register some: rekey key add -f KEYS.yaml'
      : `${keys} key${keys === 1 ? '' : 's'}: ${counts(byState)} (tiers: ${counts(byTier)})`,
    open.length
      ? table(
          ['KEY', 'RUNS', 'STEP', 'SINCE', 'WAITS FOR'],
          open.map(({ keyId, operation }) => [keyId, operation.kind, operation.step, operation.since, operation.waitsFor ?? '-']),
        )
      : 'Nothing is under way.',
    ...attention.map((one) => `Needs a person: ${one.keyId}: ${one.attention.message} (${one.attention.reason})`),
    ...(escalations.length
      ? [
          table(
            ['WAITS FOR PEOPLE', 'SINCE', 'TOLD', 'TAKEN BY'],
            escalations.map(({ id, since, told, acknowledgedBy, waitsFor }) => [
              waitsFor.join('; ') || id,
              since,
              told.map(({ whom }) => whom).join(', ') || 'nobody yet',
              acknowledgedBy ?? '-',
            ]),
          ),
        ]
      : []),
    overdue.length ? `Overdue: ${overdue.join(', ')}` : 'Nothing is overdue.',
  ].join('\n');
}
