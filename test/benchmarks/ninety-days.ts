import { ninetyDays } from '../ninety-days/run.ts';
import { days, fleet } from '../ninety-days/scenario.ts';

/** How long ninety days of the sample fleet take: the real steps, workflows, sweeps, reconciler, reports, reviews and seals. `npx node test/benchmarks/ninety-days.ts` */
const from = performance.now();
const cpu = process.cpuUsage();
const { failures } = await ninetyDays();
const { user, system } = process.cpuUsage(cpu);
const seconds = (performance.now() - from) / 1000;
console.log(
  `${days} days of ${fleet.length} keys: ${seconds.toFixed(1)} s, of which ${((user + system) / 1e6).toFixed(1)} s of one processor`,
);
if (failures.length) {
  console.error(failures.join('\n'));
  process.exitCode = 1;
}
process.exit();
