import { parseArgs } from 'node:util';
import { explore } from './explore.ts';
import { type SwitchName, switches, switchNamed } from './switches.ts';

/**
 * Explores the model of the protocol and says what was found.
 *
 *   node test/model/main.ts --rotations 1 --revokes 1 --faults 2
 *   node test/model/main.ts --rotations 1 --revokes 2 --faults 1
 *   node test/model/main.ts --without fence
 *
 * Exit 0: no invariant broke; 1: one did, and its shortest story was printed; 2: the question was not understood.
 */
const { values } = parseArgs({
  options: {
    rotations: { type: 'string', default: '1' },
    revokes: { type: 'string', default: '1' },
    faults: { type: 'string', default: '1' },
    without: { type: 'string', multiple: true, default: [] },
  },
});

const [rotations = 0, revokes = 0, faults = 0] = [values.rotations, values.revokes, values.faults].map(Number);
const unknown = values.without.filter((name) => !(name in switches));
if (unknown.length || ![rotations, revokes, faults].every((n) => Number.isInteger(n) && n >= 0 && n <= 4)) {
  process.stderr.write(`numbers from 0 to 4, and --without one of: ${Object.keys(switches).join(', ')}\n`);
  process.exit(2);
}

const started = performance.now();
const without = new Set(values.without as SwitchName[]);
const { states, transitions, violation } = explore({ rotations, revokes, faults }, without);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
const write = (line: string): void => void process.stdout.write(`${line}\n`);
for (const name of without) write(`without ${name}: ${switchNamed(name).removes}`);
write(`${rotations} rotation(s), ${revokes} revocation(s), ${faults} fault(s): ${states} states, ${transitions} transitions, ${seconds} s`);
if (violation) {
  write(`${violation.invariant} is broken: ${violation.says}`);
  for (const [i, line] of violation.story.entries()) write(`${String(i + 1).padStart(4)}. ${line}`);
  process.exitCode = 1;
} else {
  write('no invariant is broken, and every state has a way to an end');
  for (const name of without) if (switchNamed(name).harmlessBecause) write(`${name}: ${switchNamed(name).harmlessBecause}`);
}
