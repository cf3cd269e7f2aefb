import { Refused } from '../../core/errors.ts';
import type { Attribute, Change, Condition, Item } from '../../core/inventory.ts';

/** Whether a condition holds for an item; `undefined` is an item that does not exist. Types are never converted, and a missing attribute equals nothing. */
export function holds(condition: Condition, item: Item | undefined): boolean {
  if ('item' in condition) return (item !== undefined) === (condition.item === 'exists');
  const found = item && at(item, segments(condition.path));
  if (!('value' in condition)) return (found !== undefined) === (condition.is === 'present');
  const { is, value } = condition;
  if (is === '=') return found === value;
  if (is === '<>') return found !== value;
  if (typeof value === 'boolean') throw malformed(`${condition.path}: booleans have no order`);
  const order = compare(found, value);
  if (order === undefined) return false;
  return is === '<' ? order < 0 : is === '<=' ? order <= 0 : is === '>' ? order > 0 : order >= 0;
}

/** The item after a change, as a new object. As in DynamoDB, every right-hand side is read before anything is changed. */
export function changed(before: Item, change: Change): Item {
  const after = copy(before) as Record<string, Attribute> & Item;
  const paths: string[] = [];
  const place = (path: string, to: (found: Attribute | undefined) => Attribute | undefined) => {
    const steps = segments(path);
    if (steps[0] === 'pk' || steps[0] === 'sk') throw malformed(`${path} is part of the key`);
    if (paths.some((other) => `${path}.`.startsWith(`${other}.`) || `${other}.`.startsWith(`${path}.`)))
      throw malformed(`${path} overlaps with another path of the change`);
    paths.push(path);
    const parent: unknown = at(after, steps.slice(0, -1));
    if (!isMap(parent)) throw malformed(`${path}: its parent is missing or no map`);
    const last = steps.at(-1)!;
    const value = to(at(before, steps));
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  };

  for (const [path, value] of defined(change.set)) place(path, () => copy(value));
  for (const [path, value] of defined(change.setIfMissing)) place(path, (found) => copy(found === undefined ? value : found));
  for (const [path, by] of defined(change.add)) place(path, (found) => sum(path, found, by));
  for (const [path, more] of defined(change.append)) place(path, (found) => joined(path, found, more));
  for (const path of change.remove ?? []) place(path, () => undefined);
  if (!paths.length) throw malformed('an update changes nothing');
  return after;
}

/** A deep copy without undefined attributes. Throws Refused E_INPUT_INVALID for what DynamoDB cannot hold. */
export function copy<T extends Attribute>(value: T): T {
  return copied(value) as T;
}

/** Order of two strings (by their UTF-8 bytes, as DynamoDB sorts) or of two numbers; undefined for anything else. */
export function compare(a: Attribute | undefined, b: Attribute): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return undefined;
}

/** What a write that could never succeed is refused with. */
export function malformed(message: string): Refused {
  return new Refused('E_INPUT_INVALID', `the inventory cannot make this write: ${message}`);
}

function copied(value: unknown): Attribute {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  // + 0 turns minus zero into zero, which is what comes back from DynamoDB.
  if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value + 0;
  if (Array.isArray(value)) return value.filter((element) => element !== undefined).map(copied);
  if (isMap(value) && (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)) {
    const map: Record<string, Attribute> = {};
    for (const name of Object.keys(value)) if (value[name] !== undefined) map[name] = copied(value[name]);
    return map;
  }
  throw malformed('an attribute is no text, finite number up to 2^53 - 1, boolean, null, list or plain map');
}

function sum(path: string, found: Attribute | undefined, by: number): number {
  if (!Number.isSafeInteger(by)) throw malformed(`${path}: only a whole number can be added`);
  if (found !== undefined && typeof found !== 'number') throw malformed(`${path} is no number`);
  return (found ?? 0) + by;
}

function joined(path: string, found: Attribute | undefined, more: readonly Attribute[]): Attribute {
  if (found !== undefined && !Array.isArray(found)) throw malformed(`${path} is no list`);
  return [...copy(found ?? []), ...copy(more)];
}

function at(item: Attribute, steps: readonly string[]): Attribute | undefined {
  let here: Attribute | undefined = item;
  for (const step of steps) here = isMap(here) && Object.hasOwn(here, step) ? here[step] : undefined;
  return here;
}

function isMap(value: unknown): value is Record<string, Attribute> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function segments(path: string): string[] {
  const steps = path.split('.');
  if (steps.includes('')) throw malformed('a path has an empty segment');
  return steps;
}

function defined<T>(entries: { readonly [path: string]: T } = {}): [string, T][] {
  return Object.entries(entries).filter(([, value]) => value !== undefined);
}
