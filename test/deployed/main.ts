import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CannotRun } from './cannot-run.ts';
import { openCloud } from './cloud.ts';
import { type Endpoint, openEndpoint } from './endpoint.ts';
import { type Journey, type NotRun, type Outcome, runJourney } from './journey.ts';
import { type Options, optionsOf } from './options.ts';
import { failures, journeyTable } from './report.ts';
import { prepareStack, type Stack } from './stack.ts';
import { type StageVendor, startStageVendor } from './vendor.ts';

/** Deploys the product as it is, runs the journeys through its public doors, takes it away again. Exit 0: all of it was seen. */
const started = Date.now();
const interrupted = Promise.withResolvers<never>();
interrupted.promise.catch(() => undefined);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted.reject(new CannotRun('E_USAGE', 'interrupted'));
    process.once(signal, () => process.exit(130));
  });
}

let endpoint: Endpoint | undefined;
let stack: Stack | undefined;
let stageVendor: StageVendor | undefined;
try {
  const journeys = await readJourneys();
  const options = optionsOf(
    process.argv.slice(2),
    journeys.map(({ letter }) => letter),
  );
  process.exitCode = await Promise.race([test(options, journeys), interrupted.promise]);
} catch (error) {
  if (!(error instanceof CannotRun)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.code === 'E_USAGE' ? 2 : 1;
} finally {
  await stageVendor?.vendor.stop();
  await endpoint?.stop();
}
process.exit();

async function test({ only, keep }: Options, journeys: readonly Journey[]): Promise<number> {
  const stage = `t${randomBytes(4).toString('hex')}`;
  endpoint = await openEndpoint((text) => say('', text));
  stageVendor = await startStageVendor();
  stack = await prepareStack(endpoint, stage, stageVendor);
  say('', `deploying stage ${stage} to ${endpoint.url ?? 'AWS'}`);
  await stack.deploy();
  const cloud = await openCloud(endpoint, stack, stageVendor);
  say('', 'deployed; the journeys begin');
  const chosen = journeys.filter(({ letter }) => only.length === 0 || only.includes(letter));
  const missing: NotRun[] = [];
  const outcomes: Outcome[] = await Promise.all(
    chosen.filter(({ when }) => when !== 'last').map((journey) => runJourney(journey, cloud, missing, say)),
  );
  for (const journey of chosen.filter(({ when }) => when === 'last')) outcomes.push(await runJourney(journey, cloud, missing, say));
  if (keep) {
    console.log(`\nKept until Ctrl-C. In another shell, in ${stack.folder}:`);
    for (const [name, value] of Object.entries(endpoint.environment)) console.log(`  export ${name}=${value}`);
    console.log(`  rekey --stage ${stage} status`);
    await interrupted.promise.catch(() => undefined);
  }
  console.log(`\n${journeyTable(outcomes)}\n`);
  const why = failures(endpoint.name, outcomes, missing);
  for (const sentence of why) console.log(sentence);
  console.log(`${why.length === 0 ? 'All journeys passed' : 'Not passed'}, in ${seconds()} s`);
  return why.length === 0 ? 0 : 1;
}

/** Every file of `journeys/` exports one `journey`. */
async function readJourneys(): Promise<Journey[]> {
  const folder = join(import.meta.dirname, 'journeys');
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  const journeys = await Promise.all(files.map(async (file) => ((await import(join(folder, file))) as { journey: Journey }).journey));
  return journeys.sort((a, b) => (a.letter < b.letter ? -1 : 1));
}

function say(letter: string, text: string): void {
  console.log(`${seconds().padStart(6)} s  ${letter.padEnd(1)}  ${text}`);
}

function seconds(): string {
  return ((Date.now() - started) / 1000).toFixed(1);
}
