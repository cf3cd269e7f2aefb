import type { Log, Pager } from '../../core/ports.ts';

/** Writes each page into the log: what people are told where nothing else is set up. */
export function logChannel(log: Log): Pager {
  return {
    async page({ action, level, to, severity, thread, title, lines, more }) {
      log.warn(`page: ${title}`, { action, level, to, severity, thread, lines: lines.length + more });
    },
  };
}
