import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type AuditEntry, firstBreak } from '../core/audit.ts';
import { Refused } from '../core/errors.ts';
import type { KnownVersion } from '../core/reassert/join.ts';

/**
 * What an export of histories proves about versions, by key: how far they had come and which leaked. The file is JSON, `{"key": [entries]}`, the
 * entries as `rekey history KEY --json` prints them. Throws Refused E_INPUT_INVALID for anything else, and for a chain that does not hold.
 */
export async function knownVersions(path: string): Promise<Map<string, readonly KnownVersion[]>> {
  const histories = parse(path === '-' ? await text(process.stdin) : read(path), path);
  return new Map(
    Object.entries(histories).map(([keyId, entries]) => {
      const last = entries.at(-1);
      const broken = last ? firstBreak(entries, last) : null;
      if (broken !== null) throw new Refused('E_INPUT_INVALID', `${path}: the history of ${keyId} does not hold from entry ${broken} on`);
      return [keyId, entries.flatMap(factsOf)];
    }),
  );
}

/** The events that tell that a version ended, or leaked. */
const ending: Readonly<Record<string, NonNullable<KnownVersion['state']>>> = {
  'version.disabling': 'disabling',
  'version.dead': 'disabled',
  'version.destroyed': 'destroyed',
};
const leaking: readonly string[] = ['versions.compromised', 'revocation.not-needed'];

function factsOf({ event, detail }: AuditEntry): KnownVersion[] {
  const state = ending[event];
  const number = Number(detail['version']);
  if (state && Number.isInteger(number) && number > 0) return [{ number, state }];
  if (!leaking.includes(event)) return [];
  const numbers = String(detail['versions'] ?? '')
    .split(' ')
    .map(Number);
  return numbers.filter((one) => Number.isInteger(one) && one > 0).map((one) => ({ number: one, compromised: true }));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new Refused('E_INPUT_INVALID', `${path} cannot be read`);
  }
}

function parse(given: string, path: string): Record<string, AuditEntry[]> {
  const wrong = new Refused('E_INPUT_INVALID', `${path} is no export of histories: {"key": [entries]} is expected`);
  let histories: unknown;
  try {
    histories = JSON.parse(given);
  } catch {
    throw wrong;
  }
  if (typeof histories !== 'object' || histories === null || Array.isArray(histories)) throw wrong;
  const isEntry = (one: unknown) => typeof (one as AuditEntry | null)?.event === 'string' && typeof (one as AuditEntry).detail === 'object';
  for (const entries of Object.values(histories)) if (!Array.isArray(entries) || !entries.every(isEntry)) throw wrong;
  return histories as Record<string, AuditEntry[]>;
}
