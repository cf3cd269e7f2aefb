import { type Problem, Refused } from './errors.ts';

/** Names of keys: lower-case words joined by hyphens, in folders joined by slashes. */
const keyIdPattern = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*)*$/;
const keyIdLength = 100;

/** Why a text cannot be a key's id, with what to write instead where that is clear; undefined when it can. */
export function keyIdProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (text.length > keyIdLength) return `has ${text.length} characters; at most ${keyIdLength} are allowed`;
  const foreign = [...text].filter((character) => (character.codePointAt(0) ?? 0) > 126 || (character.codePointAt(0) ?? 0) < 32);
  if (foreign.length) return `has characters outside ASCII that can look like others: ${[...new Set(foreign)].map(codePoint).join(', ')}`;
  if (keyIdPattern.test(text)) return undefined;
  const lower = text.toLowerCase();
  if (lower !== text && keyIdPattern.test(lower)) return `has capital letters, and ids that differ only in case are one id; write ${lower}`;
  return 'must be words of a–z, 0–9 and "-" joined by "/", like payments/stripe';
}

/** The id. Throws Refused E_INPUT_INVALID that names the path and says what is wrong. */
export function checkKeyId(text: string, path = 'keyId'): string {
  const message = keyIdProblem(text);
  if (message) throw new Refused('E_INPUT_INVALID', `this cannot be the id of a key: it ${message}`, [{ path, message } satisfies Problem]);
  return text;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
