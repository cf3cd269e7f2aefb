import { Command } from 'commander';
import { type Action, actions, whoCan as allowed, policyName } from '../../core/authority.ts';
import { Refused } from '../../core/errors.ts';
import { type Tier, tiers } from '../../core/key.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { table } from '../output.ts';
import { policyFrom } from '../policy-file.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly tier?: string;
  readonly policy?: string;
}

/**
 * `rekey who-can`: who may do what, and by which managed policy of the stage. Answers from the rules that the policies are made of,
 * with nothing running and nobody reachable.
 */
export function whoCan(): Command {
  return new Command('who-can')
    .description('say who may do something, offline')
    .argument('<words...>', `what somebody wants to do (${actions.join(', ')}), with the key's id before it if you like`)
    .option('--tier <tier>', `for keys of one tier: ${tiers.join(', ')}`)
    .option('-p, --policy <file>', "the installation's policy.yaml; the one that ships with Rekey otherwise")
    .addHelpText('after', examples('who-can revoke --stage prod', 'who-can payments/stripe revoke', 'who-can confirm --tier high'))
    .action(
      action<Options>(async (session, { tier, policy: file, stage = '<stage>' }, words) => {
        const given = [words ?? []].flat();
        const wanted = given.at(-1) ?? '';
        if (given.length > 2) throw new Refused('E_USAGE', 'give an action, with at most a key before it');
        if (given.length === 2) checkKeyId(given[0] ?? '');
        if (!isAction(wanted)) throw new Refused('E_USAGE', `the action must be one of ${actions.join(', ')}`);
        if (tier !== undefined && !isTier(tier)) throw new Refused('E_USAGE', `--tier must be one of ${tiers.join(', ')}`);
        const { authority } = policyFrom(file);
        const rows = (tier === undefined ? tiers : [tier]).flatMap((of) =>
          allowed(authority, wanted, of).map((one) => ({
            tier: of,
            ...one,
            policy: one.role === 'schedule' ? null : policyName(stage, one.role),
          })),
        );
        session.result({ action: wanted, who: rows }, () =>
          rows.length
            ? table(
                ['TIER', 'WHO', 'POLICY', 'NEEDS'],
                rows.map((row) => [row.tier, row.role, row.policy ?? '-', row.needs]),
              )
            : `Nobody may ${wanted}.`,
        );
        return 0;
      }),
    );
}

function isAction(word: string): word is Action {
  return (actions as readonly string[]).includes(word);
}

function isTier(word: string): word is Tier {
  return (tiers as readonly string[]).includes(word);
}
