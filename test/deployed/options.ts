import { parseArgs } from 'node:util';
import { CannotRun } from './cannot-run.ts';

export interface Options {
  /** Letters of the journeys to run; all when empty. */
  readonly only: readonly string[];
  /** Leaves the endpoint and the stack as they are at the end, and says how to use them. */
  readonly keep: boolean;
}

const usage = `Usage: npm run test:deployed [-- options]
  --only a,b   only these journeys, by letter
  --keep       keep the emulator and the stack until Ctrl-C, and print the environment to use them`;

/** Throws CannotRun E_USAGE for an option that there is not, and for a letter of no journey. */
export function optionsOf(args: readonly string[], letters: readonly string[]): Options {
  let values: { only?: string; keep?: boolean };
  try {
    ({ values } = parseArgs({ args: [...args], options: { only: { type: 'string' }, keep: { type: 'boolean' } } }));
  } catch (error) {
    throw new CannotRun('E_USAGE', `${(error as Error).message}\n${usage}`);
  }
  const only = (values.only ?? '').split(',').filter(Boolean);
  const unknown = only.filter((letter) => !letters.includes(letter));
  if (values.only !== undefined && only.length === 0) unknown.push('""');
  if (unknown.length)
    throw new CannotRun('E_USAGE', `no journey is called ${unknown.join(', ')}; there are ${letters.join(', ')}\n${usage}`);
  return { only, keep: values.keep ?? false };
}
