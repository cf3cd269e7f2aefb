import { describe, expect, test } from 'vitest';
import { readCode, readFiles, readText, roomOf, type SourceFile, sample, withoutComments } from './repository.ts';

const code = readCode();
const tests = readFiles('.ts').filter((file) => file.path.startsWith('test/'));

/** A rule is a function from files to the breaches it finds in them, so that a test can feed it a bad sample. */
type Rule = (files: readonly SourceFile[]) => string[];

/** Finds a pattern in the code (comments left out) of the files that `within` accepts. */
function forbids(pattern: RegExp, within: (file: SourceFile) => boolean): Rule {
  return (files) =>
    files
      .filter(within)
      .flatMap((file) => [...withoutComments(file.text).matchAll(pattern)].map((hit) => `${file.path}: ${hit[0].trim()}`));
}

const inRoom =
  (...rooms: string[]) =>
  (file: SourceFile) =>
    rooms.includes(roomOf(file.path));

const impureCore = forbids(
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.\w+|\bset(?:Timeout|Interval|Immediate)\b|\bfetch\(|\bconsole\.\w+|\brandomUUID\b|\brandomBytes\b|\bperformance\.now\b/g,
  inRoom('core'),
);

const namelessErrors = forbids(/\bthrow new (?:Type|Range)?Error\(/g, inRoom('core'));

/** A vendor's or an SDK's error object may carry a request, and with it a value. */
const causes = forbids(/\bnew [A-Z]\w+(?<!Command)\([^;{}]*\{[^}]*\bcause\b/g, inRoom('core', 'adapters'));

const anyTypes = forbids(/(?::|\bas|<)\s*any\b|@ts-ignore|@ts-nocheck|biome-ignore-all/g, () => true);

const unfinished: Rule = (files) =>
  files.flatMap((file) =>
    [...file.text.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b|\bin a real system\b|\b(?:test|it|describe)\.(?:skip|todo|only)\b/g)].map(
      (hit) => `${file.path}: ${hit[0]}`,
    ),
  );

const drawerNames = /(^|\/)(utils?|commons?|shared|helpers?|types|models?|misc|lib)(\.[^/]+)?(\/|$)/;
/** Not a drawer: the one model there is, of the protocol. */
const protocolModel = /^test\/model\//;
const drawers: Rule = (files) =>
  files.filter((file) => drawerNames.test(file.path.replace(protocolModel, 'test/'))).map((file) => file.path);

const long: Rule = (files) => files.filter((file) => lines(file) > 300).map((file) => `${file.path}: ${lines(file)} lines`);

/** Files of functions/ that export a handler are entry points; the rest is what they are composed of. */
const thickEntries: Rule = (files) =>
  files
    .filter((file) => roomOf(file.path) === 'functions' && /^export const handler\b|^export (?:async )?function handler\b/m.test(file.text))
    .filter((file) => lines(file) > 20)
    .map((file) => `${file.path}: ${lines(file)} lines`);

/**
 * Exported functions without a docstring right above them. Constants that are functions may share one: a run of them without an
 * empty line between is one paragraph, and begins with it.
 */
const undocumented: Rule = (files) =>
  files.filter(inRoom('core', 'adapters', 'requests', 'consumer')).flatMap((file) => {
    const functions = [...file.text.matchAll(/^export (?:async )?function\*? (\w+)/gm)].filter(
      (hit) => !/\*\/\n$/.test(file.text.slice(0, hit.index)),
    );
    const constants = [...file.text.matchAll(/^export const (\w+)(?:: [^=\n]+)? = (?:async )?(?:\([^)]*\)|\w+)(?:: [^=\n]+)? =>/gm)].filter(
      (hit) => {
        const paragraph = file.text.slice(0, hit.index).split('\n\n').at(-1) ?? '';
        return !/\*\//.test(paragraph);
      },
    );
    return [...functions, ...constants].map((hit) => `${file.path}: ${hit[1]}`);
  });

/** The vocabulary has one word per idea; these are the others. Looked for as a part of a declared name, whatever its case. */
const otherWords = [
  'plaintext',
  'checksum',
  'vault',
  'subscriber',
  'healthcheck',
  'deactivate',
  'freeze',
  'purge',
  'violation',
  'whitelist',
  'blacklist',
  'grace',
];
const wrongWords: Rule = (files) =>
  files.flatMap((file) =>
    [...withoutComments(file.text).matchAll(/\b(?:const|let|function\*?|class|interface|type|readonly) (\w+)/g)].flatMap(([, name = '']) =>
      otherWords.some((word) => name.toLowerCase().includes(word)) ? [`${file.path}: ${name}`] : [],
    ),
  );

/** A number that is a time says its unit at the end of its name. The command line's options are named as people expect (`--timeout`). */
const unitless = forbids(
  /\b(?:const|let|readonly) \w*(?:timeout|interval|delay|overlap|ttl|duration|soak|quiet|backoff)\??(?:: number\b| = [\d.])/gi,
  (file) => roomOf(file.path) !== 'cli',
);

/** A version only moves toward dead: nothing at a provider is switched on again, and no provider owns the order of a rotation. */
const enables: Rule = (files) => [
  ...forbids(
    /\b(?:enable|reenable|activate|reactivate|rotate)\s*\??\s*(?:\(|:\s*(?:\(|async|z\.|\w+\())/gi,
    (file) => file.path.startsWith('adapters/providers/') && file.path.endsWith('.ts'),
  )(files),
  ...forbids(
    /\b(?:Status\s*[:=]\s*(?:['"`]Active|StatusType\.Active))|\bStatusType\.Active\b/g,
    inRoom('adapters', 'core', 'functions', 'local'),
  )(files),
  ...files.filter((file) => file.path.endsWith('.yaml') && /^\s*(?:enable|rotate)\s*:/m.test(file.text)).map((file) => file.path),
];

/**
 * Where a value may be revealed: it leaves for a provider, the secret store or a destination, or is turned into a MAC. An admin credential of the
 * laptop leaves for its file.
 */
const mayReveal =
  /^(?:core\/(?:value|challenge)\.ts|adapters\/(?:providers|destinations|channels)\/|adapters\/memory\/provider\.ts|adapters\/\w+\/secret-store\.ts|adapters\/fingerprint\.ts|local\/admin-credentials\.ts|requests\/senders\/(?:signature|github-partner)\.ts)/;
const reveals = forbids(/\.reveal\(/g, (file) => !mayReveal.test(file.path));

/** Each environment variable is named in one file; everybody else goes through that file's constant. */
const environmentTwice: Rule = (files) => {
  const homes = new Map<string, Set<string>>();
  for (const file of files)
    for (const [, dotted, quoted, literal] of withoutComments(file.text).matchAll(
      /process\.env\.([A-Z][A-Z0-9_]+)|process\.env\[['"]([A-Z][A-Z0-9_]+)['"]\]|['"`](REKEY_[A-Z0-9_]+)['"`]/g,
    ))
      homes.set(dotted ?? quoted ?? literal ?? '', (homes.get(dotted ?? quoted ?? literal ?? '') ?? new Set()).add(file.path));
  return [...homes].filter(([, paths]) => paths.size > 1).map(([name, paths]) => `${name}: ${[...paths].join(', ')}`);
};

const specs = readFiles('.yaml', '.yml');

const rules: readonly { rule: string; holds: Rule; over: readonly SourceFile[]; bad: readonly SourceFile[] }[] = [
  {
    rule: 'core has no clock, random, environment, timer or I/O',
    holds: impureCore,
    over: code,
    bad: ['Date.now()', 'new Date()', 'Math.random()', 'process.env.X', 'setTimeout(go, 1)', "fetch('x')"].map((text) =>
      sample('core/a.ts', `const x = ${text};`),
    ),
  },
  { rule: 'core throws named errors only', holds: namelessErrors, over: code, bad: [sample('core/a.ts', "throw new Error('no');")] },
  {
    rule: 'no error carries another error as its cause',
    holds: causes,
    over: code,
    bad: [
      sample('adapters/aws/a.ts', "throw new ProviderRefused('no', { cause: error });"),
      sample('core/a.ts', 'new Other("x", { cause })'),
    ],
  },
  {
    rule: 'nothing is typed any and no check is switched off',
    holds: anyTypes,
    over: code,
    bad: [sample('core/a.ts', 'const x: any = 1;'), sample('core/a.ts', 'f(x as any)'), sample('core/a.ts', 'const x: Map<any, 1>')],
  },
  {
    rule: 'nothing is left for later and no test is skipped',
    holds: unfinished,
    over: [...code, ...tests.filter((file) => file.path !== 'test/house/code.test.ts')],
    bad: [sample('core/a.ts', '// TODO later'), sample('test/core/a.test.ts', "test.skip('x')")],
  },
  {
    rule: 'no file or folder is a drawer',
    holds: drawers,
    over: [...code, ...tests],
    bad: ['core/utils.ts', 'adapters/common/x.ts', 'cli/helpers.ts', 'core/types.ts', 'infra/shared/a.ts'].map((path) => sample(path, '')),
  },
  { rule: 'no file is longer than 300 lines', holds: long, over: [...code, ...tests], bad: [sample('core/a.ts', '\n'.repeat(301))] },
  {
    rule: 'an entry point has at most 20 lines',
    holds: thickEntries,
    over: code,
    bad: [sample('functions/rotate/issue.ts', `export const handler = 1;${'\nx;'.repeat(21)}`)],
  },
  {
    rule: 'every exported function says what is true afterwards',
    holds: undocumented,
    over: code,
    bad: [
      sample('core/a.ts', 'const x = 1;\nexport function go(): void {}'),
      sample('adapters/a.ts', '/** One. */\nconst x = 1;\n\nexport const go = (x: number): number => x;'),
      sample('core/a.ts', '\nexport async function go() {}'),
    ],
  },
  { rule: 'one word per idea', holds: wrongWords, over: code, bad: [sample('core/a.ts', 'const gracePeriodSeconds = 1;')] },
  {
    rule: 'a name that holds a time ends in its unit',
    holds: unitless,
    over: code,
    bad: [sample('core/a.ts', 'const timeout = 30;'), sample('core/a.ts', 'readonly pollInterval: number;')],
  },
  {
    rule: 'nothing can be enabled again and no provider rotates',
    holds: enables,
    over: [...code, ...specs],
    bad: [
      sample('adapters/providers/a.ts', 'async enable(subject: Subject) {}'),
      sample('adapters/providers/a.ts', 'return { rotate: async () => {} };'),
      sample('adapters/providers/aws-iam.ts', "new UpdateAccessKeyCommand({ Status: 'Active' })"),
      sample('adapters/providers/specs/a.yaml', 'enable:\n  method: POST\n'),
    ],
  },
  {
    rule: 'a value is revealed only where it leaves',
    holds: reveals,
    over: code,
    bad: [sample('core/rotate/issue.ts', 'log(value.reveal());'), sample('cli/main.ts', 'print(value.reveal())')],
  },
  {
    rule: 'each environment variable is named in one file',
    holds: environmentTwice,
    over: code,
    bad: [sample('functions/a.ts', "read('REKEY_TABLE')")],
  },
];

describe('the code', () => {
  test.each(rules)('$rule', ({ holds, over }) => {
    expect(holds(over)).toEqual([]);
  });

  test.each(rules)('is seen to break: $rule', ({ holds, over, bad }) => {
    for (const file of bad)
      expect([file.path, file.text.slice(0, 60), holds([...over, file]).length]).not.toEqual([
        file.path,
        file.text.slice(0, 60),
        holds(over).length,
      ]);
  });

  test('has an environment whose names are all different', async () => {
    const { environment } = await import('../../workflows/environment.ts');
    expect(new Set(Object.values(environment)).size).toBe(Object.keys(environment).length);
  });

  test('has a provider port with no verb that brings a version back', () => {
    const port = /export interface Provider \{([\s\S]*?)\n\}/.exec(readText('core/ports.ts'))?.[1] ?? '';
    const verbs = [...port.matchAll(/^ {2}(\w+)\??\(/gm)].map(([, verb]) => verb);
    expect(verbs).toEqual([
      'create',
      'draw',
      'find',
      'read',
      'list',
      'probe',
      'disable',
      'delete',
      'endByValue',
      'endSessions',
      'lastUsed',
      'neverIssued',
      'leakForms',
      'credentialIdOf',
    ]);
  });

  test('is built and checked by at most ten scripts', () => {
    expect(Object.keys(JSON.parse(readText('package.json')).scripts).length).toBeLessThanOrEqual(10);
  });
});

function lines(file: SourceFile): number {
  return file.text.trimEnd() === '' ? file.text.split('\n').length : file.text.trimEnd().split('\n').length;
}
