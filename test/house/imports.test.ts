import { describe, expect, test } from 'vitest';
import { type ImportLine, importsOf, isOnlyPassing, readCode, roomOf, type SourceFile, sample } from './repository.ts';

/**
 * Which rooms a room may import. The arrows of the picture in README.md; every room may import itself.
 * `adapters` here means the composition roots alone; see `mayBuild`.
 */
const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  adapters: ['core'],
  requests: ['core'],
  workflows: ['core'],
  consumer: [],
  functions: ['core', 'requests', 'workflows', 'adapters'],
  local: ['core', 'requests', 'workflows', 'adapters', 'consumer'],
  infra: ['core', 'requests', 'workflows'],
  cli: ['core', 'requests', 'local', 'adapters'],
};

/** The packages a room may import, by prefix; a room without a row may import any that package.json has. */
const packages: Readonly<Record<string, readonly string[]>> = {
  core: ['node:crypto'],
  requests: ['zod/mini', 'yaml', 'node:crypto'],
  workflows: [],
};

/** The only files that may import an adapter. */
const compositionRoots = [
  'functions/compose.ts',
  'local/compose.ts',
  'local/rehearsal/compose.ts',
  'local/desk/desk.ts',
  'local/break-glass/compose.ts',
];

/** What else may import which adapters: the command line hands a value that came by stdin to a secret store itself. */
const storeBuilders = { room: 'cli', adapters: /^adapters\/(aws|file|local)\/(secret-store|master-key)\.ts$/ };

/** Plain facts that two rooms must agree on, declared once where they belong. They build nothing, so of the house they import only types. */
const facts = ['functions/secret-names.ts', 'functions/installation.ts'];

/** Loose files of adapters/ that are no adapter: how a vendor's failure is read, how a file is replaced whole, how writers take turns. */
const tools = ['adapters/aws-failure.ts', 'adapters/replace-file.ts', 'adapters/file-lock.ts'];

/** An installation is read at one place of each kind: synth and local mode check the provider specs before anything interprets them. */
const specReaders = {
  files: ['infra/installation.ts', 'infra/rules/functions.ts', 'local/installation.ts'],
  adapters: /^adapters\/providers\/(load-spec|check-spec|registry|private-host)\.ts$/,
};

/** The registries: one file each that lists what is installed, so that adding one touches one line. */
const registries = ['adapters/providers/registry.ts', 'adapters/destinations/registry.ts'];

function wrongWay(files: readonly SourceFile[]): string[] {
  return files.flatMap(importsOf).flatMap((line) => (mayImport(line) ? [] : [`${line.from} imports ${line.to}`]));
}

function mayImport(line: ImportLine): boolean {
  const room = roomOf(line.from);
  if (!isOurs(line.to)) return (packages[room] ?? [line.to]).some((name) => line.to === name);
  const other = roomOf(line.to);
  if (facts.includes(line.to) && ['infra', 'local', 'cli'].includes(room)) return true;
  if (other === 'adapters' && room === 'adapters') return sameKind(line);
  if (other === 'adapters') return mayBuild(line);
  return other === room || (arrows[room] ?? []).includes(other);
}

/** An adapter of one kind imports its own folder, or a loose file of adapters/ that is of no kind. */
function sameKind(line: ImportLine): boolean {
  return kindOf(line.to) === null || kindOf(line.to) === kindOf(line.from);
}

function kindOf(path: string): string | null {
  const [, kind, rest] = path.split('/');
  return rest === undefined ? null : (kind ?? null);
}

function mayBuild(line: ImportLine): boolean {
  if (compositionRoots.includes(line.from) || (specReaders.files.includes(line.from) && specReaders.adapters.test(line.to))) return true;
  const room = roomOf(line.from);
  // A type builds nothing.
  if ((line.typeOnly || tools.includes(line.to)) && ['functions', 'local', 'infra', 'cli'].includes(room)) return true;
  return roomOf(line.from) === storeBuilders.room && storeBuilders.adapters.test(line.to);
}

function isOurs(path: string): boolean {
  return path.includes('/') && (path.endsWith('.ts') || path.endsWith('.json') || path.endsWith('.mjs')) && !path.startsWith('@');
}

function buildsSomething(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => facts.includes(file.path) && importsOf(file).some((line) => isOurs(line.to) && !line.typeOnly))
    .map((file) => file.path);
}

