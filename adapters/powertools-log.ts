import { Logger } from '@aws-lambda-powertools/logger';
import type { Log, LogFields } from '../core/ports.ts';

/** Longest message and longest field, in characters: a log line is for ids, numbers and reasons. */
const messageLimit = 1000;
const fieldLimit = 300;

/**
 * Structured log lines in JSON on stdout, one per call; fields are under `detail`, out of reach of Powertools' own names.
 * Control and direction characters appear as `\uXXXX`, so that no field can forge a line or repaint a terminal. Events are never logged.
 */
export function powertoolsLog(service = 'rekey'): Log {
  const logger = new Logger({ serviceName: service });
  return {
    info: (message, fields) => logger.info(clean(message, messageLimit), detail(fields)),
    warn: (message, fields) => logger.warn(clean(message, messageLimit), detail(fields)),
    error: (message, fields) => logger.error(clean(message, messageLimit), detail(fields)),
  };
}

function detail(fields: LogFields = {}): { detail: Record<string, string | number | boolean | undefined> } {
  const cleaned = Object.entries(fields).map(([name, field]) => [
    clean(name, fieldLimit),
    typeof field === 'string' ? clean(field, fieldLimit) : field,
  ]);
  return { detail: Object.fromEntries(cleaned) };
}

// C0, DEL, C1, soft and zero-width marks, line separators, direction overrides and isolates.
const unseen = /[\p{Cc}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

function clean(text: string, limit: number): string {
  const short = text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
  return short.replace(unseen, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
