import { Command } from 'commander';
import { tiers } from '../../core/key.ts';
import { openings } from '../../core/policy/calendar.ts';
import { policyHash } from '../../core/policy/policy-hash.ts';
import type { Policy } from '../../core/policy.ts';
import { formatDuration } from '../../requests/duration.ts';
import { table } from '../output.ts';
import { policyFrom } from '../policy-file.ts';
import { action, examples } from '../session.ts';

/** `rekey policy check`: whether a policy file can be used, with line and column of what is wrong. Nothing is asked and nothing changed. */
export function policyCheck(): Command {
  return new Command('check')
    .description('say whether a policy file can be used, and what is wrong where; nothing is changed')
    .argument('<file>', 'a policy.yaml')
    .addHelpText('after', examples('policy check policy.yaml', 'policy check policy.yaml --json'))
    .action(
      action(async (session, _options, file) => {
        const policy = policyFrom(file);
        const now = Date.now();
        const windows = policy.windows.map((window) => ({
          name: window.name,
          next: openings(window, now, 5).map((at) => new Date(at).toISOString()),
        }));
        const document = { file, hash: policyHash(policy), version: policy.version, windows };
        session.result(document, () =>
          [`${file} can be used. Its hash is ${document.hash}.`, '', tierLines(policy), ...windowLines(windows)].join('\n'),
        );
        return 0;
      }),
    );
}

function tierLines(policy: Policy): string {
  const rows = tiers.map((tier) => {
    const t = policy.tiers[tier];
    const times = [t.rotateEverySeconds, t.maxLifetimeSeconds, t.overlapMinSeconds, t.overlapMaxSeconds, t.probeEverySeconds];
    return [tier, ...times.map(formatDuration)];
  });
  return table(['TIER', 'ROTATES EVERY', 'LIVES AT MOST', 'OVERLAP FROM', 'TO', 'LOOKED AT EVERY'], rows);
}

function windowLines(windows: readonly { readonly name: string; readonly next: readonly string[] }[]): string[] {
  return windows.flatMap(({ name, next }) => ['', `Window ${name} opens next at:`, ...next.map((at) => `  ${at}`)]);
}
