import { findKey } from '../items.ts';
import type { Key } from '../key.ts';
import type { Confidence } from '../policy.ts';
import type { Ports } from '../ports.ts';
import { findCredential, findLeaked } from '../revoke/find.ts';
import type { Report } from './report.ts';

/** A key that a report is about. */
export interface Target {
  readonly key: Key;
  /** The versions that it names; empty: the key as a whole. */
  readonly versions: readonly number[];
  readonly confidence: Confidence;
  /** What the report's person has to do with it. */
  readonly as?: 'owner' | 'reader';
}

/** The keys that a report is about now. A string or an id that nobody knows is about none. */
export async function targetsOf(ports: Ports, { subject, confidence }: Report): Promise<Target[]> {
  if ('leaked' in subject) {
    const match = await findLeaked(ports, subject.leaked);
    // The value itself was shown: whoever sent it, it is out.
    return match ? one(ports, match.keyId, [match.version], 'verified') : carried(ports, subject.leaked, confidence);
  }
  if ('credentialId' in subject) {
    for (const provider of subject.provider === null ? ports.providers() : [subject.provider]) {
      const match = await findCredential(ports, provider, subject.credentialId);
      if (match) return one(ports, match.keyId, [match.version], confidence);
    }
    return [];
  }
  if ('keyId' in subject) return one(ports, subject.keyId, [], confidence);
  return (await allKeys(ports)).flatMap((key): Target[] => {
    const { owner, readers, provider, consumers } = key.facts;
    if ('vendor' in subject) return provider === subject.vendor ? [{ key, versions: [], confidence }] : [];
    if ('service' in subject) return consumers.some(({ name }) => name === subject.service) ? [{ key, versions: [], confidence }] : [];
    if (owner === subject.person) return [{ key, versions: [], confidence, as: 'owner' }];
    return readers.includes(subject.person) ? [{ key, versions: [], confidence, as: 'reader' }] : [];
  });
}

/** A string that is no value of ours may still name a credential of ours by its id. That the value leaked as well is then the sender's word. */
async function carried(ports: Ports, leaked: Parameters<typeof findLeaked>[1], confidence: Confidence): Promise<Target[]> {
  for (const name of ports.providers()) {
    const id = ports.provider(name).credentialIdOf?.(leaked);
    const match = id && (await findCredential(ports, name, id));
    if (match) return one(ports, match.keyId, [match.version], confidence);
  }
  return [];
}

async function one(ports: Ports, keyId: string, versions: readonly number[], confidence: Confidence): Promise<Target[]> {
  const key = await findKey(ports, keyId);
  return key ? [{ key, versions, confidence }] : [];
}

async function allKeys(ports: Ports): Promise<Key[]> {
  const keys: Key[] = [];
  for await (const { keyId } of ports.inventory.hints('keys')) {
    const key = await findKey(ports, keyId);
    if (key && key.state !== 'retired') keys.push(key);
  }
  return keys;
}
