import { Command } from 'commander';
import type { KeyFinding } from '../../core/policy/findings-of-all.ts';
import type { PolicyView } from '../../core/policy/show-policy.ts';
import { table } from '../output.ts';
import { everyRow } from '../pages.ts';
import { action, examples } from '../session.ts';

/** One sentence of the policy, the check behind it, and what the check found now. */
interface Sentence {
  readonly sentence: string;
  readonly check: string;
  readonly severity: string;
  readonly result: 'holds' | 'broken' | 'accepted';
  readonly broken: number;
  readonly evidence: readonly string[];
}

/** How many keys are named for each sentence that does not hold. */
const named = 5;

/** `rekey policy status`: each sentence of the policy with the check behind it, its result now, and what shows it. */
export function policyStatus(): Command {
  return new Command('status')
    .description('show each sentence of the policy with the check behind it, its result and its evidence')
    .addHelpText('after', examples('policy status', 'policy status --stage prod --json'))
    .action(
      action(async (session) => {
        const view = await session.door.ask<PolicyView>('policy.show', {});
        const found: KeyFinding[] = [];
        for await (const one of everyRow<KeyFinding>(session, 'findings', {})) found.push(one);
        const sentences = view.checks.map(({ rule, severity, sentence }): Sentence => {
          const about = found.filter((one) => one.rule === rule);
          const broken = about.filter((one) => one.severity === severity);
          return {
            ...{ sentence, check: rule, severity },
            result: broken.length ? 'broken' : about.length ? 'accepted' : 'holds',
            broken: broken.length,
            evidence: about.slice(0, named).map(({ keyId, since, message }) => `${keyId ?? 'the installation'} since ${since}: ${message}`),
          };
        });
        const { hash, version, since, refused, applying, pause, breaches } = view;
        session.result({ hash, version, since, refused, applying, pause, breaches, at: new Date().toISOString(), sentences }, () =>
          [...standing(view), '', lines(sentences)].join('\n'),
        );
        return 0;
      }),
    );
}

function standing({ hash, version, since, refused, applying, pause, breaches }: PolicyView): string[] {
  return [
    `Policy ${version}, hash ${hash}, ${since ? `in effect on every key since ${since}` : applying ? 'is taking effect' : 'not in effect on every key yet'}.`,
    ...(refused ? [`${refused.file} is refused since ${refused.since}; its last good edition runs:`] : []),
    ...(refused?.problems.map(({ path, message }) => `  ${path} ${message}`) ?? []),
    ...(pause ? [`The schedule is paused until ${pause.until} by ${pause.by}: ${pause.reason}`] : []),
    ...breaches.map(({ message, since: from }) => `Broken since ${from}: ${message}`),
  ];
}

function lines(sentences: readonly Sentence[]): string {
  return table(
    ['RESULT', 'SENTENCE', 'CHECK', 'EVIDENCE'],
    sentences.map(({ result, broken, sentence, check, evidence: [first = 'no key is seen to break it'] }) => [
      result === 'broken' ? `broken ${broken}×` : result,
      sentence,
      check,
      first,
    ]),
  );
}
