import { join } from 'node:path';
import { CannotRun } from './cannot-run.ts';
import { type Ground, layGround } from './ground.ts';
import type { Journey } from './journey.ts';
import { type Options, optionsOf } from './options.ts';
import { readJourneys } from './read-journeys.ts';
import { failures, journeyTable } from './report.ts';
import { runAll } from './run-all.ts';

/** Deploys the product as it is, runs the journeys through its public doors, takes it away again. Exit 0: all of it was seen. */
const started = Date.now();
const interrupted = Promise.withResolvers<never>();
interrupted.promise.catch(() => undefined);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted.reject(new CannotRun('E_INTERRUPTED', 'interrupted; what was begun is taken away (again: at once, and nothing is)'));
    process.once(signal, () => process.exit(130));
  });
}

const ground: Ground = layGround(say);
try {
  const journeys = await readJourneys();
  const letters = journeys.map(({ letter }) => letter);
  const options = optionsOf(process.argv.slice(2), letters);
  process.exitCode = await Promise.race([test(options, journeys), interrupted.promise]);
} catch (error) {
  if (!(error instanceof CannotRun)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = { E_USAGE: 2, E_INTERRUPTED: 130 }[error.code as string] ?? 1;
} finally {
  const left = await ground.takeAway();
  for (const sentence of left) console.error(sentence);
  if (left.length > 0) process.exitCode ||= 1;
}
process.exit();

async function test({ only, keep }: Options, journeys: readonly Journey[]): Promise<number> {
  const { cloud, missing } = await ground.deploy();
  const chosen = journeys.filter(({ letter }) => only.length === 0 || only.includes(letter));
  // What is kept for people is not destroyed by a journey.
  const outcomes = await runAll(
    chosen.filter(({ destroys }) => !destroys || !keep),
    cloud,
    missing,
    say,
  );
  console.log(`\n${journeyTable(outcomes)}\n`);
  const why = failures(cloud.endpoint.name, outcomes, missing);
  for (const sentence of why) console.log(sentence);
  console.log(`${why.length === 0 ? 'All journeys passed' : 'Not passed'}, in ${seconds()} s`);
  if (keep) {
    console.log(`\nKept until Ctrl-C. In another shell:\n  cd ${cloud.stack.folder}`);
    for (const [name, value] of Object.entries(cloud.endpoint.environment)) console.log(`  export ${name}=${value}`);
    console.log(`  ${join(import.meta.dirname, '..', '..', 'cli', 'rekey.mjs')} --stage ${cloud.stage} status`);
    await interrupted.promise.catch(() => undefined);
  }
  return why.length === 0 ? 0 : 1;
}

function say(letter: string, text: string): void {
  console.log(`${seconds().padStart(6)} s  ${letter.padEnd(1)}  ${text.replaceAll('\n', '\n              ')}`);
}

function seconds(): string {
  return ((Date.now() - started) / 1000).toFixed(1);
}
