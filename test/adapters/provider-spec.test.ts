import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { whyNotLinear } from '../../adapters/providers/linear-regex.ts';
import { bundledSpecs, loadSpec } from '../../adapters/providers/load-spec.ts';
import { at } from '../../adapters/providers/pointer.ts';
import { loadSpecs, providers } from '../../adapters/providers/registry.ts';
import { parseTemplate, render } from '../../adapters/providers/template.ts';
import { Refused } from '../../core/errors.ts';

const sandbox = readFileSync(join(bundledSpecs, 'sandbox.yaml'), 'utf8');
/** A spec as for a real vendor: HTTPS at a public host. */
const good = sandbox
  .replace('  localOnly: true\n', '')
  .replace('egress: [127.0.0.1]', 'egress: [api.vendor.example]')
  .replace('http://127.0.0.1:4010', 'https://api.vendor.example');

/** The good spec with one text replaced by another; fails loudly when the text is not there. */
function bad(from: string, to: string): string {
  if (!good.includes(from)) throw new Error(`the good spec does not hold: ${from}`);
  return good.replace(from, () => to);
}

function refusal(yaml: string, options = {}): Refused {
  try {
    loadSpec(yaml, 'vendor.yaml', options);
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error('the spec was accepted');
}

/** Line and column (from 1) of the first place where the text stands. */
function placeOf(yaml: string, text: string): string {
  const before = yaml.slice(0, yaml.indexOf(text)).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

describe('loading a provider spec', () => {
  it('accepts a good one', () => {
    expect(loadSpec(good, 'vendor.yaml').metadata.id).toBe('sandbox');
  });

  it('refuses one for a laptop where loopback is not allowed, and plain HTTP where the spec does not say localOnly', () => {
    expect(refusal(sandbox).problems.map(({ path }) => path)).toContain('metadata.localOnly');
    expect(refusal(sandbox.replace('  localOnly: true\n', ''), { allowLoopback: true }).problems.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['egress.0', 'base.default']),
    );
  });

  it('reports every problem at once, each with its line, column and path', () => {
    const yaml = good
      .replace('evidence: observed', 'evidence: rumour')
      .replace('maxLive: 5', 'maxLive: five')
      .replace('kind: Provider', 'kind: Provider\nextra: 1');
    const { code, problems } = refusal(yaml);
    expect(code).toBe('E_INPUT_INVALID');
    expect(problems).toEqual(
      expect.arrayContaining([
        { path: 'metadata.evidence', message: `${placeOf(yaml, 'evidence:')}: must be one of: documented, observed, unverified` },
        { path: 'lifecycle.maxLive', message: `${placeOf(yaml, 'maxLive:')}: must be of type number` },
        { path: 'extra', message: `${placeOf(yaml, 'extra:')}: is not a field of the spec` },
      ]),
    );
    expect(problems).toHaveLength(3);
  });

  it.each([
    [
      'an unknown field deep inside',
      bad('method: DELETE,', 'method: DELETE, retries: 3,'),
      'operations.delete.steps.0.request.retries',
      'not a field',
    ],
    [
      'an enable operation',
      bad('  lastUsed:', '  enable: { auth: admin }\n  lastUsed:'),
      'operations.enable',
      'nothing in Rekey turns a version back on',
    ],
    ['a rotate operation', bad('  lastUsed:', '  rotate: { auth: admin }\n  lastUsed:'), 'operations.rotate', 'no overlap'],
    ['the same field twice', bad('kind: Provider', 'kind: Provider\nkind: Provider'), '', 'the same field twice'],
    ['a tab', bad('  id: sandbox', '\tid: sandbox'), '', 'tab'],
    ['broken YAML', bad('kind: Provider', 'kind: [Provider'), '', 'not valid YAML'],
    ['a forbidden name', bad('kind: Provider', 'kind: Provider\n__proto__: { a: 1 }'), '__proto__', 'forbidden name'],
    [
      'six steps',
      bad(
        '    steps:\n      - id: disable',
        `    steps:\n${'      - { id: x, request: { method: GET, url: "{{base}}/v1/x" } }\n'.repeat(5)}      - id: disable`,
      ),
      'operations.disable.steps',
      'most allowed',
    ],
    ['a step id twice or a reserved one', bad('- id: whoami', '- id: params'), 'operations.probe.steps.0.id', 'taken'],
    ['a pointer that is none', bad('items: /keys', 'items: keys'), 'operations.list.items', 'form'],
    ['a missing field', bad('  title: Sandbox vendor\n', ''), 'metadata.title', 'is missing'],
    ['a status of 2xx', bad('expect: { status: [201] }', 'expect: { status: 2xx }'), 'operations.create.steps.0.expect.status', 'array'],
    ['a success that is not said', bad('        expect: { status: [201] }\n', ''), 'operations.create.steps.0', 'expect is missing'],
    ['a value that is not marked sensitive', bad(', sensitive: true', ''), 'operations.create.value', 'sensitive'],
    ['a fake without randomness', bad('sbx_{{random|hex:40}}', `sbx_${'0'.repeat(8)}`), 'lifecycle.fake', 'random'],
    ['a fake of another shape', bad('{{random|hex:40}}', '{{random|hex:39}}'), 'lifecycle.fake', 'shape'],
    [
      'an admin key used as a probe',
      bad('  probe:\n    auth: subject', '  probe:\n    auth: admin'),
      'operations.probe.steps.0',
      'key itself',
    ],
    ['the key used outside a probe', bad('  list:\n    auth: admin', '  list:\n    auth: subject'), 'operations.list.steps.0', 'probe'],
    [
      'a delete that is missing',
      bad(good.slice(good.indexOf('  delete:\n'), good.indexOf('  lastUsed:')), ''),
      'operations',
      'delete is missing',
    ],
    ['two paces', bad('every: PT1S', 'every: PT1S, everySeconds: 1'), 'operations.probe.require', 'exactly one'],
    ['a pattern of every word', bad("'^sbx_[0-9a-f]{40}$'", "'^.+$'"), 'metadata.secretPattern', 'ordinary words'],
  ])('refuses %s', (_what, yaml, path, message) => {
    const { problems } = refusal(yaml);
    const found = problems.find((problem) => problem.path === path && problem.message.includes(message));
    expect(found?.message ?? problems).toMatch(/^line \d+, column \d+: /);
  });

  describe('threats row 47: an address that must not be called', () => {
    it.each([
      'http://api.vendor.example',
      'https://169.254.169.254',
      'https://[::ffff:a9fe:a9fe]',
      'https://[::1]',
      'https://2852039166',
      'https://0xa9fea9fe',
      'https://0251.0376.0251.0376',
      'https://0x7f.1',
      'https://127.1',
      'https://robot@api.vendor.example',
      'https://robot:word@api.vendor.example',
      'https://api.vendor.example:22',
      'https://other.vendor.example',
      'https://api.vendor.example.',
      'https://api.vendor.example@169.254.169.254',
      'https://localhost',
      'ftp://api.vendor.example',
      'https://{{params.principal}}',
      'https://api.vendor.example.{{params.principal}}',
      '//api.vendor.example',
      'https:/api.vendor.example',
    ])('is refused in a step: %s', (origin) => {
      const yaml = good.replace("'{{base}}/v1/whoami'", `'${origin}/v1/whoami'`);
      expect(refusal(yaml).problems.map(({ path }) => path)).toContain('operations.probe.steps.0.request.url');
    });

    it.each([
      'http://api.vendor.example',
      'https://127.0.0.1',
      'https://a:b@api.vendor.example',
      'https://api.vendor.example:22',
      'https://api.vendor.example/v1',
      'nonsense',
    ])('is refused as the base: %s', (base) =>
      expect(refusal(bad("default: 'https://api.vendor.example'", `default: '${base}'`)).problems.map(({ path }) => path)).toContain(
        'base.default',
      ),
    );

    it.each([
      '127.0.0.1',
      '2130706433',
      '0x7f.1',
      'localhost',
      '*.vendor.example',
      'API.vendor.example',
      'vendor.example:443',
      'https://vendor.example',
      'vendor.example/x',
      'vendor.example.',
      'väx.example',
    ])('is refused as an egress host: %s', (host) =>
      expect(
        refusal(bad('egress: [api.vendor.example]', `egress: [api.vendor.example, '${host}']`)).problems.map(({ path }) => path),
      ).toContain('egress.1'),
    );
  });

  describe('threats row 48: a template that is not one', () => {
    it.each([
      ['{{constructor}}', 'does not exist'],
      ['{{params.constructor}}', 'does not exist'],
      ['{{params.__proto__}}', 'not a name'],
      ['{{key.secret}}', 'does not exist'],
      ['{{create.id}}', 'does not exist'],
      ['{{list.id}}', 'does not exist'],
      ['{{process.env}}', 'does not exist'],
      ['{{1 + 1}}', 'not a name'],
      ['{{key.label()}}', 'not a name'],
      ['{{}}', 'not a name'],
      ['{{{{key.label}}}}', 'not a name'],
      ['{{key.label', 'no closing'],
      ['key.label}}', 'no opening'],
      ['{{key.label|eval}}', 'no such filter'],
      ['{{key.label|constructor}}', 'no such filter'],
      ['{{key.label|upper:1}}', 'wrong argument'],
      ['{{now|addDuration:soon}}', 'wrong argument'],
    ])('refuses %s', (template, message) => {
      const { problems } = refusal(bad("name: '{{key.label}}'", `name: '${template}'`));
      expect(problems).toMatchObject([{ path: 'operations.create.steps.0.request.json.name', message: expect.stringContaining(message) }]);
    });

    it('leaves $ and single braces alone: they are text', () => {
      const spec = loadSpec(bad("name: '{{key.label}}'", `name: '$${'{'}key.label} {x}'`), 'vendor.yaml');
      expect(JSON.stringify(spec.operations.create)).toContain(`$${'{'}key.label} {x}`);
    });

    it('refuses a part of a URL that is not encoded', () => {
      expect(refusal(good.replace('{{key.credentialId|uri}}', '{{key.credentialId}}')).problems[0]?.message).toContain(
        'needs the filter uri',
      );
    });
  });

  describe('threats row 49: a secret in a URL or a query', () => {
    it.each([
      ['the key in a path', bad("'{{base}}/v1/whoami'", "'{{base}}/v1/whoami/{{key.secret|uri}}'"), 'operations.probe.steps.0.request.url'],
      [
        'the key in a query',
        bad("'{{base}}/v1/whoami' }", "'{{base}}/v1/whoami', query: { k: '{{key.secret}}' } }"),
        'operations.probe.steps.0.request.query.k',
      ],
      [
        'the admin credential in a query',
        bad("/keys' }", "/keys', query: { k: '{{admin.apiKey|base64}}' } }"),
        'operations.list.steps.0.request.query.k',
      ],
      [
        'the key in a query scheme',
        bad("subject: { scheme: bearer, token: '{{key.secret}}' }", "subject: { scheme: query, query: { k: '{{key.secret}}' } }"),
        'auth.subject.query.k',
      ],
      [
        'a secret output as an id',
        bad("credentialId: '{{create.id}}'", "credentialId: '{{create.value}}'"),
        'operations.create.credentialId',
      ],
    ])('refuses %s', (_what, yaml, path) => {
      expect(refusal(yaml).problems).toMatchObject([{ path, message: expect.stringContaining('a secret may not stand') }]);
    });
  });

  it('threats row 50: refuses a spec without disable, and takes `none` only as rotate-only, loudly', () => {
    const withoutDisable = good.replace(/ {2}disable:[\s\S]*?(?= {2}delete:)/, '');
    expect(refusal(withoutDisable).problems).toMatchObject([
      { path: 'operations', message: expect.stringContaining('disable is missing') },
    ]);
    const none = good.replace(/ {2}disable:[\s\S]*?(?= {2}lastUsed:)/, '  disable: none\n');
    const warned: unknown[] = [];
    const log = { info: () => {}, error: () => {}, warn: (message: string) => warned.push(message) };
    const find = providers({ specs: [loadSpec(none, 'vendor.yaml')], native: [], admin: async () => ({}), callSeconds: 1, log });
    expect(find('sandbox').traits.disable).toBe('none');
    expect(warned).toEqual([expect.stringContaining('ROTATE-ONLY')]);
    expect(refusal(good.replace(/ {2}disable:[\s\S]*?(?= {2}delete:)/, '  disable: none\n')).problems[0]?.message).toContain(
      'disable: delete',
    );
  });

  it('threats row 51: refuses a probe that calls any 2xx success', () => {
    const bare = good
      .replace('alive: [{ status: [200], equals: { /vendor: rekey-sandbox } }]', 'alive: [{ status: [200] }]')
      .replace(/ {4}identity: .*\n/, '');
    expect(refusal(bare).problems).toMatchObject([
      { path: 'operations.probe.verdict.alive.0', message: expect.stringContaining('a bare status proves nothing') },
    ]);
    const always = bad('denied: [{ status: [401],', 'denied: [{ status: [401, 503],');
    expect(refusal(always).problems[0]?.message).toContain('inconclusive');
    expect(refusal(good.replace(/denied: \[.*\]\n/, 'denied: [{ status: [200] }]\n')).problems[0]?.message).toContain('refusing status');
  });

  it.each([
    '(a+)+',
    '(a*)*b',
    '(a|aa)+',
    '(?:a?){30}',
    '((a)b*)+',
    '(a)\\1',
    '(?=a)',
    '(?<!a)b',
    '(?<n>a)\\k<n>',
    'a{1,5000}',
    '(',
    'a'.repeat(301),
  ])('threats row 42: refuses the pattern %s', (pattern) => {
    expect(whyNotLinear(pattern)).toBeTypeOf('string');
    expect(refusal(bad("'^sbx_[0-9a-f]{40}$'", `'${pattern}'`)).problems.map(({ path }) => path)).toContain('metadata.secretPattern');
  });

  it.each(['^sbx_[0-9a-f]{40}$', '^SG\\.[\\w-]{22}\\.[\\w-]{43}$', '(?:ab){3}', '(abc)?x', '[(+)*]+', '^(live|test)_\\d+$'])(
    'takes the pattern %s',
    (pattern) => {
      expect(whyNotLinear(pattern)).toBeUndefined();
    },
  );

  it.each([
    ['a well-known prefix', `ghp_${'a1B2'.repeat(9)}`, '  title: Sandbox vendor'],
    ['its own pattern', `sbx_${'0a'.repeat(20)}`, '  title: Sandbox vendor'],
    ['a well-known prefix in a comment', `AKIA${'ABCD'.repeat(4)}`, '# The sandbox vendor'],
  ])('threats row 45: refuses a secret by %s and does not repeat it', (_what, secret, where) => {
    const yaml = bad(where, `${where} ${secret}`);
    const { code, message, problems, stack } = refusal(yaml);
    expect(code).toBe('E_SECRET_IN_INPUT');
    expect(problems[0]?.message).toContain(placeOf(yaml, secret));
    expect(`${message}${JSON.stringify(problems)}${stack}`.includes(secret)).toBe(false);
  });

  it('lets a fixture hold an example of the shape', () => {
    expect(loadSpec(`${good}fixtures:\n  - { op: create, json: { value: sbx_${'0'.repeat(40)} } }\n`, 'vendor.yaml').fixtures).toHaveLength(
      1,
    );
  });

  it('stays small: size, depth and aliases are bounded', () => {
    expect(refusal(`${good}#${'x'.repeat(64 * 1024)}`).code).toBe('E_TOO_LARGE');
    expect(refusal(`a: ${'['.repeat(30_000)}`).code).toBe('E_INPUT_INVALID');
    expect(refusal(`a: ${'['.repeat(40)}${']'.repeat(40)}`).problems[0]?.message).toContain('nested deeper');
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
    ].join('\n');
    expect(refusal(bomb).problems[0]?.message).toContain('aliases');
  });

  it.each(['', '[]', 'text', 'null', '---\n---\n'])('refuses a document that is no spec: %j', (yaml) => {
    expect(refusal(yaml).code).toBe('E_INPUT_INVALID');
  });
});

