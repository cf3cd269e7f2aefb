import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Stored } from './credentials.ts';

/**
 * One line of the vendor's request log. `valueSha256` is of the value that was presented, which is never written itself;
 * `credentialId` is the credential it belongs to, `admin` for the admin key, `unknown` otherwise. `failed`: a fault struck
 * before the vendor judged the value. `status` 0: no complete answer was sent.
 */
export interface LogLine {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly operation: string;
  readonly credentialId: string;
  readonly valueSha256: string;
  readonly outcome: 'accepted' | 'refused' | 'failed';
  readonly status: number;
}

type Entry = { readonly credential: Stored } | { readonly log: LogLine };

export interface Journal {
  readonly stored: readonly Stored[];
  readonly lines: readonly LogLine[];
  append(entry: Entry): void;
}

/** What a data file holds, and where further entries go: appended before the answer is sent. Without a file, memory only. A torn last line is dropped. */
export function openJournal(file: string | undefined): Journal {
  const stored = new Map<string, Stored>();
  const lines: LogLine[] = [];
  const text = file && existsSync(file) ? readFileSync(file, 'utf8') : '';
  for (const line of text.split('\n')) {
    const entry = parse(line);
    if (entry && 'credential' in entry) stored.set(entry.credential.id, entry.credential);
    else if (entry) lines.push(entry.log);
  }
  if (file && text && !text.endsWith('\n')) appendFileSync(file, '\n');
  return {
    stored: [...stored.values()],
    lines,
    append(entry) {
      if ('log' in entry) lines.push(entry.log);
      if (file) appendFileSync(file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    },
  };
}

function parse(line: string): Entry | undefined {
  try {
    return line ? JSON.parse(line) : undefined;
  } catch {
    return undefined;
  }
}
