import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import type { KeyFinding } from '../../core/policy/findings-of-all.ts';
import type { PolicyView } from '../../core/policy/show-policy.ts';
import { exits } from '../ending.ts';
import { table } from '../output.ts';
import { everyRow } from '../pages.ts';
import { sarifOf } from '../sarif.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly rule?: string;
  readonly owner?: string;
  readonly severity?: string;
  readonly sarif?: boolean;
  readonly check?: boolean;
}

const severities = ['breach', 'warning', 'note'];

/** `rekey findings`: every rule of the policy that is broken now: by which key, since when, and whose it is. */
export function findings(): Command {
  return new Command('findings')
    .description('show every rule of the policy that is broken: by which key, since when, and whose it is')
    .option('--rule <name>', 'only this rule')
    .option('--owner <name>', "only this owner's")
    .option('--severity <word>', `only these and worse: ${severities.join(', ')}`, 'note')
    .option('--sarif', 'print SARIF 2.1.0 instead')
    .option('--check', 'end with 8 when there is a breach, for a pipeline')
    .addHelpText(
      'after',
      examples('findings', 'findings --severity breach --check', 'findings --owner team-payments --json', 'findings --sarif > rekey.sarif'),
    )
    .action(
      action<Options>(async (session, { rule, owner, severity = 'note', sarif, check }) => {
        if (!severities.includes(severity)) throw new Refused('E_USAGE', `--severity is one of ${severities.join(', ')}`);
        const wanted = severities.slice(0, severities.indexOf(severity) + 1);
        const found: KeyFinding[] = [];
        for await (const one of everyRow<KeyFinding>(session, 'findings', {})) {
          if (wanted.includes(one.severity) && (rule === undefined || one.rule === rule) && (owner === undefined || one.owner === owner))
            found.push(one);
        }
        found.sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity) || compare(a.keyId ?? '', b.keyId ?? ''));
        if (sarif) {
          const { checks } = await session.door.ask<PolicyView>('policy.show', {});
          const document = sarifOf(found, checks);
          session.result(document, () => JSON.stringify(document, null, 2));
        } else session.result(found, () => lines(found));
        return check && found.some((one) => one.severity === 'breach') ? exits.needsPerson : exits.ok;
      }),
    );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function lines(found: readonly KeyFinding[]): string {
  if (found.length === 0) return 'Nothing is broken.';
  const rows = found.map(({ severity, keyId, rule, owner, since, message }) => [
    severity,
    keyId ?? '(installation)',
    rule,
    owner,
    since,
    message,
  ]);
  return table(['SEVERITY', 'KEY', 'RULE', 'OWNER', 'SINCE', 'WHAT'], rows);
}
