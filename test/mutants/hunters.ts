import { fork } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Hunt, Hunted } from './hunt.ts';

/** Longer than any search takes whose histories end: a mutant that goes round in circles is given up then, in milliseconds. */
const patience = 3_600_000;

/** Tells histories in a process of its own, with the code of a copy of the repository. Throws when that code does not even run. */
export function hunt(path: string, question: Hunt): Promise<Hunted> {
  const child = fork(join(path, 'test', 'mutants', 'hunt.ts'), [JSON.stringify(question)], {
    cwd: path,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: patience,
  });
  let [answer, said] = [undefined as Hunted | undefined, ''];
  child.stderr?.on('data', (text) => {
    said += text;
  });
  child.on('message', (message) => {
    answer = message as Hunted;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (answer) resolve(answer);
      else reject(new Error(`the process ended with ${code}: ${said.trim().split('\n').slice(-12).join(' ').slice(0, 600)}`));
    });
  });
}

/** Runs the tests of a file with the code of a copy. Returns the titles of those that failed and have these words. */
export async function failing(path: string, file: string, words: string): Promise<string[]> {
  const vitest = join(path, 'node_modules', 'vitest', 'vitest.mjs');
  const output = join(path, 'report.json');
  rmSync(output, { force: true });
  const args = ['run', file, '--reporter=json', `--outputFile=${output}`];
  const child = fork(vitest, args, { cwd: path, stdio: 'ignore' });
  await new Promise((resolve) => child.on('close', resolve));
  const report = JSON.parse(readFileSync(output, 'utf8')) as {
    readonly testResults: readonly { readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[] }[];
  };
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ status, fullName }) => (status === 'failed' && fullName.includes(words) ? [fullName] : [])),
  );
}
