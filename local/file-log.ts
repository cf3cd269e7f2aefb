import { appendFileSync, existsSync, renameSync, statSync } from 'node:fs';
import type { Log, LogFields } from '../core/ports.ts';

/** At this size a start moves the log aside, in bytes; one older file is kept. */
const rollBytes = 10 * 1024 * 1024;

/** Longest text of a message or field, in characters: a log line is for ids, numbers and reasons. */
const longest = 1000;

/** Log lines as JSON in a file, one per call, written before the call returns; readable by its owner only. Never throws. */
export function fileLog(path: string): Log {
  if (existsSync(path) && statSync(path).size > rollBytes) renameSync(path, `${path}.1`);
  const line =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      const entry = { at: new Date().toISOString(), level, message, ...fields };
      try {
        appendFileSync(path, `${JSON.stringify(entry, (_, value) => (typeof value === 'string' ? clean(value) : value))}\n`, {
          mode: 0o600,
        });
      } catch {
        // A full disk must not stop a revocation: the line is lost, the audit is in the inventory.
      }
    };
  const measured = line('measure');
  return {
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    measure: (values, of) => measured('measured', { ...of, ...values }),
  };
}

/** JSON escapes line breaks and control characters; direction and invisible ones would still repaint a terminal. */
function clean(text: string): string {
  return text
    .slice(0, longest)
    .replace(/[\p{Cf}\u007f-\u009f\u2028\u2029]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
