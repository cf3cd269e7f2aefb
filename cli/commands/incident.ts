import { Command } from 'commander';
import type { Incident } from '../../core/incident/incident.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { incidentText } from '../incident-text.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly operation?: string;
  readonly rootCause?: string;
}

/** `rekey incident list`: the incidents of a key. */
export function incidentList(): Command {
  return new Command('list')
    .description('show the incidents of a key, the newest first')
    .argument('<key>', 'its id')
    .addHelpText('after', examples('incident list payments/stripe'))
    .action(
      action(async (session, _options, key = '') => {
        const found = await session.door.ask<{ operationId: string; openedAt: string }[]>('incident.list', { keyId: checkKeyId(key) });
        session.result(found, () =>
          found.length
            ? table(
                ['SINCE', 'OPERATION'],
                found.map(({ openedAt, operationId }) => [openedAt, operationId]),
              )
            : 'It was never revoked.',
        );
        return 0;
      }),
    );
}

/** `rekey incident show`: the record of an incident, written from the audit chain. */
export function incidentShow(): Command {
  return new Command('show')
    .description('print the record of an incident as Markdown, written from the audit chain: who, when, why, how long, proofs, open items')
    .argument('<key>', 'its id')
    .option('--operation <id>', 'which one; otherwise the newest')
    .addHelpText('after', examples('incident show payments/stripe > incident.md', 'incident show payments/stripe --json > incident.json'))
    .action(
      action<Options>(async (session, { operation }, key = '') => {
        const request = { keyId: checkKeyId(key), ...(operation === undefined ? {} : { operationId: operation }) };
        const incident = await session.door.ask<Incident>('incident.show', request);
        session.result(incident, () => incidentText(incident));
        return 0;
      }),
    );
}

/** `rekey incident close`: says what the cause was; its review must have been answered. */
export function incidentClose(): Command {
  return new Command('close')
    .description('close an incident: its root cause goes on record; somebody must have judged it before, and a false alarm is an outcome')
    .argument('<key>', 'its id')
    .requiredOption('--root-cause <text>', 'why it happened')
    .option('--operation <id>', 'which one; otherwise the newest')
    .addHelpText('after', examples('incident close payments/stripe --root-cause "committed with a debug log"'))
    .action(
      action<Options>(async (session, { operation, rootCause }, key = '') => {
        const request = { keyId: checkKeyId(key), rootCause, ...(operation === undefined ? {} : { operationId: operation }) };
        const incident = await session.door.ask<Incident>('incident.close', request);
        session.result(incident, () => `${incident.operationId} is closed: ${incident.outcome}.`);
        return 0;
      }),
    );
}
