import { describe, expect, it } from 'vitest';
import { at } from '../../adapters/providers/pointer.ts';
import { parseTemplate, render } from '../../adapters/providers/template.ts';

describe('templates and pointers', () => {
  it('keep the JSON type of a template that is one slot', () => {
    const scope = (name: string) => ({ 'params.list': ['a'], 'params.n': 7 })[name];
    expect([render('{{params.list}}', scope), render('{{params.n}}', scope), render('x{{params.n}}', scope)]).toEqual([['a'], 7, 'x7']);
  });

  it('filter by the closed set', () => {
    const scope = (name: string) => (name === 'now' ? new Date('2026-01-02T03:04:05.678Z') : 'a b/c');
    const filled = [
      '{{x.y|uri}}',
      '{{x.y|base64}}',
      '{{x.y|upper}}',
      '{{x.y|json}}',
      '{{now|epochS}}',
      '{{now|addDuration:P1DT1H|iso8601}}',
      '{{now}}',
    ];
    expect(filled.map((template) => render(template, scope))).toEqual([
      'a%20b%2Fc',
      'YSBiL2M=',
      'A B/C',
      '"a b/c"',
      1767323045,
      '2026-01-03T04:04:05.678Z',
      '2026-01-02T03:04:05.678Z',
    ]);
    expect(parseTemplate('a{{ b.c | uri }}d')).toEqual(['a', { name: 'b.c', filters: [{ name: 'uri', argument: undefined }] }, 'd']);
  });

  it('find own properties only (RFC 6901)', () => {
    const document = { 'a/b': { '~': [10, 20] }, '': 1 };
    expect(
      ['/a~1b/~0/1', '/', '', '/a~1b/~0/-', '/a~1b/~0/01', '/constructor', '/__proto__/x', '/a~1b/~0/length'].map((pointer) =>
        at(document, pointer),
      ),
    ).toEqual([20, 1, document, undefined, undefined, undefined, undefined, undefined]);
  });
});
