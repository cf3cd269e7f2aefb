import { Command } from 'commander';
import { checkKeyId } from '../../core/key-id.ts';
import type { KeyReport } from '../../core/show.ts';
import { writeKeyDocument } from '../../requests/key-document.ts';
import { exitOf } from '../ending.ts';
import { secondsOf } from '../input.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';
import { watch } from '../watch.ts';

interface Options {
  readonly watch?: boolean;
  readonly file?: boolean;
  readonly timeout?: number;
}

/** `rekey key show`: one key, its versions, its operation and who has moved. Never a value. */
export function keyShow(): Command {
  return new Command('show')
    .description('show one key: facts, versions, what runs, who has moved')
    .argument('<key>', 'its id')
    .option('--watch', 'follow what runs until it ends; Ctrl-C stops watching only')
    .option('--file', 'print its key document instead, ready for "key add -f"')
    .option('--timeout <seconds>', 'with --watch: stop watching after this long', secondsOf)
    .addHelpText(
      'after',
      examples('key show payments/stripe', 'key show payments/stripe --watch', 'key show payments/stripe --file > stripe.yaml'),
    )
    .action(
      action<Options>(async (session, options, key) => {
        const keyId = checkKeyId(key ?? '');
        if (!options.watch) {
          const report = await session.door.ask<KeyReport>('key.show', { keyId });
          session.result(options.file ? report.facts : report, () =>
            options.file ? writeKeyDocument(report.facts).trimEnd() : sheet(report),
          );
          return 0;
        }
        const { end, report } = await watch(session, {
          keyId,
          ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout }),
        });
        session.result(report, () => sheet(report));
        return exitOf(end);
      }),
    );
}

function sheet(report: KeyReport): string {
  const { facts } = report;
  const lines = [
    `${report.id}: ${report.state}, tier ${report.tier}, ${report.environment}${report.mode === 'observe' ? ', observed only' : ''}`,
    `${facts.purpose}. Owner ${report.owner}; made by ${report.provider}${facts.managedBy ? ', rotated by AWS Secrets Manager' : ''}, kept in ${facts.store}.`,
    report.due ? `Due now: ${report.due}` : `Next due: ${report.nextDueAt ?? 'when it has a version'}`,
    report.hold && `On hold until ${report.hold.until} by ${report.hold.by}: ${report.hold.reason}`,
    report.attention && `Needs a person: ${report.attention.message} (${report.attention.reason}, since ${report.attention.since})`,
    report.operation &&
      `Under way: ${report.operation.kind}, step ${report.operation.step}, since ${report.operation.since} (${report.operation.id})`,
    report.operation?.waitsFor && `Waits for ${report.operation.waitsFor}`,
    report.operation?.proof && `Proof: ${report.operation.proof}`,
    report.auditBreak !== null && `The audit chain is broken at entry ${report.auditBreak}.`,
    ...report.findings.map(({ rule, message, since }) => `Finding ${rule}: ${message}, since ${since}`),
    '',
    report.versions.length
      ? table(
          ['VERSION', 'STATE', 'ROLE', 'CREATED', 'CREDENTIAL'],
          report.versions.map((one) => [
            String(one.number),
            one.compromised ? `${one.state}, compromised` : one.state,
            one.role,
            one.createdAt,
            one.credentialId ? `…${one.credentialId.slice(-4)}` : '-',
          ]),
        )
      : 'No version yet: rekey key add -f FILE --mint, or --value-from -',
    '',
    table(
      ['DESTINATION', 'KIND', 'WHERE', 'HOLDS'],
      facts.destinations.map(({ id, kind, at }) => [id, kind, at, report.destinations[id] ? `version ${report.destinations[id]}` : '-']),
    ),
    '',
    facts.consumers.length
      ? table(
          ['CONSUMER', 'OWNER', 'CONTACT', 'REFRESHES WITHIN', 'MOVED'],
          facts.consumers.map((one) => [one.name, one.owner, one.contact, `${one.refreshSeconds} s`, report.adoption[one.name] ?? '-']),
        )
      : 'No consumer is registered.',
  ];
  return lines.filter((line) => typeof line === 'string').join('\n');
}
