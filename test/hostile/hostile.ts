import fc from 'fast-check';
import { expect } from 'vitest';
import { Refused, RekeyError, refusals } from '../../core/errors.ts';

/** A made-up value in a vendor's shape, planted where no value belongs. */
export const planted = ['ghp', 'q7RkZ2mV9xTbW4nYc8LpD3hJ5sFg1a'].join('_');

const nasty: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\r\nINFO forged=true',
  '\u001b[31mred',
  '\u202Egnp.exe',
  '\uFEFFbom',
  '\uD800',
  'p\u0430yments/stripe',
  'PAYMENTS/STRIPE',
  '../../etc/passwd',
  'a/../b',
  '{{constructor}}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an attempt at injection
  '${process.env}',
  "'; DROP TABLE keys; --",
  '=cmd()',
  '__proto__',
  'constructor',
  'NaN',
  '1e309',
  '-0',
  '9999999999999999999999',
  '2026-02-31T00:00:00Z',
  '+275760-09-13T00:00:00Z',
  'P99999999999Y',
  '*'.repeat(5000),
  'a'.repeat(70_000),
  `${'a-'.repeat(200)}!`,
  planted,
];

/** Texts that have broken programs before, and any other. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...nasty) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom('payments/stripe', 'payments/strip', 'all', 'x', '0', 'true', 'null') },
);

/** Anything JSON can carry, and numbers that it cannot. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, -0, [], {}, [[[[[]]]]], {
    a: { b: [1] },
  }),
  fc.dictionary(hostileText, hostileText, { maxKeys: 3, noNullPrototype: true }),
  fc.array(hostileText, { maxLength: 3 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** A good document with one to three of its parts replaced, taken away, or joined by something nobody asked for. */
export function mutationsOf(good: unknown): fc.Arbitrary<unknown> {
  const change = fc.record({ at: fc.nat(), how: fc.constantFrom('replace', 'remove', 'add'), name: hostileText, value: hostileValue });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const copy = { root: structuredClone(good) };
    for (const { at, how, name, value } of changes) {
      const places = placesIn(copy);
      const place = places[at % (places.length || 1)];
      if (!place) break;
      const { parent, key } = place;
      // A copy: the next change may be made inside it, and the constants above are everybody's.
      const own = structuredClone(value);
      if (how === 'replace') parent[key] = own;
      else if (how === 'remove') delete parent[key];
      else if (Array.isArray(parent[key])) parent[key].push(own);
      else if (typeof parent[key] === 'object' && parent[key] !== null) define(parent[key] as Parent, name, own);
    }
    return copy.root;
  });
}

type Parent = Record<string, unknown>;
interface Place {
  readonly parent: Parent;
  readonly key: string;
}

function placesIn(root: Parent): Place[] {
  const places: Place[] = [];
  const visit = (parent: Parent) => {
    for (const key of Object.keys(parent)) {
      places.push({ parent, key });
      if (typeof parent[key] === 'object' && parent[key] !== null) visit(parent[key] as Parent);
    }
  };
  visit(root);
  return places;
}

/** As JSON.parse does it: `__proto__` is a name like any other. */
function define(parent: Parent, name: string, value: unknown): void {
  Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true });
}

/** The refusal or named error that the work ended with, or undefined when it was accepted. Fails for any other error. */
export async function namedEnd(work: () => unknown): Promise<RekeyError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    if (error instanceof Refused) expect(Object.keys(refusals)).toContain(error.code);
    return error;
  }
}

/** Everything that an error says to whoever asked. */
export const saidBy = (error: RekeyError | undefined): string =>
  error ? JSON.stringify([error.name, error.message, error instanceof Refused ? error.problems : []]) : '';

/** The planted value, or most of it, is not in the text. */
export function expectNoEcho(text: string): void {
  for (let at = 4; at + 12 <= planted.length; at++) expect(text).not.toContain(planted.slice(at, at + 12));
}

/** Tells how many seconds of this process's own time the work took: waiting for others does not count. */
export function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}
