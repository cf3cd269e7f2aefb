import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Refused } from '../../core/errors.ts';
import { Value } from '../../core/value.ts';
import { hiddenText } from '../input.ts';

/**
 * The responder's own admin credential at one provider, asked for when a call needs it, and once: a hidden prompt, or what `from` says: `-`
 * (stdin), `fd:N` (an open file descriptor) or `env:NAME`. A JSON object of texts, as the secret store keeps it; or the one text `apiKey`.
 * It is kept in memory only. Throws Refused E_INPUT_EMPTY, E_USAGE.
 */
export function adminCredential(provider: string, from: string | undefined): () => Promise<Readonly<Record<string, Value>>> {
  let held: Promise<Readonly<Record<string, Value>>> | undefined;
  return () => {
    held ??= read(provider, from).then(fieldsOf);
    return held;
  };
}

async function read(provider: string, from: string | undefined): Promise<string> {
  const given = (await source(provider, from)).replace(/\r?\n$/, '');
  if (given === '') throw new Refused('E_INPUT_EMPTY', `the admin credential of ${provider} is empty`);
  return given;
}

function source(provider: string, from: string | undefined): Promise<string> | string {
  if (from === '-') return text(process.stdin);
  const descriptor = /^fd:(\d{1,4})$/.exec(from ?? '')?.[1];
  if (descriptor) return readFileSync(Number(descriptor), 'utf8');
  const variable = /^env:(\w{1,100})$/.exec(from ?? '')?.[1];
  if (variable) return process.env[variable] ?? '';
  if (from !== undefined) throw new Refused('E_USAGE', '--admin-from takes "-" (stdin), fd:N or env:NAME');
  if (!process.stdin.isTTY) throw new Refused('E_USAGE', `nobody is here to ask for the admin credential of ${provider}: say --admin-from`);
  return hiddenText(`your own admin credential of ${provider}`);
}

function fieldsOf(given: string): Readonly<Record<string, Value>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(given);
  } catch {
    // Not JSON: the credential itself. The parser's own message would quote it.
  }
  const fields = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed).filter(([, one]) => typeof one === 'string') : [];
  if (fields.length === 0) return { apiKey: new Value(given) };
  return Object.fromEntries(fields.map(([name, one]) => [name, new Value(one)]));
}