describe('a folder of specs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'specs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives every spec, leaving out those for a laptop where loopback is not allowed', () => {
    writeFileSync(join(folder, 'vendor.yaml'), good.replace('id: sandbox', 'id: vendor'));
    const ids = (options = {}) => loadSpecs([bundledSpecs, folder], options).map(({ metadata }) => metadata.id);
    expect(ids()).not.toContain('sandbox');
    expect(ids({ allowLoopback: true })).toEqual(expect.arrayContaining(['sandbox', 'vendor']));
  });

  it('reports the problems of all files together', () => {
    writeFileSync(join(folder, 'a.yaml'), good.replace('maxLive: 5', 'maxLive: 0'));
    writeFileSync(join(folder, 'b.yml'), good.replace('kind: Provider', 'kind: Thing'));
    expect(() => loadSpecs([folder])).toThrow(
      expect.objectContaining({
        problems: [expect.objectContaining({ path: 'a.yaml:lifecycle.maxLive' }), expect.objectContaining({ path: 'b.yml:kind' })],
      }),
    );
  });

  it('refuses two specs with one id, and a folder that is not there', () => {
    writeFileSync(join(folder, 'a.yaml'), good);
    writeFileSync(join(folder, 'b.yaml'), good);
    expect(() => loadSpecs([folder])).toThrow(expect.objectContaining({ code: 'E_EXISTS' }));
    expect(() => loadSpecs([join(folder, 'nowhere')])).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
  });

  it('names the nearest providers when one is not installed', () => {
    const find = providers({ specs: [loadSpec(good, 'vendor.yaml')], native: [], admin: async () => ({}), callSeconds: 1 });
    expect(() => find('sandbix')).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND', message: expect.stringContaining('sandbox') }));
  });
});

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
