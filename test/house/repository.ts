import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { type Import, init, parse } from 'es-module-lexer';

await init;

const root = new URL('../../', import.meta.url);
/** Everything a person writes. Generated and installed folders are not read. */
const unread = new Set(['node_modules', '.git', '.rekey', '.emulator', 'cdk.out', 'coverage']);

/** One file of the repository: its path from the root with forward slashes, and its text. A rule reads these and nothing else. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One import or re-export as it is written, resolved to a path from the root when it is relative. */
export interface ImportLine {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** The text of one file of the repository. */
export function readText(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** Every file of the repository whose path ends in one of the endings, in path order. */
export function readFiles(...endings: string[]): SourceFile[] {
  return walk('')
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort()
    .map((path) => ({ path, text: readText(path) }));
}

/** The rooms' own TypeScript: what a rule about code is about. Tests are not in it. */
export function readCode(): SourceFile[] {
  return readFiles('.ts', '.mjs').filter((file) => file.path.includes('/') && !file.path.startsWith('test/') && !file.path.startsWith('.'));
}

/** All imports of a file: static, re-exporting and dynamic ones, types too. */
export function importsOf(file: SourceFile): ImportLine[] {
  const [lines] = parse(file.text, file.path);
  return lines.flatMap((line) => {
    if (line.specifier === null || line.specifier === undefined) return [];
    return [{ from: file.path, to: resolve(file.path, line.specifier), typeOnly: isTypeOnly(line) }];
  });
}

/** True for a file that exports, and exports nothing but what it imports. */
export function isOnlyPassing(file: SourceFile): boolean {
  const [, exported] = parse(file.text, file.path);
  return exported.length > 0 && exported.every((one) => one.type !== 'direct');
}

/** The first folder of a path: `core`, `adapters`, … */
export function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** The text without its comments, so that a rule about code does not read prose. Strings stay. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[\s;{(,])\/\/[^\n]*/g, '$1');
}

/** A file that a rule is fed to show that it can fail. */
export function sample(path: string, text: string): SourceFile {
  return { path, text };
}

function isTypeOnly(line: Import): boolean {
  return line.type === 'dynamic' ? line.probablyTypeOnly : line.typeOnly;
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier;
}

function walk(folder: string): string[] {
  return readdirSync(new URL(folder === '' ? '.' : `${folder}/`, root), { withFileTypes: true }).flatMap((entry) => {
    if (unread.has(entry.name)) return [];
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? walk(path) : [path];
  });
}
