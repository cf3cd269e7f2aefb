import { Command } from 'commander';
import { checkKeyId } from '../../core/key-id.ts';
import type { Plan } from '../../core/plan.ts';
import type { Begun } from '../../core/rotate/begin.ts';
import { exitOf, exits } from '../ending.ts';
import { agreed, secondsOf } from '../input.ts';
import { showPlan } from '../plan-text.ts';
import { action, examples, type GlobalOptions, type Session } from '../session.ts';
import { watch } from '../watch.ts';

interface Options extends GlobalOptions {
  readonly reason: string;
  readonly requestId?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly wait: boolean;
  readonly timeout?: number;
}

/** `rekey rotate`: begins a rotation now, whatever the schedule says. */
export function rotate(): Command {
  return new Command('rotate')
    .description('rotate a key now; the old version dies only after every consumer has proved that it moved')
    .argument('<key>', 'its id')
    .option('--reason <text>', 'why, for the record', 'asked for on the command line')
    .option('--request-id <id>', 'names this request: the same id again is the same rotation')
    .option('--dry-run', 'show the plan, and do nothing')
    .option('-y, --yes', 'do not ask')
    .option('--wait', 'watch until it ends', false)
    .option('--timeout <seconds>', 'with --wait: stop watching after this long', secondsOf)
    .addHelpText(
      'after',
      examples(
        'rotate payments/stripe --dry-run',
        'rotate payments/stripe --reason "contractor left" --wait',
        'key show payments/stripe --watch',
      ),
    )
    .action(action<Options>(run));
}

async function run(session: Session, options: Options, key = ''): Promise<number> {
  const keyId = checkKeyId(key);
  if (options.dryRun) {
    const plan = await session.door.ask<Plan>('rotate', { keyId, reason: options.reason, dryRun: true });
    session.result(plan, () => showPlan(plan, 'A rotation would'));
    return exits.ok;
  }
  if (!(await agreed(`Rotate ${keyId} now?`, options.yes))) {
    session.note('Nothing was done.');
    return exits.usage;
  }
  const { reason, requestId } = options;
  const begun = await session.door.ask<Begun>('rotate', { keyId, reason, ...(requestId === undefined ? {} : { requestId }) });
  const what = `${begun.started ? 'Began' : 'This request had already begun'} ${begun.operationId}: version ${begun.oldVersion || 'none'} → ${begun.newVersion}.`;
  if (!options.wait) {
    session.result(begun, () => `${what}\nWatch it: rekey key show ${keyId} --watch`);
    return exits.ok;
  }
  session.note(what);
  const { timeout } = options;
  const { end, report } = await watch(session, {
    keyId,
    operationId: begun.operationId,
    ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
  });
  const moved = report.current === begun.newVersion;
  session.result({ ...begun, end, report }, () => {
    if (end !== 'ended') return `${keyId} is ${report.state}.`;
    return moved
      ? `${keyId} is on version ${report.current}.`
      : `The rotation did not end well: ${keyId} is ${report.state}, on version ${report.current ?? 'none'}. See: rekey history ${keyId}`;
  });
  return end === 'ended' && !moved ? exits.unproven : exitOf(end);
}
