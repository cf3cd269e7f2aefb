import { Command } from 'commander';
import { type KeyChange, keyChange, type PolicyChange, policyChanges } from '../../core/policy/compare-policies.ts';
import { policyHash } from '../../core/policy/policy-hash.ts';
import type { PolicyView } from '../../core/policy/show-policy.ts';
import type { KeyRecord } from '../../core/search.ts';
import { table } from '../output.ts';
import { everyRow } from '../pages.ts';
import { policyFrom } from '../policy-file.ts';
import { action, examples } from '../session.ts';

/** `rekey policy diff`: what a policy file says otherwise than the one that runs, and what that would change for which keys, before it does. */
export function policyDiff(): Command {
  return new Command('diff')
    .description('say what a policy file would change, and for which keys, before it does')
    .argument('<file>', 'a policy.yaml')
    .addHelpText('after', examples('policy diff policy.yaml', 'policy diff policy.yaml --stage prod --json'))
    .action(
      action(async (session, _options, file) => {
        const policy = policyFrom(file);
        const now = new Date().toISOString();
        const running = await session.door.ask<PolicyView>('policy.show', {});
        const changes = policyChanges(running.policy, policy);
        const keys: KeyChange[] = [];
        for await (const record of everyRow<KeyRecord>(session, 'key.export', {})) {
          const change = keyChange(record, policy, now);
          if (change) keys.push(change);
        }
        keys.sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
        session.result({ from: running.hash, to: policyHash(policy), changes, keys }, () => text(changes, keys));
        return 0;
      }),
    );
}

function text(changes: readonly PolicyChange[], keys: readonly KeyChange[]): string {
  if (changes.length === 0 && keys.length === 0) return 'It says what the running policy says.';
  const atOnce = keys.filter(({ dueNow }) => dueNow).length;
  return [
    table(
      ['FIELD', 'RUNS', 'FILE'],
      changes.map(({ path, from, to }) => [path, from ?? '-', to ?? '-']),
    ),
    '',
    keys.length
      ? table(
          ['KEY', 'TIER', 'DUE', 'WOULD BE DUE', 'NOTES'],
          keys.map(({ keyId, tier, due, dueNow, tooShortFor }) => [
            keyId,
            tier.from === tier.to ? tier.from : `${tier.from} → ${tier.to}: ${tier.because}`,
            due.from ?? '-',
            due.to ?? '-',
            [dueNow ? 'at once' : '', tooShortFor ? `the overlap is too short for ${tooShortFor}` : ''].filter(Boolean).join(', ') || '-',
          ]),
        )
      : 'No key would change.',
    ...(atOnce ? ['', `${atOnce} key${atOnce === 1 ? '' : 's'} would be due at once.`] : []),
  ].join('\n');
}
