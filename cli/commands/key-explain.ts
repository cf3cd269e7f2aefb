import { Command } from 'commander';
import type { Explanation } from '../../core/explain.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { action, examples } from '../session.ts';

/** `rekey key explain`: the questions that a policy must answer, answered for one key. */
export function keyExplain(): Command {
  return new Command('explain')
    .description('answer for one key what a key policy must answer, and say what is missing')
    .argument('<key>', 'its id')
    .addHelpText('after', examples('key explain payments/stripe', 'key explain payments/stripe --json'))
    .action(
      action(async (session, _options, key) => {
        const explanation = await session.door.ask<Explanation>('key.explain', { keyId: checkKeyId(key ?? '') });
        session.result(explanation, () =>
          explanation.answers
            .map(({ id, question, answer, missing }) =>
              [
                `${session.color.bold(question)} (${id})`,
                ...answer.map((line) => `  ${line}`),
                ...missing.map((line) => `  ${session.color.yellow('missing:')} ${line}`),
              ].join('\n'),
            )
            .join('\n\n'),
        );
        return 0;
      }),
    );
}
