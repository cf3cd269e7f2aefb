import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refused } from '../../core/errors.ts';
import type { KeyFacts } from '../../core/key.ts';
import { readKeyFile, writeKeyDocument } from '../../requests/key-document.ts';

const lines = [
  'apiVersion: rekey/v1',
  'kind: Key',
  'id: payments/stripe',
  'owner: team-payments',
  'environment: production',
  'purpose: Charges cards',
  'provider: sandbox',
  'store: rekey',
  'destinations:',
  '  - {id: file, kind: file, at: payments/stripe}',
  'consumers:',
  '  - {name: checkout, owner: team-shop, contact: "#shop", refresh: PT5M}',
  'expires: never',
];
const good = `${lines.join('\n')}\n`;
const without = (field: string) => `${lines.filter((line) => !line.startsWith(`${field}:`)).join('\n')}\n`;
const withLine = (line: string) => `${good}${line}\n`;
const replaced = (from: string, to: string) => good.replace(from, to);

/** Paths and messages of everything that was refused, one text for each. */
function faults(text: string): string[] {
  return readKeyFile(text, 'keys.yaml').rejected.flatMap(({ problems }) => problems.map(({ path, message }) => `${path} ${message}`));
}

function refusal(text: string): Refused {
  try {
    readKeyFile(text, 'keys.yaml');
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error('the file was accepted');
}

describe('a key document', () => {
  test('becomes the facts of a key, with the defaults filled in', () => {
    const [row] = readKeyFile(good, 'keys.yaml').keys;
    expect(row?.facts).toEqual({
      id: 'payments/stripe',
      owner: 'team-payments',
      team: 'team-payments',
      unit: 'default',
      environment: 'production',
      purpose: 'Charges cards',
      provider: 'sandbox',
      account: 'default',
      params: {},
      privileged: false,
      exposure: 'internal',
      readers: [],
      scopes: [],
      store: 'rekey',
      destinations: [{ id: 'file', kind: 'file', at: 'payments/stripe', environment: 'production' }],
      consumers: [{ name: 'checkout', owner: 'team-shop', contact: '#shop', refreshSeconds: 300, class: 'cached', proof: 'possession' }],
      exclusive: false,
      incident: { contacts: [], reissue: 'automatic' },
      monitors: [],
      expiresAt: null,
      overlapSeconds: null,
      mode: 'live',
    } satisfies KeyFacts);
  });

  test('says who rotates it in our place, and nobody else than Secrets Manager can', () => {
    const text = withLine('managedBy: secretsmanager');
    const [row] = readKeyFile(text, 'keys.yaml').keys;
    expect(row?.facts.managedBy).toBe('secretsmanager');
    expect(readKeyFile(writeKeyDocument(row?.facts as KeyFacts), 'again.yaml').keys[0]?.facts).toEqual(row?.facts);
    expect(faults(withLine('managedBy: somebody'))).toEqual([expect.stringContaining('managedBy')]);
  });

  test('several documents, or a list, are several keys', () => {
    const other = replaced('payments/stripe\nowner', 'payments/paypal\nowner');
    const list = [good, other].map((text) => `- ${text.trimEnd().replaceAll('\n', '\n  ')}`).join('\n');
    for (const text of [`${good}---\n${other}`, list]) {
      expect(readKeyFile(text, 'keys.yaml').keys.map(({ facts }) => facts.id)).toEqual(['payments/stripe', 'payments/paypal']);
    }
  });

  test('what is written is read back as the same facts', () => {
    const words = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    const consumer = fc.record({
      name: words,
      owner: words,
      contact: words,
      refreshSeconds: fc.integer({ min: 1, max: 3600 }),
      class: fc.constantFrom('cached', 'batch'),
      proof: fc.constantFrom('possession', 'quiet'),
    });
    const varied = fc.record({
      owner: words,
      team: words,
      unit: words,
      purpose: fc.constantFrom('yes', '007', 'a: b', '# no comment', '- list', 'null'),
      exposure: fc.constantFrom('public', 'internal', 'isolated'),
      privileged: fc.boolean(),
      consumers: fc.uniqueArray(consumer, { maxLength: 4, selector: ({ name }) => name }),
      expiresAt: fc.constantFrom(null, '2031-01-31T00:00:00Z'),
      overlapSeconds: fc.constantFrom(null, 7200, 100_000),
    });
    const [row] = readKeyFile(good, 'keys.yaml').keys;
    fc.assert(
      fc.property(varied, (changes) => {
        const facts = { ...row?.facts, ...changes } as KeyFacts;
        expect(readKeyFile(writeKeyDocument(facts), 'keys.yaml').keys.map((one) => one.facts)).toEqual([facts]);
      }),
    );
  });
});

describe('what a document must say', () => {
  test('POL-W2, POL-P1: a key without an owner is refused', () => {
    expect(faults(without('owner'))).toEqual([expect.stringContaining('owner is missing')]);
    expect(faults(replaced('owner: team-payments', "owner: ''"))).toEqual([expect.stringContaining('owner is empty')]);
  });

  test('POL-K1: a consumer without an owner is refused', () => {
    expect(faults(replaced('owner: team-shop, ', ''))).toEqual([expect.stringContaining('consumers.0.owner is missing')]);
  });

  test('POL-W3: a key that does not say where it is stored is refused', () => {
    expect(faults(without('store'))).toEqual([expect.stringContaining('store is missing')]);
  });

  test.each(['id', 'owner', 'destinations', 'consumers', 'expires'])('POL-C2: the inventory’s field %s is mandatory', (field) => {
    const text = field === 'destinations' || field === 'consumers' ? good.replace(new RegExp(`${field}:\\n.*\\n`), '') : without(field);
    expect(faults(text)).toEqual([expect.stringContaining(`${field} is missing`)]);
  });

  test('POL-W4: a due date or a tier cannot be typed', () => {
    expect(faults(withLine('nextDueAt: 2030-01-01T00:00:00Z'))).toEqual([expect.stringContaining('nextDueAt is not a known field')]);
    expect(faults(withLine('tier: low'))).toEqual([expect.stringContaining('tier is not a known field')]);
  });

  test('POL-M1: nobody known as a consumer must be said, not forgotten', () => {
    const text = good.replace(/consumers:\n.*\n/, 'consumers: []\n');
    expect(readKeyFile(text, 'keys.yaml').keys).toHaveLength(1);
  });
});

describe('what a document may not say', () => {
  test('every fault has its line and column, and one bad row hides no other', () => {
    const second = `${replaced('payments/stripe\nowner', 'payments/paypal\nowner').replace('sandbox', 'Sand Box')}colour: red\n`;
    expect(faults(`${without('owner')}---\n${second}`)).toEqual([
      'keys.yaml, line 1, column 1: owner is missing',
      expect.stringMatching(/^keys.yaml, line 20, column 1: provider must be a name/),
      'keys.yaml, line 27, column 1: colour is not a known field',
    ]);
  });

  test('row 6, row 7: ids that only look right are refused, and the message says why', () => {
    const messages = (id: string) => faults(replaced('id: payments/stripe', `id: "${id}"`)).join();
    expect(messages('payments/../root')).toMatch(/must be words/);
    expect(messages('payments stripe')).toMatch(/must be words/);
    expect(messages('x'.repeat(300))).toMatch(/300 characters/);
    expect(messages('Payments/Stripe')).toMatch(/write payments\/stripe/);
    expect(messages('p\u0430yments/stripe')).toMatch(/U\+0430/);
    expect(messages('payments/💳')).toMatch(/U\+1F4B3/);
  });

  test('row 39: an overlap below what a consumer needs names the consumer', () => {
    expect(faults(withLine('overlap: PT6M'))).toEqual([expect.stringMatching(/overlap .*checkout/)]);
  });

  test('row 44: a key cannot lose its last destination', () => {
    expect(faults(good.replace(/destinations:\n.*\n/, 'destinations: []\n'))).toEqual([expect.stringContaining('at least one place')]);
  });

  test('row 46: a destination of another environment is refused, and another word for production is corrected', () => {
    expect(faults(replaced('at: payments/stripe}', 'at: payments/stripe, environment: staging}'))).toEqual([
      expect.stringMatching(/is staging, but the key's environment is production/),
    ]);
    expect(faults(replaced('environment: production', 'environment: live'))).toEqual([expect.stringContaining('write "production"')]);
  });

  test('row 54: an id used twice refuses both rows', () => {
    const { keys, rejected } = readKeyFile(`${good}---\n${good}`, 'keys.yaml');
    expect(keys).toEqual([]);
    expect(rejected.map(({ id, source }) => [id, source])).toEqual([
      ['payments/stripe', 'keys.yaml, line 1, column 1'],
      ['payments/stripe', 'keys.yaml, line 15, column 1'],
    ]);
  });

  test.each([
    ['a date', 'expires: never', 'expires: 31.01.2030', /expires must be "never" or an instant/],
    ['a duration', 'PT5M', 'P1M', /refresh must be a duration/],
    ['a number', 'purpose: Charges cards', 'purpose: 12', /purpose must be a text/],
    ['a control character', 'purpose: Charges cards', 'purpose: "a\\u202eb"', /purpose must be one line/],
    ['a prototype', 'purpose: Charges cards', '__proto__: {polluted: true}\npurpose: x', /__proto__/],
  ])('row 58, row 29: %s in another form is refused', (_, from, to, message) => {
    const text = replaced(from, to);
    let said: string;
    try {
      said = faults(text).join();
    } catch (error) {
      said = (error as Refused).message;
    }
    expect(said).toMatch(message);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

describe('a file that cannot be used at all', () => {
  test.each([
    ['row 36: a tab', 'id: a\nowner:\n\tteam: x\n', /line 3, column 1/],
    ['row 36: an anchor set twice', 'id: &a x\nowner: &a y\n', /line 2, column 11.*anchor/],
    ['row 36: a name used twice', 'id: a\nid: b\n', /line 2, column 1.*used before/],
    ['row 36: an unknown tag', 'id: !!js/function x\n', /line 1, column 5/],
    ['row 36: a bracket left open', 'id: [a\n', /line \d+, column \d+/],
  ])('%s is refused with line and column', (_, text, where) => {
    const { code, problems } = refusal(text);
    expect(code).toBe('E_INPUT_INVALID');
    expect(problems.map(({ path, message }) => `${path} ${message}`).join()).toMatch(where);
  });

  test('row 36: an alias bomb is refused', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...[...'bcdefg'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdef'[i]}`)}]`),
    ].join('\n');
    expect(refusal(bomb)).toMatchObject({ code: 'E_INPUT_INVALID', message: expect.stringContaining('anchors') });
  });

  test('an empty file and one beyond a mebibyte are refused', () => {
    expect(refusal('# nothing\n').code).toBe('E_INPUT_EMPTY');
    expect(refusal(`# ${'x'.repeat(1024 * 1024)}`).code).toBe('E_TOO_LARGE');
  });

  test('row 45, row 56, POL-F9: a file that seems to hold a value is refused whole, with its place and without an echo', () => {
    const planted = ['sk', 'live', '4eC39HqLyjWDarjtT1zdp7dc'].join('_');
    const random = 'q7RkZ2mV9xTbW4nYc8LpD3hJ';
    for (const text of [
      withLine(`note: ${planted}`),
      replaced('Charges cards', planted),
      replaced('Charges cards', random),
      withLine(`# was ${planted}`),
    ]) {
      const { code, message, problems } = refusal(text);
      expect(code).toBe('E_SECRET_IN_INPUT');
      expect(JSON.stringify([message, problems])).not.toContain(planted.slice(8));
      expect(JSON.stringify([message, problems])).not.toContain(random);
      expect(problems[0]?.path).toMatch(/^line \d+/);
    }
  });
});
