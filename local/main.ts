/** `npm start`: the whole product on this machine, until Ctrl-C. */
const needed = 24;

if (Number.parseInt(process.versions.node, 10) < needed) {
  console.error(`Rekey needs Node ${needed}; this is ${process.versions.node}. After "npm ci", "npm start" uses the right one.`);
  process.exit(1);
}
// Only now: on an older Node the rest does not load.
const { run } = await import('./run.ts');
await run(process.argv.slice(2));

export {};
