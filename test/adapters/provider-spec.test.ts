import { describe, expect, it } from 'vitest';
import { whyNotLinear } from '../../adapters/providers/linear-regex.ts';
import { loadSpec } from '../../adapters/providers/load-spec.ts';
import { providers } from '../../adapters/providers/registry.ts';
import { bad, good, placeOf, refusal, sandbox } from '../support/good-spec.ts';

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
      .replace('is: observed', 'is: rumour')
      .replace('maxLive: 5', 'maxLive: five')
      .replace('kind: Provider', 'kind: Provider\nextra: 1');
    const { code, problems } = refusal(yaml);
    expect(code).toBe('E_INPUT_INVALID');
    expect(problems).toEqual(
      expect.arrayContaining([
        { path: 'metadata.facts.0.is', message: `${placeOf(yaml, 'is: rumour')}: must be one of: documented, observed, unverified` },
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

  it('threats row 50: refuses a spec without disable, and takes `none` only as rotate-only, loudly', () => {
    const withoutDisable = good.replace(/ {2}disable:[\s\S]*?(?= {2}delete:)/, '');
    expect(refusal(withoutDisable).problems).toMatchObject([
      { path: 'operations', message: expect.stringContaining('disable is missing') },
    ]);
    const none = good.replace(/ {2}disable:[\s\S]*?(?= {2}lastUsed:)/, '  disable: none\n');
    const warned: unknown[] = [];
    const log = { info: () => {}, error: () => {}, measure: () => {}, warn: (message: string) => warned.push(message) };
    const { provider: find } = providers({
      specs: [loadSpec(none, 'vendor.yaml')],
      native: [],
      admin: async () => ({}),
      callSeconds: 1,
      log,
    });
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
    '^\\w+-\\w+-\\w+$',
    '^(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)$',
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

  it('says of a shape that ids have too that it is a common one', () => {
    for (const common of ['^[0-9a-f]{40}$', '^[\\w-]{36}$', '^[0-9a-f]{32,64}$']) {
      const yaml = bad("'^sbx_[0-9a-f]{40}$'", `'${common}'`).replace("'sbx_{{random|hex:40}}'", "'{{random|hex:40}}'");
      expect(
        refusal(yaml)
          .problems.map(({ message }) => message)
          .join(),
      ).toContain('commonShape');
    }
  });

  it('takes names of scanners that are known, and no others', () => {
    const named = (scanner: string) =>
      good.replace('  title: Sandbox vendor', `  title: Sandbox vendor\n  aliases: { ${scanner}: [Sandbox] }`);
    expect(loadSpec(named('trufflehog'), 'vendor.yaml').metadata.aliases).toEqual({ trufflehog: ['Sandbox'] });
    expect(refusal(named('grep')).problems[0]?.path).toContain('metadata.aliases');
  });

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
    expect(
      loadSpec(
        `${good}fixtures:\n  - { name: x, operation: probe, given: { secret: sbx_${'0'.repeat(40)} }, exchanges: [{ request: { method: GET, url: 'https://api.vendor.example/v1/whoami' }, response: { status: 401 } }], result: { verdict: denied } }\n`,
        'vendor.yaml',
      ).fixtures,
    ).toHaveLength(1);
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
