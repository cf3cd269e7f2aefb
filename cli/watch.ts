import { setTimeout as pause } from 'node:timers/promises';
import { Refused } from '../core/errors.ts';
import type { KeyReport, OperationView } from '../core/show.ts';
import { ago } from './elapsed.ts';
import type { Session } from './session.ts';

/** How often to look, in milliseconds; a deployed installation is asked less. */
const paces = { local: 400, deployed: 2000 } as const;

export interface Watched {
  /** `interrupted`: somebody pressed Ctrl-C; the work itself goes on. */
  readonly end: 'ended' | 'waits' | 'timed out' | 'interrupted';
  readonly report: KeyReport;
}

export interface WatchOptions {
  readonly keyId: string;
  /** Any that is open, when absent. */
  readonly operationId?: string;
  /** Give up watching after this long; nothing means never. */
  readonly timeoutSeconds?: number;
}

/**
 * Shows an operation's steps as they happen, until it has ended or waits for a person. Watching changes nothing: Ctrl-C and a time-out only
 * end the watching, and say how to go on with it. Short losses of the connection are waited out.
 */
export async function watch(session: Session, { keyId, operationId, timeoutSeconds }: WatchOptions): Promise<Watched> {
  const started = Date.now();
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.on('SIGINT', interrupt);
  const trail = follow(session, started);
  let report: KeyReport | undefined;
  let clock: NodeJS.Timeout | undefined;
  try {
    if (session.live) clock = setInterval(() => session.redraw(trail.line(Date.now())), 200);
    for (;;) {
      report = (await look(session, keyId, report === undefined)) ?? report;
      const open = report?.operation && (operationId === undefined || report.operation.id === operationId) ? report.operation : null;
      if (report) trail.saw(report, open);
      if (report && !open) return { end: 'ended', report };
      if (report && open?.kind === 'revoke' && open.waitsFor) return { end: 'waits', report };
      if (report && stop.signal.aborted) return leave('interrupted', report);
      if (report && timeoutSeconds !== undefined && Date.now() - started >= timeoutSeconds * 1000) return leave('timed out', report);
      await pause(paces[session.door.kind], undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    clearInterval(clock);
    session.redraw('');
    process.removeListener('SIGINT', interrupt);
  }

  function leave(end: 'interrupted' | 'timed out', last: KeyReport): Watched {
    session.note(`Stopped watching; the work itself goes on. Watch again: rekey key show ${keyId} --watch`);
    return { end, report: last };
  }
}

/** The key as it is now; undefined when nobody answered, which only the first look does not forgive. */
async function look(session: Session, keyId: string, first: boolean): Promise<KeyReport | undefined> {
  try {
    return await session.door.ask<KeyReport>('key.show', { keyId });
  } catch (error) {
    if (first || !(error instanceof Refused) || error.code !== 'E_UNREACHABLE') throw error;
    return undefined;
  }
}

/** Says each thing once: a step that began, a version whose state changed, a consumer that moved, a call for a person. */
function follow(session: Session, started: number) {
  const said = new Set<string>();
  let now = 'asked';
  const say = (text: string) => {
    if (said.has(text)) return;
    said.add(text);
    session.note(`${session.color.dim(ago(Date.now() - started).padStart(7))}  ${text}`);
  };
  return {
    saw(report: KeyReport, open: OperationView | null) {
      for (const { number, state, compromised } of report.versions) {
        if (open && (number === open.oldVersion || number === open.newVersion || compromised)) say(`version ${number} is ${state}`);
      }
      for (const [consumer, what] of Object.entries(report.adoption)) if (!what.startsWith('no proof')) say(`${consumer} is ${what}`);
      if (report.attention) say(session.color.yellow(`${report.attention.reason}: ${report.attention.message}`));
      if (!open) return;
      for (const { mark, seconds, targetSeconds } of open.stopwatch) {
        if (seconds === null) continue;
        const late =
          seconds > targetSeconds ? session.color.red(`late, due at ${ago(targetSeconds * 1000)}`) : `due at ${ago(targetSeconds * 1000)}`;
        say(`${mark} ${ago(seconds * 1000)} after the report (${late})`);
      }
      now = open.waitsFor ? `${open.step}, waiting for ${open.waitsFor}` : open.step;
      say(`${report.state}: ${now}`);
    },
    line: (at: number) => `${ago(at - started).padStart(7)}  ${now} …`,
  };
}
