import type { Attribute } from './inventory.ts';

/** JSON with sorted names and without white space: the same content always gives the same text, whoever writes it. */
export function canonical(value: Attribute): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const record = value as { readonly [name: string]: Attribute };
    return `{${Object.keys(record)
      .sort()
      .map((name) => `${JSON.stringify(name)}:${canonical(record[name] as Attribute)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value);
}
