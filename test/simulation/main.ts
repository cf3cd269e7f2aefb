import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { boundaries, struckAt } from './boundaries.ts';
import { add, emptyTally, shrink, type Tally } from './seeds.ts';
import { failureInWords } from './telling.ts';

const usage = `Usage: npm run simulate -- [options]
  --seeds N      how many histories (1000)
  --start S      the first seed (1)
  --workers N    processes, 1 or 2 (2)
  --boundaries   instead: every external write of every story, with every fault that fits it
  --json         the summary as JSON`;

/** Which seeds a worker process runs, and how often it reports. */
export interface Share {
  readonly start: number;
  readonly seeds: number;
  readonly step: number;
}

/** How many histories were done when progress was last written as a line. */
let lastShown = 0;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    start: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    boundaries: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else if (values.boundaries) await everyBoundary();
else await histories(whole(values.seeds, 1), whole(values.start, 0), Math.min(2, whole(values.workers, 1)));

function whole(text: string, least: number): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least && number < 2 ** 31) return number;
  console.error(usage);
  process.exit(2);
}

async function histories(seeds: number, start: number, workers: number): Promise<void> {
  const began = performance.now();
  const tally = emptyTally();
  const shares = Array.from({ length: Math.min(workers, seeds) }, (_, i) => ({
    start: start + i,
    seeds: Math.ceil((seeds - i) / workers),
    step: workers,
  }));
  await Promise.all(
    shares.map((share) =>
      inProcess(share, (more) => {
        add(tally, more);
        progress(tally, seeds, began);
      }),
    ),
  );
  if (process.stderr.isTTY) process.stderr.write('\n');
  summary(tally, (performance.now() - began) / 1000);
  const [first] = tally.broken.sort((a, b) => a.seed - b.seed);
  if (!first) return;
  process.exitCode = 1;
  if (!values.json) console.log(`\n${failureInWords(first.seed, await shrink(first.seed))}`);
}

/** Runs a share in a process of its own; hands on what it counts, part by part. */
function inProcess(share: Share, count: (more: Tally) => void): Promise<void> {
  const child = fork(new URL('./share.ts', import.meta.url), [JSON.stringify(share)]);
  child.on('message', (more) => count(more as Tally));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker process ended with ${code}`))));
  });
}

/** On a terminal one line that changes; elsewhere a line for each tenth. */
function progress({ histories: done, broken }: Tally, seeds: number, began: number): void {
  const perSecond = done / ((performance.now() - began) / 1000);
  const line = `${done} of ${seeds} histories, ${perSecond.toFixed(0)}/s, ${broken.length} with a violation`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}  `);
  else if (done === seeds || done - lastShown >= seeds / 10) {
    lastShown = done;
    console.error(line);
  }
}

function summary(tally: Tally, seconds: number): void {
  const { faults, broken, virtualSeconds, ...counts } = tally;
  if (values.json) {
    console.log(JSON.stringify({ ...counts, simulatedSeconds: Math.round(virtualSeconds), seconds: Math.round(seconds), faults, broken }));
    return;
  }
  const width = Math.max(...Object.keys(faults).map((name) => name.length), 0);
  console.log(
    [
      `${tally.histories} histories with ${tally.requests} requests and ${tally.steps} attempts of steps, in ${seconds.toFixed(0)} s`,
      `${(virtualSeconds / 86_400).toFixed(1)} days of simulated time`,
      `${tally.checks} checks of 30 invariants`,
      `${Object.keys(faults).length} kinds of faults struck:`,
      ...Object.entries(faults)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, count]) => `  ${name.padEnd(width)}  ${count}`),
      `${broken.length} violations${broken.length ? `: ${broken.map(({ seed, invariants }) => `seed ${seed} ${invariants.join(' ')}`).join('; ')}` : ''}`,
    ].join('\n'),
  );
}

async function everyBoundary(): Promise<void> {
  const all = await boundaries('every write');
  console.log(`${all.length} boundaries at ${new Set(all.map(({ site }) => site)).size} sites`);
  let broken = 0;
  for (const [i, boundary] of all.entries()) {
    const seen = await struckAt(boundary);
    if (seen) {
      broken += 1;
      console.log(seen);
    }
    if ((i + 1) % 500 === 0) console.error(`${i + 1} of ${all.length}`);
  }
  console.log(`${broken} violations`);
  if (broken) process.exitCode = 1;
}
