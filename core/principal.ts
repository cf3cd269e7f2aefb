import { Refused } from './errors.ts';
import type { Write } from './inventory.ts';
import { principalKey } from './items.ts';
import type { KeyFacts } from './key.ts';
import type { Ports } from './ports.ts';

/** Which keys use one principal (a provider's account and parameters), and whether one of them has it to itself. */
interface Claim {
  readonly exclusive: boolean;
  readonly keys: readonly string[];
  readonly revision: number;
}

/**
 * The writes that record which principal a key uses, and release the one it used before. On an exclusive principal every credential
 * without a record is taken for an orphan of its one key, so no other key may ever use it: two would end each other's credentials.
 * Throws Refused E_EXISTS, naming the key that has it.
 */
export async function claimPrincipal(ports: Ports, facts: KeyFacts, before?: KeyFacts): Promise<Write[]> {
  const claim = await read(ports, facts);
  const others = (claim?.keys ?? []).filter((id) => id !== facts.id);
  const [other] = others;
  if (other && (facts.exclusive || claim?.exclusive)) {
    const message = claim?.exclusive
      ? `the principal belongs to ${other} alone: give this key one of its own`
      : `${other} uses the same principal: an exclusive one needs to be this key's own`;
    throw new Refused('E_EXISTS', `${facts.id} cannot share this principal`, [{ path: 'params', message }]);
  }
  const writes = [put(facts, claim, { exclusive: facts.exclusive, keys: [...others, facts.id] })];
  if (before && principalKey(before).pk !== principalKey(facts).pk) {
    const left = await read(ports, before);
    if (left) writes.push(put(before, left, { exclusive: false, keys: left.keys.filter((id) => id !== facts.id) }));
  }
  return writes;
}

/** The keys that use a key's principal, itself among them. */
export async function keysOfPrincipal(ports: Ports, facts: KeyFacts): Promise<readonly string[]> {
  return (await read(ports, facts))?.keys ?? [];
}

async function read(ports: Ports, facts: KeyFacts): Promise<Claim | undefined> {
  return (await ports.inventory.get(principalKey(facts))) as unknown as Claim | undefined;
}

/** Refused when somebody else changed the claim since it was read. */
function put(facts: KeyFacts, was: Claim | undefined, now: Omit<Claim, 'revision'>): Write {
  const item = { ...principalKey(facts), ...now, revision: (was?.revision ?? 0) + 1 };
  return { do: 'put', item, when: [was ? { path: 'revision', is: '=', value: was.revision } : { item: 'absent' }] };
}
