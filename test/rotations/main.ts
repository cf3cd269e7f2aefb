import { rotateInARow } from './rotations.ts';

/**
 * `npx node test/rotations/main.ts [count]`: a hundred rotations of one key in a row, or as many as are asked for, with a real consumer that works all
 * the time. Ends with 1 unless the vendor refused none of its requests and saw it use every version.
 */
const count = Number(process.argv[2] ?? 100);
const begun = Date.now();
const seconds = () => Math.round((Date.now() - begun) / 1000);
const rotated = await rotateInARow(count, (done) => {
  if (done % 10 === 0) console.log(`${done} of ${count} rotations, ${seconds()} s`);
});
const { rotations, requests, refused, used, alive } = rotated;
console.log(`${rotations} rotations in a row, ${seconds()} s; ${used} versions used, ${alive} alive`);
console.log(`${requests} requests, ${refused} refused`);
process.exitCode = refused === 0 && used === rotations + 1 && alive === 1 ? 0 : 1;