/** Import cycles, as the chain of files that closes each of them. Imports of types count: they are how two files come to need each other. */
function cycles(files: readonly SourceFile[]): string[] {
  const next = new Map(files.map((file) => [file.path, importsOf(file).map((line) => line.to)]));
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, chain: readonly string[]): void => {
    if (chain.includes(path)) {
      found.push([...chain.slice(chain.indexOf(path)), path].join(' → '));
      return;
    }
    if (done.has(path)) return;
    for (const to of next.get(path) ?? []) if (next.has(to)) visit(to, [...chain, path]);
    done.add(path);
  };
  for (const path of next.keys()) visit(path, []);
  return found;
}

/** Files that have nothing of their own and re-export others: a name has one home. */
function barrels(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => !registries.includes(file.path))
    .filter((file) => isOnlyPassing(file) || /(^|\/)index\.ts$/.test(file.path))
    .map((file) => file.path);
}

const code = readCode();

describe('the rooms', () => {
  test('every room of the repository has its row of arrows', () => {
    expect([...new Set(code.map((file) => roomOf(file.path)))].filter((room) => !(room in arrows))).toEqual([]);
  });

  test('no file imports against the arrows', () => {
    expect(wrongWay(code)).toEqual([]);
  });

  test('facts that two rooms share build nothing', () => {
    expect(buildsSomething(code)).toEqual([]);
    expect(buildsSomething([sample('functions/secret-names.ts', "import { compose } from './compose.ts';")])).toHaveLength(1);
  });

  test.each([
    ['core/a.ts', "import type { Item } from '../adapters/aws/inventory.ts';"],
    ['core/a.ts', "import { readFileSync } from 'node:fs';"],
    ['core/a.ts', "import { DynamoDBClient } from '@aws-sdk/client-dynamodb';"],
    ['adapters/aws/a.ts', "import { memoryInventory } from '../memory/inventory.ts';"],
    ['adapters/aws/a.ts', "import { compose } from '../../local/compose.ts';"],
    ['requests/a.ts', "import { z } from 'zod';"],
    ['workflows/a.ts', "import { steps } from '../functions/compose.ts';"],
    ['functions/sweep.ts', "import { inventory } from '../adapters/aws/inventory.ts';"],
    ['local/server.ts', "const { inventory } = await import('../adapters/memory/inventory.ts');"],
    ['cli/main.ts', "import { inventory } from '../adapters/aws/inventory.ts';"],
    ['consumer/a.ts', "import { Value } from '../core/value.ts';"],
    ['infra/a.ts', "import { operate } from '../functions/operate.ts';"],
  ])('the rule refuses it when %s says %s', (path, text) => {
    expect(wrongWay([sample(path, text)])).toHaveLength(1);
  });

  test.each([
    ['adapters/aws/a.ts', "import { clock } from '../clock.ts';"],
    ['functions/compose.ts', "import { inventory } from '../adapters/aws/inventory.ts';"],
    ['cli/secret.ts', "import { secretStore } from '../adapters/aws/secret-store.ts';"],
    ['core/a.ts', "import { createHmac } from 'node:crypto';"],
  ])('the rule allows it when %s says %s', (path, text) => {
    expect(wrongWay([sample(path, text)])).toEqual([]);
  });
});

describe('imports', () => {
  test('no file imports itself by way of others', () => {
    expect(cycles(code)).toEqual([]);
  });

  test('a cycle is found, also one of types only', () => {
    const a = sample('core/a.ts', "import type { B } from './b.ts';");
    const b = sample('core/b.ts', "import { c } from './c.ts';");
    const c = sample('core/c.ts', "import type { A } from './a.ts';");
    expect(cycles([a, b, c])).toEqual(['core/a.ts → core/b.ts → core/c.ts → core/a.ts']);
  });

  test('no file only passes on what others export', () => {
    expect(barrels(code)).toEqual([]);
  });

  test('a re-export and an index file are found', () => {
    const star = sample('core/all.ts', "export * from './key.ts';");
    const some = sample('core/some.ts', "export type { Key } from './key.ts';");
    const index = sample('core/index.ts', 'export const one = 1;');
    expect(barrels([star, some, index])).toEqual(['core/all.ts', 'core/some.ts', 'core/index.ts']);
  });
});
