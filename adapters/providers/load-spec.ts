import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlias, isCollection, isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { type Problem, Refused } from '../../core/errors.ts';
import { checkSpec, type Fault } from './check-spec.ts';
import type { Reach } from './egress.ts';
import { looksSecret, secretPlaces } from './secret-scan.ts';
import { type Spec, specSchema } from './spec.ts';
import { schemaFaults } from './spec-faults.ts';

/** What a spec may reach. Plain HTTP to this machine is for specs that say `localOnly: true`, and given only by the local and test composition roots. */
export type LoadOptions = Partial<Reach>;

/** 64 KiB: the longest spec we know of has 5. */
const maxSpecBytes = 64 * 1024;
/** The folder of specs that ships with Rekey. */
export const bundledSpecs = join(import.meta.dirname, 'specs');

const maxDepth = 24;
const maxAliases = 20;

/**
 * Reads one provider spec. Throws Refused with every problem found: its path in the document, its line and column, and
 * what to do; E_TOO_LARGE above 64 KiB, E_SECRET_IN_INPUT when the file seems to hold a secret (which is never
 * echoed), E_INPUT_INVALID otherwise.
 */
export function loadSpec(yamlText: string, file: string, options: LoadOptions = {}): Spec {
  if (Buffer.byteLength(yamlText) > maxSpecBytes) throw new Refused('E_TOO_LARGE', `${file} is larger than ${maxSpecBytes} bytes`);
  if (/[\uFFFD\0]/.test(yamlText))
    throw refused(file, [{ path: '', message: 'line 1, column 1: the file is not text in UTF-8; save it as UTF-8' }]);
  refuseSecrets(yamlText, file);
  const lines = new LineCounter();
  const document = parse(yamlText, file, lines);
  const place = (fault: Fault) => toProblem(fault, lines, document.contents);
  const content = toData(document, file, place);
  const parsed = specSchema.safeParse(content);
  if (!parsed.success) throw refused(file, schemaFaults(parsed.error.issues, content).map(place));
  const spec = parsed.data;
  const faults = checkSpec(spec, { allowLoopback: false, ...options });
  if (faults.length) throw refused(file, faults.map(place));
  if (spec.metadata.secretPattern)
    refuseSecrets(withoutFixtures(yamlText, document.contents), file, new RegExp(spec.metadata.secretPattern));
  return spec;
}

/**
 * Every spec in the folders (`*.yaml`, `*.yml`), in order of name. Specs that run on a laptop only are left out where loopback is
 * not allowed. Throws Refused with the problems of all files together; a folder that cannot be read is E_NOT_FOUND.
 */
export function loadSpecs(folders: readonly string[], options: LoadOptions = {}): Spec[] {
  const specs = new Map<string, Spec>();
  const refusals: Refused[] = [];
  for (const [folder, file] of folders.flatMap(filesOf)) {
    try {
      const spec = loadSpec(readFileSync(join(folder, file), 'utf8'), file, { ...options, allowLoopback: true });
      if (spec.metadata.localOnly && !options.allowLoopback) continue;
      if (specs.has(spec.metadata.id))
        throw new Refused('E_EXISTS', `${file}: another spec has the id ${spec.metadata.id}`, [
          { path: 'metadata.id', message: 'is taken' },
        ]);
      specs.set(spec.metadata.id, spec);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const named = error.problems.map(({ path, message }): Problem => ({ path: `${file}:${path}`, message }));
      refusals.push(new Refused(error.code, error.message, named));
    }
  }
  const [first] = refusals;
  if (!first) return [...specs.values()];
  throw new Refused(
    first.code,
    refusals.map(({ message }) => message).join('; '),
    refusals.flatMap(({ problems }) => problems),
  );
}

type Parsed = ReturnType<typeof parseDocument>;

function parse(yamlText: string, file: string, lineCounter: LineCounter): Parsed {
  const document = guarded(file, () => parseDocument(yamlText, { schema: 'core', lineCounter, uniqueKeys: true, prettyErrors: false }));
  const found = [...document.errors, ...document.warnings];
  if (found.length) {
    const problems = found.map((error) => ({
      path: '',
      message: `${written(lineCounter.linePos(error.pos[0]))}: ${yamlFault(error.code)}`,
    }));
    throw refused(file, problems);
  }
  return document;
}

