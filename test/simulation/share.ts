import type { Share } from './main.ts';
import { emptyTally, runSeed } from './seeds.ts';

/** How many histories one report is about. */
const reportEvery = 20;

// Without the process that counts there is nobody to run for.
process.on('disconnect', () => process.exit());

const { start, seeds, step } = JSON.parse(process.argv[2] ?? '') as Share;
let tally = emptyTally();
for (let i = 0; i < seeds; i++) {
  await runSeed(start + i * step, tally);
  if (tally.histories === reportEvery || i === seeds - 1) {
    process.send?.(tally);
    tally = emptyTally();
  }
}
process.disconnect?.();
