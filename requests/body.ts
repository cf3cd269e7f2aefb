import { Refused } from '../core/errors.ts';
import { shownName } from '../core/secret-detector.ts';

/** The largest body any door reads, in bytes (that of an SNS or EventBridge message). */
export const bodyBytes = 256 * 1024;

/** Far beyond any honest request, far below what could tire a parser. */
const maxDepth = 20;
const maxNodes = 20_000;
const maxText = 64 * 1024;
const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Throws Refused E_MEDIA_TYPE for a body that does not say it is JSON, is in another charset than UTF-8, or is compressed: nothing here
 * unpacks, so nothing can swell.
 */
export function checkMedia(contentType: string | undefined, contentEncoding: string | undefined): void {
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  if (type !== 'application/json') throw new Refused('E_MEDIA_TYPE', 'the content type must be application/json');
  if (parameters.some((one) => one.startsWith('charset=') && !/^charset="?utf-?8"?$/.test(one)))
    throw new Refused('E_MEDIA_TYPE', 'the charset of JSON is UTF-8');
  if (contentEncoding && contentEncoding.trim().toLowerCase() !== 'identity')
    throw new Refused('E_MEDIA_TYPE', 'the body must not be compressed');
}

/** The text of a body's bytes. Throws Refused E_INPUT_INVALID for what is not UTF-8. */
export function textOfBody(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refused('E_INPUT_INVALID', 'the body is not text in UTF-8');
  }
}

/**
 * The JSON of a request's body. Throws Refused: E_TOO_LARGE beyond 256 KiB, E_INPUT_INVALID for anything that is not
 * strict JSON, for a field given twice, and for what `checkShape` refuses. The message never repeats the body.
 */
export function parseBody(text: string): unknown {
  if (Buffer.byteLength(text) > bodyBytes) throw new Refused('E_TOO_LARGE', `the body is larger than ${bodyBytes} bytes`);
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    throw new Refused('E_INPUT_INVALID', 'the body is not JSON');
  }
  refuseRepeatedFields(text);
  checkShape(input);
  return input;
}

/** Throws Refused E_INPUT_INVALID for input that is too deep or too large, for numbers JSON cannot carry faithfully, and for names that reach a prototype. */
export function checkShape(input: unknown): void {
  let nodes = 0;
  const waiting: { value: unknown; path: string; depth: number }[] = [{ value: input, path: '', depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, path, depth } = next;
    if (++nodes > maxNodes) throw bad(path, `more than ${maxNodes} fields and elements`);
    if (depth > maxDepth) throw bad(path, `nested deeper than ${maxDepth} levels`);
    if (typeof value === 'string' && value.length > maxText) throw bad(path, `longer than ${maxText} characters`);
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) throw bad(path, 'not a number that JSON can carry');
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, element] of Object.entries(value)) {
      if (forbiddenNames.has(name)) throw bad(path, `a field may not be named ${name}`);
      waiting.push({ value: element, path: path ? `${path}.${shownName(name)}` : shownName(name), depth: depth + 1 });
    }
  }
}

/** JSON.parse keeps the last of two equal names, and two readers may disagree on which: so neither is accepted. `text` is valid JSON. */
function refuseRepeatedFields(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  const tokens = text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g);
  for (const [token, string, colon] of tokens) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (string && colon) {
      const name: string = JSON.parse(string);
      const names = open.at(-1);
      if (names?.has(name)) throw bad('', `the field ${shownName(name)} is given twice`);
      names?.add(name);
    }
  }
}

function bad(path: string, message: string): Refused {
  return new Refused('E_INPUT_INVALID', `the input is refused: ${message}`, [{ path: path || '(the whole input)', message }]);
}
