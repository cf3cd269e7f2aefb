import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSpec } from '../../adapters/providers/load-spec.ts';
import { productionSettings } from '../../core/settings.ts';
import { readKeyFile, writeKeyDocument } from '../../requests/key-document.ts';
import { readPolicy } from '../../requests/policy-document.ts';
import { good as goodSpec } from '../support/good-spec.ts';
import { testFacts } from '../support/world.ts';
import { cpuSeconds, expectNoEcho, hostileText, namedEnd, planted, saidBy } from './hostile.ts';

const root = join(import.meta.dirname, '..', '..');
const goodKey = writeKeyDocument(testFacts());
const goodPolicy = readFileSync(join(root, 'policy.yaml'), 'utf8');

const pieces: readonly string[] = [
  '\t',
  '- ',
  ': ',
  '&a [*a]',
  '*missing',
  '!!js/function x',
  '!!binary AAAA',
  '<<: *a',
  '? [a]\n: b',
  '__proto__: {x: 1}',
  'constructor: 1',
  '---\n',
  '...\n',
  '%YAML 9.9\n',
  '{{{{{{{{',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
  '"unclosed',
  '|\n',
  '# comment',
  `secret: ${planted}`,
  `# ${planted}`,
  `${planted}: 1`,
  '\0',
  '\uFFFD',
  'id: payments/stripe\n',
  'x: 1e309',
  'x: .nan',
  'x: 0x7fffffffffffffff',
  '-1',
  'P0D',
  'http://169.254.169.254/',
  'https://user:pass@host',
  '{{value}}',
  '{{constructor.constructor}}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an attempt at injection
  '${value}',
];

/** A good file with lines taken away, doubled, moved, cut, or joined by something that does not belong. */
function damaged(text: string): fc.Arbitrary<string> {
  const change = fc.record({ how: fc.nat(5), line: fc.nat(), column: fc.nat(), piece: fc.oneof(fc.constantFrom(...pieces), hostileText) });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const lines = text.split('\n');
    for (const { how, line, column, piece } of changes) {
      const at = line % lines.length;
      const was = lines[at] as string;
      const cut = column % (was.length + 1);
      if (how === 0) lines.splice(at, 1);
      else if (how === 1) lines.splice(at, 0, was);
      else if (how === 2) lines[at] = was.slice(0, cut) + piece + was.slice(cut);
      else if (how === 3) lines[at] = was.replace(/: .*/, () => `: ${piece}`);
      else if (how === 4)
        lines.splice(
          at,
          0,
          was.replace(/\S.*/, () => piece),
        );
      else lines.splice(at, 0, lines.splice(cut % lines.length, 1)[0] ?? '');
      if (lines.length === 0) lines.push(piece);
    }
    return lines.join('\n');
  });
}

/** Files of a size and shape that have stopped parsers before. */
const bombs: readonly (readonly [name: string, text: string])[] = [
  [
    'aliases that explode',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'.replace(/./g, (c, i) => `${c}: &${c} [${`*${'abcdefghij'[i]},`.repeat(9)}]\n`)}`,
  ],
  ['a hundred thousand brackets', '['.repeat(100_000)],
  ['a hundred thousand maps', `${'{a: '.repeat(100_000)}1`],
  ['a map as deep as its file is long', Array.from({ length: 700 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ['very many documents', '---\na\n'.repeat(50_000)],
  ['a very long line', `a: "${'x'.repeat(900_000)}"`],
  ['very many anchors', Array.from({ length: 20_000 }, (_, i) => `- &a${i} x`).join('\n')],
  ['very many quotes', '"'.repeat(300_000)],
  ['words that nearly look like a value', `a: ${'aB3-'.repeat(20_000)}`],
];

const readers: readonly (readonly [name: string, good: string, read: (text: string) => unknown])[] = [
  ['a key file', goodKey, (text) => readKeyFile(text, 'keys.yaml')],
  ['a policy', goodPolicy, (text) => readPolicy(text, 'policy.yaml', productionSettings)],
  ['a provider spec', goodSpec, (text) => loadSpec(text, 'vendor.yaml')],
];

describe.each(readers)('%s', (_name, good, read) => {
  it('is accepted as it should be', async () => {
    expect(await namedEnd(() => read(good))).toBeUndefined();
  });

  it('damaged in any way is read, or refused by name and not repeated', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(good), async (text) => {
        let answer: unknown;
        const error = await namedEnd(() => {
          answer = read(text);
        });
        expectNoEcho(error ? saidBy(error) : JSON.stringify(answer));
      }),
      { numRuns: 200 },
    );
    expect(Reflect.get({}, 'x')).toBeUndefined();
  });

  it.each([
    ['UTF-16', Buffer.from(good, 'utf16le')],
    ['UTF-16 with its mark', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(good, 'utf16le')])],
    ['Latin-1', Buffer.from(good.replace(/# .*|test/, 'für Zahlungen'), 'latin1')],
  ])('row 53: in another encoding, %s, is refused, and how to convert it is said', async (_encoding, bytes) => {
    const error = await namedEnd(() => read(bytes.toString('utf8')));
    expect(error).toMatchObject({ code: 'E_INPUT_INVALID' });
    expect(saidBy(error)).toContain('UTF-8');
  });

  it.each(bombs)('that is a bomb, %s, is refused within a second of work', async (_bomb, text) => {
    const since = process.cpuUsage();
    let rejected = 0;
    const error = await namedEnd(() => {
      rejected = (read(text) as { rejected?: unknown[] }).rejected?.length ?? 0;
    });
    expect(cpuSeconds(since)).toBeLessThan(1);
    expect(error ?? rejected).toBeTruthy();
  });
});
