import { describe, expect, test } from 'vitest';
import { readFiles, readText } from './repository.ts';

/**
 * Named errors that no workflow may see, and why. Every other class of core/errors.ts is a workflow error: its name is an
 * `ErrorEquals` string and a heading of the runbook.
 */
const notInWorkflows: Readonly<Record<string, string>> = {
  Refused: 'a request was refused before its first effect; it ends at the door as an E_ code',
  ConditionFailed: 'the inventory answers core with it; core turns it into Fenced, Superseded or a new look',
};

interface Declared {
  readonly className: string;
  readonly name: string | undefined;
}

function declaredErrors(source: string): Declared[] {
  return [...source.matchAll(/^export class (\w+) extends RekeyError \{([\s\S]*?)^\}/gm)].map(([, className = '', body = '']) => ({
    className,
    name: /override readonly name = '(\w+)';/.exec(body)?.[1],
  }));
}

/** Every string of an `ErrorEquals`, and every `Error` of a Fail state, that is not AWS's own. */
function workflowErrors(definitions: readonly string[]): string[] {
  const found = new Set<string>();
  const read = (node: unknown): void => {
    if (Array.isArray(node)) for (const child of node) read(child);
    else if (typeof node === 'object' && node !== null)
      for (const [field, child] of Object.entries(node)) {
        if (field === 'ErrorEquals') for (const name of child as string[]) found.add(name);
        else if (field === 'Error' && typeof child === 'string') found.add(child);
        else read(child);
      }
  };
  for (const text of definitions) read(JSON.parse(text));
  return [...found].filter((name) => !/^(States|Lambda|Sandbox|Runtime)\./.test(name)).sort();
}

/** The level-three headings of one level-two section of a document. */
function headings(document: string, section: string): string[] {
  const body = document.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  return [...body.matchAll(/^### `?([^`\n]+)`?$/gm)].map(([, heading = '']) => heading).sort();
}

const source = readText('core/errors.ts');
const declared = declaredErrors(source);
const named = declared.map((error) => error.name ?? '').filter((name) => !(name in notInWorkflows));
const definitions = readFiles('.asl.json').map((file) => file.text);
const runbook = readText('docs/runbook.md');

describe('an error', () => {
  test('has a literal name that is the name of its class', () => {
    expect(declared.length).toBeGreaterThan(10);
    expect(declared.filter((error) => error.name !== error.className)).toEqual([]);
  });

  test('is declared in core/errors.ts and nowhere else', () => {
    const elsewhere = readFiles('.ts')
      // What ends the command line with an exit code crosses no port.
      .filter((file) => file.path !== 'core/errors.ts' && !file.path.startsWith('test/') && !file.path.startsWith('cli/'))
      .filter((file) => /\bclass \w+ extends (RekeyError|Fenced|Refused)\b/.test(file.text));
    expect(elsewhere.map((file) => file.path)).toEqual([]);
  });

  test('of a workflow is named in a workflow file, and a workflow file names no other', () => {
    expect(workflowErrors(definitions)).toEqual([...named].sort());
  });

  test('of a workflow is a section of the runbook, and the runbook has no other', () => {
    expect(headings(runbook, 'Errors')).toEqual([...named].sort());
  });

  test('that no workflow may see is in none', () => {
    const internal = Object.keys(notInWorkflows);
    expect(internal.filter((name) => !declared.some((error) => error.name === name))).toEqual([]);
    expect(workflowErrors(definitions).filter((name) => internal.includes(name))).toEqual([]);
  });

  test('that is thrown by a step is one of core/errors.ts', () => {
    const known = new Set(declared.map((error) => error.className));
    const thrown = readFiles('.ts')
      .filter((file) => file.path.startsWith('core/'))
      .flatMap((file) => [...file.text.matchAll(/\bthrow new (\w+)\(/g)].map(([, name = '']) => name));
    expect(thrown.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('a refusal', () => {
  test('has a row in the runbook for each code, and the runbook has no other', async () => {
    const { refusals } = await import('../../core/errors.ts');
    const section = runbook.split(/^## /m).find((part) => part.startsWith('Refusals\n')) ?? '';
    const rows = [...section.matchAll(/^\| `(E_[A-Z_]+)` \| (\d) \|/gm)].map(([, code = '', exit = '']) => [code, Number(exit)]);
    expect(Object.fromEntries(rows)).toEqual(refusals);
  });
});

describe('the rule of names', () => {
  test('sees a class whose name is not a literal', () => {
    const bad = 'export class Gone extends RekeyError {\n  override readonly name = new.target.name;\n}\n';
    expect(declaredErrors(bad)).toEqual([{ className: 'Gone', name: undefined }]);
  });

  test('sees an error that only a workflow knows, in a Retry, a Catch and a Fail', () => {
    const bad = { Retry: [{ ErrorEquals: ['Typo', 'States.Timeout'] }], Catch: [{ ErrorEquals: ['Other'] }], Error: 'Third' };
    expect(workflowErrors([JSON.stringify(bad)])).toEqual(['Other', 'Third', 'Typo']);
  });

  test('sees a heading only in its own section', () => {
    expect(headings('## Alarms\n### One\n## Errors\n### Two\n', 'Errors')).toEqual(['Two']);
  });
});
