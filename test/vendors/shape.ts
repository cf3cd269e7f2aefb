/**
 * What a vendor's documentation says of a body: each field with its type, `?` after the name where it may be left out. `json` is anything,
 * a list of texts is one of them, `string(64)` has at most so many characters, and `/…/` is a pattern.
 */
export type Shape = { readonly [field: string]: Kind };
type Kind = string | RegExp | readonly string[] | Shape;

/** What is wrong with a body: fields that the vendor does not know, that it needs, or that are of another type. Empty when it is right. */
export function faultsOf(shape: Shape, body: unknown, path = ''): string[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return [`${path || 'the body'} is not an object`];
  const known = new Map(Object.entries(shape).map(([field, kind]) => [field.replace(/\?$/, ''), { kind, optional: field.endsWith('?') }]));
  const fields = new Map(Object.entries(body));
  return [
    ...[...fields.keys()].filter((field) => !known.has(field)).map((field) => `${path}${field} is not a field of this call`),
    ...[...known].flatMap(([field, { kind, optional }]) => {
      if (!fields.has(field)) return optional ? [] : [`${path}${field} is missing`];
      return kindFaults(kind, fields.get(field), `${path}${field}`);
    }),
  ];
}

function kindFaults(kind: Kind, given: unknown, path: string): string[] {
  if (kind instanceof RegExp) return typeof given === 'string' && kind.test(given) ? [] : [`${path} does not match ${kind}`];
  if (Array.isArray(kind)) return kind.includes(String(given)) ? [] : [`${path} is not one of ${kind.join(', ')}`];
  if (typeof kind === 'object') return faultsOf(kind as Shape, given, `${path}.`);
  const most = /^string\((\d+)\)$/.exec(kind as string)?.[1];
  if (most !== undefined) return typeof given === 'string' && given.length <= Number(most) ? [] : [`${path} is longer than ${most}`];
  const fits: Record<string, () => boolean> = {
    json: () => true,
    string: () => typeof given === 'string' && given !== '',
    'string[]': () => Array.isArray(given) && given.every((one) => typeof one === 'string'),
    'json[]': () => Array.isArray(given),
    integer: () => Number.isInteger(given),
    boolean: () => typeof given === 'boolean',
  };
  return fits[kind as string]?.() ? [] : [`${path} is not a ${kind}`];
}
