import { isCancel, password, text } from '@clack/prompts';
import { Refused } from '../core/errors.ts';
import { hasVendorSecret, looksSecret } from '../core/secret-detector.ts';

/** Longer than any vendor's value, and than any line of a log that is worth pasting, in bytes. */
const valueBytes = 64 * 1024;

const valueFlags = /^--?(?:value|secret|password|token|api-?key)(?:=|$)/i;

/**
 * Refuses arguments that look like a key's value, before anything reads them: they already stand in the shell's history and in the list of
 * processes. Throws Refused E_SECRET_IN_INPUT, which names the argument's place and never the argument.
 */
export function refuseSecretArguments(argv: readonly string[]): void {
  argv.forEach((argument, index) => {
    const isId = argv[index - 1] === '--credential-id' || argument.startsWith('--credential-id=');
    if (!valueFlags.test(argument) && !(isId ? hasVendorSecret(argument) : looksSecret(argument))) return;
    throw new Refused('E_SECRET_IN_INPUT', 'an argument looks like a key’s value; nothing was done with it', [
      { path: `argument ${index + 1}`, message: 'values come by stdin or a hidden prompt: --value-from -, --leaked -' },
      {
        path: 'your shell',
        message: 'remove the line from its history; if the value is a real one, treat it as leaked: rekey revoke --leaked -',
      },
    ]);
  });
}

/**
 * A secret string from stdin, or from a hidden prompt when a person sits there. One line end at its end is taken off, nothing else; spaces at
 * either end are kept and reported by `warn`. Throws Refused E_INPUT_EMPTY, E_TOO_LARGE (without reading on), E_INPUT_INVALID.
 */
export async function readSecret(what: string, warn: (text: string) => void): Promise<string> {
  const bytes = process.stdin.isTTY ? Buffer.from(await hiddenText(what), 'utf8') : await readAll(what);
  let given: string;
  try {
    given = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refused('E_INPUT_INVALID', `${what} is not text in UTF-8`);
  }
  const secret = given.replace(/\r?\n$/, '');
  if (secret === '') throw new Refused('E_INPUT_EMPTY', `${what} is empty: pipe it into this command, or run it in a terminal to be asked`);
  if (secret.includes('\uFEFF')) throw new Refused('E_INPUT_INVALID', `${what} holds a byte order mark; save it as UTF-8 without one`);
  if (secret.includes('\0')) throw new Refused('E_INPUT_INVALID', `${what} holds a NUL character`);
  if (secret !== secret.trim()) warn(`warning: ${what} begins or ends with a space; it is taken as it is`);
  return secret;
}

/** Asks the person to type the name of what they are about to end. Throws Refused E_USAGE when nobody is there, or the name is another one. */
export async function confirmByName(name: string, given: string | undefined, question: string): Promise<void> {
  if (given === undefined && !(process.stdin.isTTY && process.stderr.isTTY)) {
    throw new Refused('E_USAGE', `nobody is here to ask: confirm with --confirm ${name}`);
  }
  const typed = given ?? (await asked(() => text({ message: question, placeholder: name, output: process.stderr })));
  if (typed.trim() !== name) throw new Refused('E_USAGE', `that is not ${name}; nothing was done`);
}

/** Asks for one line of text. Where nobody can be asked, throws Refused E_USAGE that names the option which says it. */
export async function askText(question: string, option: string, placeholder: string): Promise<string> {
  if (!(process.stdin.isTTY && process.stderr.isTTY))
    throw new Refused('E_USAGE', `nobody is here to ask "${question}": say it with ${option}`);
  return (await asked(() => text({ message: question, placeholder, output: process.stderr }))).trim();
}

/** Asks yes or no. Where nobody sits in front of it, only `--yes` counts: throws Refused E_USAGE without it. */
export async function agreed(question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new Refused('E_USAGE', `nobody is here to answer "${question}"; say --yes`);
  const typed = await asked(() => text({ message: `${question} (y/N)`, output: process.stderr, defaultValue: 'n' }));
  return /^y(es)?$/i.test(typed.trim());
}

/** A number of seconds on the command line. Throws Refused E_USAGE for anything else. */
export function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds <= 0)
    throw new Refused('E_USAGE', 'a time-out is a number of seconds above 0');
  return seconds;
}

/** Versions on the command line, like `3` or `3,4`. Throws Refused E_USAGE for anything else. */
export function versionNumbers(text: string): number[] {
  if (!/^[1-9]\d{0,8}(,[1-9]\d{0,8})*$/.test(text)) throw new Refused('E_USAGE', '--versions must be numbers like 3 or 3,4');
  return text.split(',').map(Number);
}

/** Ctrl-C at a prompt. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** What a person types or pastes unseen. Throws Interrupted at Ctrl-C. */
export async function hiddenText(what: string): Promise<string> {
  return asked(() => password({ message: `Paste ${what} (it is not shown)`, output: process.stderr }));
}

async function asked(prompt: () => Promise<string | symbol>): Promise<string> {
  const typed = await prompt();
  if (typeof typed !== 'string' || isCancel(typed)) throw new Interrupted();
  return typed;
}

async function readAll(what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > valueBytes) throw new Refused('E_TOO_LARGE', `${what} is longer than ${valueBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
