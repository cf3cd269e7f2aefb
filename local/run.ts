import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Refused, refusals } from '../core/errors.ts';
import { tiers } from '../core/key.ts';
import { inflightSeconds } from '../core/settings.ts';
import { type Started, type StartOptions, startLocal } from './start.ts';

const usage = `Usage: npm start [-- options]
  --folder DIR     where everything is kept (.rekey)
  --port N         the door's port on 127.0.0.1 (any free one)
  --sandbox URL    a sandbox vendor that runs already; "none": no sandbox (one is started)`;

/** Runs local mode until SIGINT or SIGTERM; the second signal ends at once. Sets the exit code. */
export async function run(args: readonly string[]): Promise<void> {
  const signalled = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      signalled.resolve();
      process.once(signal, () => process.exit(130));
    });
  }
  let options: StartOptions;
  let started: Started;
  try {
    options = optionsOf(args);
    started = await startLocal(options);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.error(error.message);
    for (const { path, message } of error.problems) console.error(`  ${path}: ${message}`);
    process.exitCode = refusals[error.code];
    return;
  }
  for (const line of greeting(started, options.folder)) console.log(line);
  await signalled.promise;
  console.log('Stopping. What is unfinished goes on at the next start.');
  await started.stop();
  process.exit(0);
}

function optionsOf(args: readonly string[]): StartOptions {
  let values: { folder?: string; port?: string; sandbox?: string };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { folder: { type: 'string' }, port: { type: 'string' }, sandbox: { type: 'string' } },
    }));
  } catch (error) {
    throw new Refused('E_USAGE', `${(error as Error).message}\n${usage}`);
  }
  const port = Number(values.port ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Refused('E_USAGE', `--port takes 0 to 65535\n${usage}`);
  return {
    folder: resolve(values.folder ?? '.rekey'),
    workspace: process.cwd(),
    port,
    ...(values.sandbox === undefined ? {} : { sandbox: values.sandbox }),
  };
}

function greeting({ url, sandboxUrl, installation, resumed }: Started, folder: string): string[] {
  const { settings, specs } = installation;
  const policy = installation.policy.current();
  const refusal = installation.policy.refusal();
  const each = (of: (tier: (typeof tiers)[number]) => string) => tiers.map((tier) => `${tier} ${of(tier)}`).join(', ');
  return [
    `Rekey runs on this machine at ${url}; Ctrl-C stops it.`,
    '',
    `  vendors     ${specs.map((spec) => spec.metadata.id).join(', ')}${sandboxUrl ? ` (sandbox at ${sandboxUrl})` : ''}`,
    `  rotate      ${each((tier) => `every ${length(policy.tiers[tier].rotateEverySeconds)}`)}`,
    `  overlap     ${each((tier) => `${length(policy.tiers[tier].overlapMinSeconds)} to ${length(policy.tiers[tier].overlapMaxSeconds)}`)}`,
    `  schedule    ${each((tier) => `looks every ${settings.sweepSeconds[tier]} s`)}; reconciler every ${settings.reconcileSeconds} s`,
    `  bounds      call ${settings.callSeconds} s, step ${settings.functionSeconds} s, quiesce ${inflightSeconds(settings)} s, orphan ${settings.orphanSeconds} s, stuck ${settings.stuckSeconds} s`,
    ...(refusal
      ? [
          `  policy      ${refusal.file} is refused; its last good edition runs:`,
          ...refusal.problems.map(({ path, message }) => `              ${path} ${message}`),
        ]
      : []),
    ...(resumed.length ? [`  taken up    ${resumed.length} operation(s) that an earlier run left open`] : []),
    '',
    'Next, in another terminal: npx rekey --help',
    `Everything is kept in ${relative(process.cwd(), folder) || '.'}; the log is rekey.log in there.`,
  ];
}

/** A length of time in its largest whole unit. */
function length(seconds: number): string {
  const [count, unit] =
    seconds % 86_400 === 0 ? [seconds / 86_400, 'day'] : seconds % 3600 === 0 ? [seconds / 3600, 'hour'] : [seconds, 'second'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