/** The document as plain data; refuses depth, alias bombs and names that could touch a prototype. */
function toData(document: Parsed, file: string, place: (fault: Fault) => Problem): unknown {
  const faults = guarded(file, () => shapeFaults(document.contents, [], 0));
  if (faults.length) throw refused(file, faults.map(place));
  return guarded(file, () => document.toJS({ maxAliasCount: maxAliases }));
}

function shapeFaults(node: unknown, path: readonly (string | number)[], depth: number): Fault[] {
  if (depth > maxDepth) return [{ path, message: `is nested deeper than ${maxDepth}` }];
  if (!isCollection(node)) return [];
  return node.items.flatMap((item, index) => {
    if (!isPair(item)) return shapeFaults(item, [...path, index], depth + 1);
    if (!isScalar(item.key) || isAlias(item.key)) return [{ path, message: 'has a field whose name is not plain text' }];
    const name = String(item.key.value);
    if (['__proto__', 'constructor', 'prototype'].includes(name))
      return [{ path, message: 'has a field with a forbidden name', key: name }];
    return shapeFaults(item.value, [...path, name], depth + 1);
  });
}

function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw refused(file, [{ path: '', message: 'line 1, column 1: the file is nested too deeply or uses too many aliases' }]);
  }
}

function refuseSecrets(yamlText: string, file: string, pattern?: RegExp): void {
  const places = secretPlaces(yamlText, pattern);
  if (!places.length) return;
  throw new Refused(
    'E_SECRET_IN_INPUT',
    `${file} seems to hold a secret; take it out, and revoke it if it is real`,
    places.map((at) => ({ path: '', message: `${written(at)}: looks like a secret; secrets belong in the secret store` })),
  );
}

/** The text with the fixtures blanked, line by line so that places stay right. */
function withoutFixtures(yamlText: string, contents: unknown): string {
  const pair = isMap(contents) ? contents.items.find((item) => isScalar(item.key) && item.key.value === 'fixtures') : undefined;
  const range = (pair?.value as Node | undefined)?.range;
  if (!range) return yamlText;
  return yamlText.slice(0, range[0]) + yamlText.slice(range[0], range[2]).replace(/[^\n]/g, ' ') + yamlText.slice(range[2]);
}

function refused(file: string, problems: readonly Problem[]): Refused {
  const shown = problems.map(({ path, message }) => ({ path: path.split('.').map(safeName).join('.'), message }));
  return new Refused('E_INPUT_INVALID', `${file} is not a provider spec: ${shown.length} problem${shown.length === 1 ? '' : 's'}`, shown);
}

function safeName(name: string): string {
  return looksSecret(name) || name.length > 64 ? '[name]' : name;
}

function toProblem(fault: Fault, lines: LineCounter, contents: unknown): Problem {
  return {
    path: [...fault.path, ...(fault.key === undefined ? [] : [fault.key])].join('.'),
    message: `${written(lines.linePos(offset(fault, contents)))}: ${fault.message}`,
  };
}

/** Where the node at the path begins; where it is missing, its nearest parent. */
function offset(fault: Fault, contents: unknown): number {
  let node: unknown = contents;
  let best = 0;
  for (const part of fault.key === undefined ? fault.path : [...fault.path, fault.key]) {
    if (!isCollection(node)) break;
    const item: unknown = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      : node.items[Number(part)];
    const key = isPair(item) ? (item.key as Node) : undefined;
    node = isPair(item) ? item.value : item;
    const start = key?.range?.[0] ?? (node as Node | undefined)?.range?.[0];
    if (start === undefined) break;
    best = start;
  }
  return best;
}

function written(at: { line: number; col: number } | { line: number; column: number }): string {
  return `line ${Math.max(1, at.line)}, column ${Math.max(1, 'col' in at ? at.col : at.column)}`;
}

/** The parser's own sentences can quote the file; its codes cannot. */
function yamlFault(code: string): string {
  if (code === 'DUPLICATE_KEY') return 'the same field twice';
  if (code === 'TAB_AS_INDENT') return 'a tab where spaces belong';
  return `not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
}

function filesOf(folder: string): [string, string][] {
  try {
    const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
    return names.toSorted().map((name) => [folder, name]);
  } catch {
    throw new Refused('E_NOT_FOUND', `the folder of provider specs cannot be read: ${folder}`);
  }
}
