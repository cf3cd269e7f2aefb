import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { exits } from '../ending.ts';
import { localFolder, runningInstance } from '../local-door.ts';
import { action, examples, type GlobalOptions, type Session } from '../session.ts';
import { wholeStatus } from '../whole-status.ts';

/** One thing that must be so, and what to do when it is not. */
interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** `rekey doctor`: why does it not work? */
export function doctor(): Command {
  return new Command('doctor')
    .description('check what the command line needs: Node, the installation, the way to it')
    .addHelpText('after', examples('doctor', 'doctor --stage prod --json'))
    .action(
      action(async (session, options) => {
        const findings = [node(), ...(await installation(session, options))];
        session.result(findings, () =>
          findings
            .map(({ check, ok, detail }) => `${ok ? session.color.green('ok  ') : session.color.red('FAIL')}  ${check}: ${detail}`)
            .join('\n'),
        );
        return findings.every(({ ok }) => ok) ? exits.ok : exits.unexpected;
      }),
    );
}

function node(): Finding {
  const ok = Number.parseInt(process.versions.node, 10) >= 24;
  return { check: 'Node', ok, detail: ok ? process.versions.node : `${process.versions.node}; run "npm ci", which brings Node 24 along` };
}

async function installation(session: Session, options: GlobalOptions): Promise<Finding[]> {
  const deployed = options.stage !== undefined || options.url !== undefined;
  const named: Finding[] = deployed ? [] : [attempt('local installation', () => running())];
  const answers = await attemptAsync('answers', async () => {
    const { keys, attention } = await wholeStatus(session);
    return `${session.door.name}: ${keys} keys, ${attention.length} need a person`;
  });
  return [...named, answers];
}

function running(): string {
  const folder = localFolder();
  const { pid, url, startedAt } = runningInstance(folder);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') {
      throw new Refused('E_UNREACHABLE', `${folder} names process ${pid}, which has ended: start it with "npm start"`);
    }
  }
  return `${folder}, process ${pid} at ${url} since ${startedAt}`;
}

function attempt(check: string, look: () => string): Finding {
  try {
    return { check, ok: true, detail: look() };
  } catch (error) {
    return failed(check, error);
  }
}

async function attemptAsync(check: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { check, ok: true, detail: await look() };
  } catch (error) {
    return failed(check, error);
  }
}

function failed(check: string, error: unknown): Finding {
  if (error instanceof Refused) return { check, ok: false, detail: `${error.code}: ${error.message}` };
  throw error;
}
