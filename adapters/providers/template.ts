import { createHash } from 'node:crypto';
import { ProviderRefused } from '../../core/errors.ts';
import { Value } from '../../core/value.ts';
import { durationSeconds } from './duration.ts';

/**
 * Templates of the provider spec: `{{name}}` and `{{name|filter}}`, nothing else. No expressions, no code. Names are
 * looked up in a closed scope; filters are the functions below.
 */
export interface Slot {
  readonly name: string;
  readonly filters: readonly { readonly name: string; readonly argument: string | undefined }[];
}

/** Gives the content of a name. Undefined means that there is none. */
export type Scope = (name: string) => unknown;

type Filter = (input: unknown, argument: string | undefined) => unknown;

const filters: Readonly<Record<string, Filter>> = {
  uri: (input) => pathSegment(plain(input)),
  base64: (input) => Buffer.from(plain(input)).toString('base64'),
  json: (input) => JSON.stringify(input instanceof Value ? input.reveal() : input),
  upper: (input) => plain(input).toUpperCase(),
  lower: (input) => plain(input).toLowerCase(),
  iso8601: (input) => instant(input).toISOString(),
  date: (input) => instant(input).toISOString().slice(0, 10),
  epochS: (input) => Math.floor(instant(input).getTime() / 1000),
  epochMs: (input) => instant(input).getTime(),
  addDuration: (input, argument) => new Date(instant(input).getTime() + (durationSeconds(argument ?? '') ?? 0) * 1000),
  hex: (input, argument) => stretch(plain(input), '0123456789abcdef', Number(argument)),
  alnum: (input, argument) => stretch(plain(input), 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', Number(argument)),
};

const takesArgument: Readonly<Record<string, (argument: string) => boolean>> = {
  addDuration: (argument) => durationSeconds(argument) !== undefined,
  hex: (argument) => /^[1-9]\d{0,2}$/.test(argument),
  alnum: (argument) => /^[1-9]\d{0,2}$/.test(argument),
};

const wellFormedName = /^[A-Za-z][\w-]*(\.[A-Za-z][\w-]*)?$/;

/** Texts and slots of a template in order, or the sentence that says what is wrong with it. */
export function parseTemplate(template: string): readonly (string | Slot)[] | { readonly fault: string } {
  const pieces: (string | Slot)[] = [];
  let rest = template;
  for (;;) {
    const open = rest.indexOf('{{');
    const before = open < 0 ? rest : rest.slice(0, open);
    if (before.includes('}}')) return { fault: 'a closing }} has no opening {{' };
    if (before) pieces.push(before);
    if (open < 0) return pieces;
    const close = rest.indexOf('}}', open);
    if (close < 0) return { fault: 'an opening {{ has no closing }}' };
    const slot = parseSlot(rest.slice(open + 2, close));
    if ('fault' in slot) return slot;
    pieces.push(slot);
    rest = rest.slice(close + 2);
  }
}

/** The slots of a template that is known to be well formed; none when it is not. */
export function slotsOf(template: string): readonly Slot[] {
  const pieces = parseTemplate(template);
  return 'fault' in pieces ? [] : pieces.filter((piece) => typeof piece !== 'string');
}

/** The filled template as text. Throws ProviderRefused when a name has no content or the content is not plain. */
export function renderText(template: string, scope: Scope): string {
  return pieces(template)
    .map((piece) => (typeof piece === 'string' ? piece : plain(required(piece, scope))))
    .join('');
}

/** The filled template; one that consists of a single slot keeps the JSON type of its content (undefined when there is none). */
export function render(template: string, scope: Scope): unknown {
  const parts = pieces(template);
  const [only] = parts;
  if (parts.length !== 1 || only === undefined || typeof only === 'string') return renderText(template, scope);
  const content = filled(only, scope);
  if (content instanceof Value) return content.reveal();
  return content instanceof Date ? content.toISOString() : content;
}

/** Fields of texts filled. One whose only slot has no content is left out. */
export function renderFields(fields: Readonly<Record<string, string>>, scope: Scope): [string, string][] {
  return Object.entries(fields).flatMap(([name, template]): [string, string][] => {
    const content = render(template, scope);
    return content === undefined ? [] : [[name, plain(content)]];
  });
}

/** Every string of a JSON document filled. A property whose only slot has no content is left out. */
export function renderDeep(document: unknown, scope: Scope): unknown {
  if (typeof document === 'string') return render(document, scope);
  if (Array.isArray(document)) return document.map((entry) => renderDeep(entry, scope)).filter((entry) => entry !== undefined);
  if (typeof document !== 'object' || document === null) return document;
  return Object.fromEntries(
    Object.entries(document)
      .map(([name, entry]) => [name, renderDeep(entry, scope)] as const)
      .filter(([, entry]) => entry !== undefined),
  );
}

function parseSlot(inside: string): Slot | { readonly fault: string } {
  const [name = '', ...chain] = inside.split('|').map((part) => part.trim());
  if (!wellFormedName.test(name)) return { fault: 'between {{ and }} stands something that is not a name' };
  const parsed: { name: string; argument: string | undefined }[] = [];
  for (const link of chain) {
    const colon = link.indexOf(':');
    const filter = colon < 0 ? link : link.slice(0, colon);
    const argument = colon < 0 ? undefined : link.slice(colon + 1);
    if (!Object.hasOwn(filters, filter)) return { fault: `there is no such filter; the filters are ${Object.keys(filters).join(', ')}` };
    const legal = Object.hasOwn(takesArgument, filter) ? takesArgument[filter]?.(argument ?? '') : argument === undefined;
    if (!legal) return { fault: `the filter ${filter} has a wrong argument` };
    parsed.push({ name: filter, argument });
  }
  return { name, filters: parsed };
}

function pieces(template: string): readonly (string | Slot)[] {
  const parsed = parseTemplate(template);
  if ('fault' in parsed) throw new ProviderRefused(`a template of the spec cannot be read: ${parsed.fault}`);
  return parsed;
}

function filled(slot: Slot, scope: Scope): unknown {
  const content = scope(slot.name);
  if (content === undefined) return undefined;
  return slot.filters.reduce<unknown>((input, { name, argument }) => filters[name]?.(input, argument), content);
}

function required(slot: Slot, scope: Scope): unknown {
  const content = filled(slot, scope);
  if (content === undefined) throw new ProviderRefused(`the spec needs ${slot.name}, which is not given`);
  return content;
}

function plain(content: unknown): string {
  if (content instanceof Value) return content.reveal();
  if (content instanceof Date) return content.toISOString();
  if (typeof content === 'string') return content;
  if (typeof content === 'number' || typeof content === 'boolean') return String(content);
  throw new ProviderRefused('the spec puts a list or an object where text belongs');
}

/** Encoded, and never empty or a dot segment: `DELETE /keys/` and `DELETE /keys/..` would hit something else. */
function pathSegment(text: string): string {
  if (text === '' || text === '.' || text === '..') throw new ProviderRefused('an empty or dotted id cannot be a part of a URL');
  return encodeURIComponent(text);
}

function instant(content: unknown): Date {
  const date = content instanceof Date ? content : new Date(plain(content));
  if (Number.isNaN(date.getTime())) throw new ProviderRefused('the spec needs an instant where there is none');
  return date;
}

/** `length` characters of the alphabet that follow from the seed alone. */
function stretch(seed: string, alphabet: string, length: number): string {
  let text = '';
  for (let block = 0; text.length < length; block++) {
    for (const byte of createHash('sha256').update(`${block}:${seed}`).digest()) text += alphabet[byte % alphabet.length];
  }
  return text.slice(0, length);
}
