import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readKeyFile } from '../../requests/key-document.ts';
import { readFiles, readText, roomOf, type SourceFile, sample } from './repository.ts';

const documents = readFiles('.md');
const cli = readFiles('.ts').filter((file) => roomOf(file.path) === 'cli');
const runbook = readText('docs/runbook.md');

/** Links to files and headings of the repository that lead nowhere. */
function deadLinks(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    [...file.text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^(https?|mailto):/.test(link)) return [];
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file.path : posix.join(posix.dirname(file.path), path);
      if (!exists(target) && path !== '') return [`${file.path}: ${link}`];
      const text = path === '' ? file.text : target.endsWith('.md') ? readText(target) : '';
      return anchor === undefined || anchors(text).includes(anchor) ? [] : [`${file.path}: ${link}`];
    }),
  );
}

/** A heading's anchor as GitHub makes it; the first of several equal ones. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

/** npm scripts that a document tells to run and package.json does not have. */
function unknownScripts(files: readonly SourceFile[]): string[] {
  const scripts: Record<string, string> = JSON.parse(readText('package.json')).scripts;
  return files.flatMap((file) =>
    [...file.text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)]
      .map(([, run, short]) => run ?? short ?? '')
      .filter((name) => !(name in scripts))
      .map((name) => `${file.path}: ${name}`),
  );
}

/** Commands and options of `npx rekey …` that no file of the command line declares. */
function unknownCommands(files: readonly SourceFile[], declaredIn: string): string[] {
  const groups = [...declaredIn.matchAll(/= group\('([a-z-]+)'/g)].map(([, name]) => name);
  return files.flatMap((file) =>
    [...file.text.matchAll(/\bnpx rekey ([^\n`|]+)/g)].flatMap(([, line = '']) => {
      const words = line.replace(/#.*$/, '').trim().split(/\s+/);
      const command = words.slice(0, groups.includes(words[0] ?? '') ? 2 : 1).filter((word) => !word.startsWith('-'));
      const options = words.filter((word) => /^--[a-z-]+$/.test(word) && word !== '--help');
      const missing = [
        ...command.filter((word) => !new RegExp(`(?:new Command|group|\\.command)\\('${word}['" ]`).test(declaredIn)),
        ...options.filter((option) => !new RegExp(`${option}\\b`).test(declaredIn)),
      ];
      return missing.map((word) => `${file.path}: ${word} in "npx rekey ${line.trim()}"`);
    }),
  );
}

function section(document: string, name: string): string[] {
  const body = document.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? '';
  return [...body.matchAll(/^### (.+)$/gm)].map(([, heading = '']) => heading).sort();
}

/** The reasons for which the core asks for a person's attention. */
function attentionReasons(files: readonly SourceFile[]): string[] {
  const found = files.flatMap((file) =>
    [...file.text.matchAll(/(?:\breason: |\breport\([^'"]*?)'([A-Z][A-Za-z]+)'/g)].map(([, reason = '']) => reason),
  );
  return [...new Set(found)].sort();
}

describe('the documents', () => {
  test('link to nothing that is not there', () => {
    expect(deadLinks(documents)).toEqual([]);
  });

  test('tell nobody to run a script that does not exist', () => {
    expect(unknownScripts(documents)).toEqual([]);
  });

  test('tell nobody to type a command or an option that rekey does not have', () => {
    expect(unknownCommands(documents, cli.map((file) => file.text).join('\n'))).toEqual([]);
  });

  test('name the two commands of the README as package.json and the CI entry have them', () => {
    const readme = readText('README.md');
    expect(readme).toContain('npm ci && npm run demo');
    expect(readme).toContain('npm ci && npm test');
    expect(readText('.ci/run')).toMatch(/^npm ci\b[\s\S]*^npm test\b/m);
  });

  test('show a key file that is accepted as it stands', () => {
    const yaml = /```yaml\n([\s\S]*?apiVersion: rekey\/v1\nkind: Key\n[\s\S]*?)```/.exec(readText('README.md'))?.[1] ?? '';
    const { keys, rejected } = readKeyFile(yaml, 'my-key.yaml');
    expect(rejected).toEqual([]);
    expect(keys).toHaveLength(1);
  });

  test('draw every room of the house and no other', () => {
    const drawn = [...readText('README.md').matchAll(/^(\w+)\/ {2,}/gm)].map(([, room = '']) => room);
    const rooms = new Set(
      readFiles('.ts', '.json', '.md')
        .filter((file) => file.path.includes('/') && !file.path.startsWith('.'))
        .map((file) => roomOf(file.path)),
    );
    expect([...drawn].sort()).toEqual([...rooms].sort());
  });

  test('record each decision on a numbered page of at most forty lines with its context and consequences', () => {
    const decisions = documents.filter((file) => file.path.startsWith('docs/adr/'));
    expect(decisions.length).toBeGreaterThan(0);
    decisions.forEach((file, index) => {
      expect(file.path).toMatch(new RegExp(`^docs/adr/${String(index + 1).padStart(4, '0')}-[a-z0-9-]+\\.md$`));
      expect([...file.text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual(['Context', 'Decision', 'Consequences']);
      expect(file.text.split('\n').length).toBeLessThanOrEqual(41);
    });
  });
});

describe('the runbook', () => {
  test('has a section for each alarm of the stack, under the heading that the alarm names, and no other', () => {
    const headings = [...readText('infra/alarms.ts').matchAll(/^ {2}'[a-z-]+': '(Alarm: [^']+)',$/gm)].map(([, heading = '']) => heading);
    expect(headings.length).toBeGreaterThan(0);
    expect(section(runbook, 'Alarms')).toEqual(headings.sort());
  });

  test('has a section for each reason for attention, and no other', () => {
    const reasons = attentionReasons(readFiles('.ts').filter((file) => roomOf(file.path) === 'core'));
    expect(section(runbook, 'Attention')).toEqual(reasons);
  });
});

describe('the rules of documents', () => {
  test('see a link to a file and to a heading that are not there', () => {
    const bad = sample('docs/a.md', '# One\n[x](gone.md) [y](#two) [z](#one) [w](runbook.md#errors) [v](runbook.md#gone)');
    expect(deadLinks([bad])).toEqual(['docs/a.md: gone.md', 'docs/a.md: #two', 'docs/a.md: runbook.md#gone']);
  });

  test('see a script, a command and an option that are not there', () => {
    expect(unknownScripts([sample('a.md', 'npm run gone and npm test')])).toEqual(['a.md: gone']);
    const declared = ".command('rotate KEY').option('--reason TEXT')";
    expect(unknownCommands([sample('a.md', '`npx rekey rotate KEY --reason x`')], declared)).toEqual([]);
    expect(unknownCommands([sample('a.md', '`npx rekey destroy KEY --fast`')], declared)).toHaveLength(2);
  });

  test('see a reason for attention in an object and in a report', () => {
    const text = "{ attention: { reason: 'One' } }\nawait report(\n  ports,\n  key,\n  'Two',\n  `x`)";
    expect(attentionReasons([sample('core/a.ts', text)])).toEqual(['One', 'Two']);
  });
});

function exists(path: string): boolean {
  return existsSync(new URL(`../../${path}`, import.meta.url));
}
