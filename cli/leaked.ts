import { Refused } from '../core/errors.ts';
import { readSecret } from './input.ts';
import type { Session } from './session.ts';

export interface Match {
  readonly keyId: string;
  readonly version: number;
  readonly state: string;
  readonly role: string;
}

/** A pasted line may hold more than the value: at most so many parts of it are looked up. */
const maxParts = 12;

/**
 * The key and version that a leaked string belongs to. The string is tried as it is, then its parts, as a line of a log or a settings file
 * has them. It is asked about and kept nowhere. Throws Refused E_NOT_FOUND, and what `readSecret` throws.
 */
export async function identify(session: Session): Promise<Match> {
  const pasted = await readSecret('the leaked string', session.note);
  for (const leaked of candidates(pasted)) {
    const { match } = await session.door.ask<{ match: Match | null }>('revoke.find', { leaked });
    if (match) return match;
  }
  throw new Refused(
    'E_NOT_FOUND',
    'this string belongs to no version that Rekey knows. If you know whose it is, revoke that key by its id: rekey revoke KEY',
  );
}

function candidates(pasted: string): string[] {
  const parts = pasted.split(/[\s"'`=,;:<>(){}[\]]+/).filter((part) => part.length >= 8);
  return [...new Set([pasted, pasted.trim(), ...parts])].slice(0, maxParts);
}
