import { type Document, isMap, isPair, isScalar, LineCounter, type Node, parseAllDocuments, visit } from 'yaml';
import { type Problem, Refused } from '../core/errors.ts';
import { hasVendorSecret, looksSecret } from '../core/secret-detector.ts';
import { checkShape } from './body.ts';

/** One document of a YAML file: what it says, and where each part of it stands. */
export interface YamlDocument {
  readonly content: unknown;
  /** `line 3, column 7` of the field at a path; of the nearest field above it where there is none. */
  readonly where: (path: readonly (string | number)[]) => string;
}

/** One mebibyte: thousands of keys. */
const fileBytes = 1024 * 1024;

/** Longer than anything a person writes on one line; what takes a parser longest is written without a line's end. */
const lineCharacters = 16 * 1024;

/** A file of keys may hold as many documents. */
const maxDocuments = 5000;

/** How often aliases may repeat content before a file counts as a bomb. */
const maxAliasCount = 50;

/**
 * The documents of a YAML 1.2 file (core schema). Throws Refused: E_TOO_LARGE beyond 1 MiB, E_INPUT_EMPTY, E_INPUT_INVALID with line and
 * column for what is not clean YAML (tabs, names and anchors given twice, unknown tags, aliases that explode), and E_SECRET_IN_INPUT with
 * line and column, for the whole file, when any text in it looks like a key's value. No message repeats what the file says.
 */
export function readYaml(text: string, file: string): YamlDocument[] {
  if (Buffer.byteLength(text) > fileBytes) throw new Refused('E_TOO_LARGE', `${file} is larger than ${fileBytes} bytes`);
  refuseShape(text, file);
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
    schema: 'core',
    uniqueKeys: true,
    lineCounter: lines,
    prettyErrors: false,
  });
  const documents = Array.isArray(parsed) ? parsed : [];
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  const faults = documents
    .flatMap(({ errors, warnings }) => [...errors, ...warnings])
    .map(({ code, pos }) => ({ path: at(pos[0]), message: faultText(code) }));
  const repeated = documents.flatMap((document) => [...repeatedAnchors(document, at), ...namesOfParts(document, at)]);
  refuse('E_INPUT_INVALID', `${file} is not clean YAML`, [...faults, ...repeated]);
  const found = documents.filter(({ contents }) => contents !== null);
  if (found.length === 0) throw new Refused('E_INPUT_EMPTY', `${file} holds no document`);
  refuse(
    'E_SECRET_IN_INPUT',
    `${file} seems to hold a key's value, so none of it was used. If it is a real one, treat it as leaked: rekey revoke --leaked -`,
    [...found.flatMap((document) => secrets(document, at)), ...secretLines(text)],
  );
  return found.map((document) => ({ content: contentOf(document, file), where: (path) => at(offsetOf(document, path)) }));
}

/** Before anything is parsed: another encoding, and what would only keep a parser busy. */
function refuseShape(text: string, file: string): void {
  if (/[\uFFFD\0]/.test(text)) {
    const message = 'save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8, or -f LATIN1';
    throw new Refused('E_INPUT_INVALID', `${file} is not text in UTF-8`, [{ path: file, message }]);
  }
  const long = text.split('\n').findIndex((line) => line.length > lineCharacters);
  if (long >= 0)
    throw new Refused('E_TOO_LARGE', `line ${long + 1} of ${file} is longer than ${lineCharacters} characters; nothing was read`);
  if ((text.match(/^---/gm) ?? []).length > maxDocuments)
    throw new Refused('E_TOO_LARGE', `${file} holds more than ${maxDocuments} documents: divide it`);
}

function contentOf(document: Document, file: string): unknown {
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount });
  } catch {
    throw new Refused('E_INPUT_INVALID', `${file} repeats its anchors too often`, [{ path: file, message: 'write the content out' }]);
  }
  checkShape(content);
  return content;
}

function repeatedAnchors(document: Document, at: (offset: number) => string): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  visit(document, {
    Node: (_, node) => {
      const { anchor, range } = node as Node & { anchor?: string };
      if (!anchor) return;
      if (seen.has(anchor)) problems.push({ path: at(range?.[0] ?? 0), message: 'an anchor of this name was set before' });
      seen.add(anchor);
    },
  });
  return problems;
}

/** A map's name must be plain text: YAML would take a list or a map as one. */
function namesOfParts(document: Document, at: (offset: number) => string): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (!isScalar(key) && key !== null) problems.push({ path: at((key as Node).range?.[0] ?? 0), message: 'a name must be plain text' });
    },
  });
  return problems;
}

function secrets(document: Document, at: (offset: number) => string): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Scalar: (_, { value, range }, path) => {
      // A vendor's own ids under `params` are irregular too; only a known shape or a very long run counts there.
      const inParams = path.some((step) => isPair(step) && isScalar(step.key) && step.key.value === 'params');
      if (typeof value !== 'string' || !looksSecret(value, inParams ? 40 : 24)) return;
      problems.push({ path: at(range?.[0] ?? 0), message: 'looks like a key’s value' });
    },
  });
  return problems;
}

/** What no field holds: comments, and shapes that a folded text hides. */
function secretLines(text: string): Problem[] {
  return text.split('\n').flatMap((line, index) => {
    const comment = /(?:^|\s)#(.*)/.exec(line)?.[1] ?? '';
    return hasVendorSecret(line) || looksSecret(comment) ? [{ path: `line ${index + 1}`, message: 'looks like a key’s value' }] : [];
  });
}

/** Where the field itself stands (its name, not what it holds), or the last of its parents that exists. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const step of path) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step)) : undefined;
    const next = pair ?? (node as { items?: readonly unknown[] } | null)?.items?.[Number(step)];
    if (!next) break;
    node = isPair(next) ? next.value : next;
    const named = (isPair(next) ? next.key : next) as Node;
    offset = named.range?.[0] ?? offset;
  }
  return offset;
}

function faultText(code: string): string {
  const known: Readonly<Record<string, string>> = {
    TAB_AS_INDENT: 'a tab cannot indent; use spaces',
    DUPLICATE_KEY: 'this name was used before in the same map',
    BAD_ALIAS: 'this alias names no anchor',
    TAG_RESOLVE_FAILED: 'this tag is not known',
    UNEXPECTED_TOKEN: 'this does not belong here',
    MISSING_CHAR: 'a character is missing here',
  };
  return known[code] ?? `is not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
}

function refuse(code: 'E_INPUT_INVALID' | 'E_SECRET_IN_INPUT', message: string, problems: readonly Problem[]): void {
  if (problems.length) throw new Refused(code, message, problems);
}
