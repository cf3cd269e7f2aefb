import { Command } from 'commander';
import type { Exception } from '../../core/exceptions/exception.ts';
import { checkKeyId } from '../../core/key-id.ts';
import type { KeyRecord } from '../../core/search.ts';
import { table } from '../output.ts';
import { everyRow } from '../pages.ts';
import { action, examples } from '../session.ts';
import { untilOf } from '../until.ts';

interface Request {
  readonly rule: string;
  readonly reason: string;
  readonly instead: string;
  readonly until: string;
}

/** `rekey exception request`: asks for an exception from one rule. It counts when somebody else has approved it. */
export function exceptionRequest(): Command {
  return new Command('request')
    .description('ask that a key need not keep a rule for a while; it counts when somebody else has approved it')
    .argument('<key>', 'its id')
    .requiredOption('--rule <name>', 'rotation for its schedule, or the name of a finding')
    .requiredOption('--reason <text>', 'why, for the record')
    .requiredOption('--instead <text>', 'what is done instead meanwhile')
    .requiredOption('--until <when>', 'an instant, a day, or a length from now like P30D')
    .addHelpText(
      'after',
      examples(
        'exception request payments/stripe --rule rotation --until P30D --reason "the vendor moves" --instead "an allow-list of addresses"',
      ),
    )
    .action(
      action<Request>(async (session, { rule, reason, instead, until }, key) => {
        const keyId = checkKeyId(key ?? '');
        const input = { keyId, rule, reason, compensating: instead, until: untilOf(until, 'an exception', Date.now()) };
        const asked = await session.door.ask<Exception>('exception.request', input);
        session.result(asked, () => `${asked.id} waits for somebody else: rekey exception approve ${keyId} ${asked.id}`);
        return 0;
      }),
    );
}

/** `rekey exception approve`: somebody else grants it. */
export function exceptionApprove(): Command {
  return new Command('approve')
    .description('grant an exception that somebody else asked for')
    .argument('<key>', 'its id')
    .argument('<exception>', 'the id of the exception')
    .addHelpText('after', examples('exception approve payments/stripe exception-…'))
    .action(
      action(async (session, _options, key, exceptionId = '') => {
        const one = await session.door.ask<Exception>('exception.approve', { keyId: checkKeyId(key ?? ''), exceptionId });
        session.result(one, () => `${one.id} counts until ${one.until}.`);
        return 0;
      }),
    );
}

/** `rekey exception decline`: the rule counts as before. */
export function exceptionDecline(): Command {
  return new Command('decline')
    .description('do not grant an exception')
    .argument('<key>', 'its id')
    .argument('<exception>', 'the id of the exception')
    .requiredOption('--reason <text>', 'why, for the record')
    .addHelpText('after', examples('exception decline payments/stripe exception-… --reason "the vendor has two slots"'))
    .action(
      action<{ readonly reason: string }>(async (session, { reason }, key, exceptionId = '') => {
        const one = await session.door.ask<Exception>('exception.decline', { keyId: checkKeyId(key ?? ''), exceptionId, reason });
        session.result(one, () => `${one.id} is not granted.`);
        return 0;
      }),
    );
}

/** `rekey exception list`: those that count or wait, by owner, with how many each has. */
export function exceptionList(): Command {
  return new Command('list')
    .description('show the exceptions that count or wait, by owner')
    .option('--owner <name>', "only this owner's")
    .addHelpText('after', examples('exception list', 'exception list --owner team-payments --json'))
    .action(
      action<{ readonly owner?: string }>(async (session, { owner }) => {
        const rows: (Exception & { readonly keyId: string; readonly owner: string })[] = [];
        const filter = owner === undefined ? {} : { owner };
        for await (const { facts, exceptions } of everyRow<KeyRecord>(session, 'key.export', filter))
          rows.push(...exceptions.map((one) => ({ ...one, keyId: facts.id, owner: facts.owner })));
        rows.sort((a, b) => (`${a.owner} ${a.until}` < `${b.owner} ${b.until}` ? -1 : 1));
        session.result(rows, () => lines(rows));
        return 0;
      }),
    );
}

function lines(rows: readonly (Exception & { readonly keyId: string; readonly owner: string })[]): string {
  if (rows.length === 0) return 'No exceptions.';
  const of = (owner: string) => rows.filter((row) => row.owner === owner).length;
  return table(
    ['OWNER', 'HAS', 'KEY', 'RULE', 'UNTIL', 'ASKED BY', 'APPROVED BY', 'WHY', 'INSTEAD'],
    rows.map((row) => [
      ...[row.owner, String(of(row.owner)), row.keyId, row.rule, row.until, row.requestedBy],
      row.approvedBy ?? `waits: ${row.id}`,
      ...[row.reason, row.compensating],
    ]),
  );
}
