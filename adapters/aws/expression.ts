import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { convertToAttr, marshall } from '@aws-sdk/util-dynamodb';
import { Refused } from '../../core/errors.ts';
import type { Attribute, Change, Condition, Item } from '../../core/inventory.ts';

/** The parts of a DynamoDB request that carry a condition, a change, or both; empty parts are left out, as DynamoDB demands. */
interface Expression {
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

/**
 * Conditions and a change as DynamoDB expressions. Every path segment is a `#n` and every value a `:v`, so that no attribute
 * name can be a reserved word or syntax. Throws Refused E_INPUT_INVALID for what no inventory can evaluate.
 */
export function expression(when: readonly Condition[] = [], change?: Change): Expression {
  const names = new Map<string, string>();
  const values: Record<string, AttributeValue> = {};
  const place: Places = {
    path(path) {
      return segments(path)
        .map((segment) => {
          const known = names.get(segment) ?? `#n${names.size}`;
          names.set(segment, known);
          return known;
        })
        .join('.');
    },
    value(value) {
      const placeholder = `:v${Object.keys(values).length}`;
      values[placeholder] = encode(value);
      return placeholder;
    },
  };
  const condition = when.map((one) => conditionText(one, place)).join(' AND ');
  const update = change && changeText(change, place);
  return {
    ...(condition && { ConditionExpression: condition }),
    ...(update && { UpdateExpression: update }),
    ...(names.size && { ExpressionAttributeNames: Object.fromEntries([...names].map(([name, placeholder]) => [placeholder, name])) }),
    ...(Object.keys(values).length && { ExpressionAttributeValues: values }),
  };
}

/** An item as DynamoDB stores it, without its undefined attributes. Throws Refused E_INPUT_INVALID for what cannot be stored. */
export function encodeItem(item: Item): Record<string, AttributeValue> {
  return encodable(() => marshall(item, { removeUndefinedValues: true }));
}

interface Places {
  path(path: string): string;
  value(value: Attribute): string;
}

function conditionText(condition: Condition, place: Places): string {
  if ('item' in condition) {
    const key = place.path('pk');
    return condition.item === 'exists' ? `attribute_exists(${key})` : `attribute_not_exists(${key})`;
  }
  const path = place.path(condition.path);
  if (!('value' in condition)) return condition.is === 'present' ? `attribute_exists(${path})` : `attribute_not_exists(${path})`;
  const ordered = condition.is !== '=' && condition.is !== '<>';
  if (ordered && typeof condition.value === 'boolean') throw malformed(`${condition.path}: booleans have no order`);
  const comparison = `${path} ${condition.is} ${place.value(condition.value)}`;
  // Said outright, so that "a missing attribute equals nothing" does not rest on how an engine compares what is not there.
  return condition.is === '<>' ? `(attribute_not_exists(${path}) OR ${comparison})` : comparison;
}

function changeText(change: Change, place: Places): string {
  const sets: string[] = [];
  const targets: string[] = [];
  // Refused here too: an emulator may take, inside a transaction, what DynamoDB refuses.
  const target = (path: string) => {
    const name = place.path(path);
    if (/^(pk|sk)(\.|$)/.test(path)) throw malformed(`${path} is part of the key`);
    const overlaps = (other: string) => `${path}.`.startsWith(`${other}.`) || `${other}.`.startsWith(`${path}.`);
    if (targets.some(overlaps)) throw malformed(`${path} overlaps with another path of the change`);
    targets.push(path);
    return name;
  };
  for (const [path, value] of defined(change.set)) sets.push(`${target(path)} = ${place.value(value)}`);
  for (const [path, value] of defined(change.setIfMissing)) {
    const name = target(path);
    sets.push(`${name} = if_not_exists(${name}, ${place.value(value)})`);
  }
  for (const [path, by] of defined(change.add)) {
    // DynamoDB adds decimals exactly and JavaScript does not: only whole numbers mean the same everywhere.
    if (!Number.isSafeInteger(by)) throw malformed(`${path}: only a whole number can be added`);
    const name = target(path);
    sets.push(`${name} = if_not_exists(${name}, ${place.value(0)}) + ${place.value(by)}`);
  }
  for (const [path, more] of defined(change.append)) {
    const name = target(path);
    sets.push(`${name} = list_append(if_not_exists(${name}, ${place.value([])}), ${place.value(more)})`);
  }
  const removes = (change.remove ?? []).map(target);
  if (!sets.length && !removes.length) throw malformed('an update changes nothing');
  return [sets.length ? `SET ${sets.join(', ')}` : '', removes.length ? `REMOVE ${removes.join(', ')}` : ''].filter(Boolean).join(' ');
}

function segments(path: string): string[] {
  const parts = path.split('.');
  if (parts.includes('')) throw malformed('a path has an empty segment');
  return parts;
}

function defined<T>(entries: { readonly [path: string]: T } = {}): [string, T][] {
  return Object.entries(entries).filter(([, value]) => value !== undefined);
}

function encode(value: Attribute): AttributeValue {
  return encodable(() => convertToAttr(value, { removeUndefinedValues: true }));
}

/** The converter's own message quotes what it could not convert; ours does not. */
function encodable<T>(convert: () => T): T {
  try {
    return convert();
  } catch {
    throw malformed('an attribute is no text, finite number up to 2^53 - 1, boolean, null, list or plain map');
  }
}

function malformed(message: string): Refused {
  return new Refused('E_INPUT_INVALID', `the inventory cannot make this write: ${message}`);
}
