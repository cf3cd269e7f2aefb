import { type Consumer, mostConsumers } from './consumer.ts';
import { Refused } from './errors.ts';
import { findKey, getKey } from './items.ts';
import type { Key, KeyFacts } from './key.ts';
import type { Ports } from './ports.ts';
import { changeFacts } from './register.ts';

/** One line of the map: a consumer of a key, and when it was heard last; null: never. */
export interface MapLine extends Consumer {
  readonly keyId: string;
  readonly heardAt: string | null;
}

/** Who uses a key, or every key: by key, then by name. Throws Refused E_NOT_FOUND. */
export async function listConsumers(ports: Ports, { keyId }: { readonly keyId?: string }): Promise<MapLine[]> {
  if (keyId !== undefined) return linesOf(await getKey(ports, keyId));
  const lines: MapLine[] = [];
  for await (const hint of ports.inventory.hints('keys')) {
    const key = await findKey(ports, hint.keyId);
    if (key) lines.push(...linesOf(key));
  }
  return lines.sort((a, b) => (`${a.keyId} ${a.name}` < `${b.keyId} ${b.name}` ? -1 : 1));
}

/**
 * Puts a consumer on a key's map, or brings it up to date by its name. From its next rotation on the key waits for it as well. The same again
 * changes nothing. Throws Refused E_NOT_FOUND, E_INPUT_INVALID (what keeps it from ever proving its move), E_BUSY (an operation runs).
 */
export async function addConsumer(
  ports: Ports,
  { keyId, consumer }: { readonly keyId: string; readonly consumer: Consumer },
  actor: string,
): Promise<{ readonly keyId: string; readonly consumer: string; readonly outcome: 'added' | 'changed' | 'unchanged' }> {
  const { facts } = await getKey(ports, keyId);
  const known = facts.consumers.find(({ name }) => name === consumer.name);
  const fields = Object.keys({ ...known, ...consumer }) as (keyof Consumer)[];
  if (known && fields.every((field) => known[field] === consumer[field])) return { keyId, consumer: consumer.name, outcome: 'unchanged' };
  const withIt = ({ facts: now }: Key): KeyFacts => {
    const consumers = [...others(now.consumers, consumer.name), consumer];
    if (consumers.length > mostConsumers) throw new Refused('E_INPUT_INVALID', `a key may have ${mostConsumers} consumers`);
    return { ...now, consumers };
  };
  await changeFacts(ports, keyId, withIt, actor);
  return { keyId, consumer: consumer.name, outcome: known ? 'changed' : 'added' };
}

/**
 * Takes a consumer off a key's map: no rotation waits for it any more. Not in the middle of one. A key that loses its last consumer is
 * unmapped: its old versions wait for its owner. Throws Refused E_NOT_FOUND, E_BUSY.
 */
export async function removeConsumer(
  ports: Ports,
  { keyId, name }: { readonly keyId: string; readonly name: string },
  actor: string,
): Promise<{ readonly keyId: string; readonly consumer: string; readonly left: number }> {
  const key = await changeFacts(
    ports,
    keyId,
    ({ facts }) => {
      if (!facts.consumers.some((one) => one.name === name))
        throw new Refused('E_NOT_FOUND', `${name} is not a registered consumer of ${keyId}`);
      return { ...facts, consumers: others(facts.consumers, name) };
    },
    actor,
  );
  return { keyId, consumer: name, left: key.facts.consumers.length };
}

const others = (consumers: readonly Consumer[], name: string): Consumer[] => consumers.filter((one) => one.name !== name);

const linesOf = ({ facts, heardFrom }: Key): MapLine[] =>
  facts.consumers.map((one) => ({ keyId: facts.id, ...one, heardAt: heardFrom?.[one.name] ?? null }));
