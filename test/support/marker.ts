import { gunzipSync, gzipSync } from 'node:zlib';

/** How many characters in a row of a value are a find. */
export const windowLength = 12;

/** Ways in which a value may be written down without looking like itself. */
export const encodings: Readonly<Record<string, (text: string) => string>> = {
  raw: (text) => text,
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex'),
  'upper-case hex': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'URL-escaped': (text) => encodeURIComponent(text),
  'form-escaped': (text) => new URLSearchParams({ x: text }).toString().slice(2),
  'percent-escaped': (text) => Buffer.from(text).toString('hex').toUpperCase().replace(/../g, '%$&'),
  'JSON-escaped': (text) => JSON.stringify(text).slice(1, -1),
  'JSON-escaped twice': (text) => JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1),
  'unicode-escaped': (text) => [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'HTML-escaped': (text) => text.replace(/[&<>"']/g, (c) => named[c] ?? c),
  'HTML-numbered': (text) => [...text].map((c) => `&#${c.charCodeAt(0)};`).join(''),
  reversed: (text) => [...text].reverse().join(''),
  'gzip in base64': (text) => gzipSync(text).toString('base64'),
};

const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** One find: which sink, which of the values (by its place), and how it was written. Never the value. */
export interface Find {
  readonly sink: string;
  readonly value: number;
  readonly as: string;
}

/**
 * Looks for values in sinks: whole, in every encoding above, inside a longer text that was encoded or compressed as one, and any
 * `windowLength` characters in a row of them. A value shorter than that is looked for whole.
 */
export function findMarkers(values: readonly string[], sinks: Readonly<Record<string, string>>): Find[] {
  const forms = values.map(formsOf);
  return Object.entries(sinks).flatMap(([sink, text]) =>
    forms.flatMap((known, value) => {
      const found = [text, ...unpacked(text)].flatMap((piece) => known.find(({ form }) => piece.includes(form)) ?? []);
      return found[0] ? [{ sink, value, as: found[0].as }] : [];
    }),
  );
}

function formsOf(value: string): { readonly as: string; readonly form: string }[] {
  const whole = Object.entries(encodings).map(([as, encode]) => ({ as, form: encode(value) }));
  // Inside a longer text that was encoded as one, base64 depends on where the value begins; the ends depend on its neighbours.
  const inside = ['base64', 'base64url'].flatMap((as) =>
    [1, 2].map((shift) => ({
      as: `${as}, shifted by ${shift}`,
      form: (encodings[as] as (text: string) => string)(`${' '.repeat(shift)}${value}`).slice(4, -4),
    })),
  );
  const unended = ['base64', 'base64url'].map((as) => ({
    as: `${as}, within more`,
    form: (encodings[as] as (text: string) => string)(value.slice(0, value.length - (value.length % 3))),
  }));
  const windows = Array.from({ length: Math.max(0, value.length - windowLength + 1) }, (_, i) => value.slice(i, i + windowLength));
  const parts = windows.flatMap((part) => [
    { as: 'a part', form: part },
    { as: 'a reversed part', form: [...part].reverse().join('') },
    { as: 'a part in hex', form: Buffer.from(part).toString('hex') },
  ]);
  return [...whole, ...inside, ...unended, ...parts].filter(({ form }) => form.length >= Math.min(windowLength, value.length));
}

/** What compressed texts in a text say, whatever was compressed around the value. A gzip stream begins with `H4sI` in base64. */
function unpacked(text: string): string[] {
  return [...text.matchAll(/H4sI[\w+/-]+={0,2}/g)].flatMap(([packed]) => {
    try {
      const inner = gunzipSync(Buffer.from(packed, 'base64')).toString();
      return [inner, ...unpacked(inner)];
    } catch {
      return [];
    }
  });
}
