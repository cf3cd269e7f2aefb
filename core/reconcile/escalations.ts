import { attentionId } from '../attention.ts';
import type { Consumer } from '../consumer.ts';
import { TableRestored } from '../errors.ts';
import { type Call, type Escalation, type EscalationKind, endEscalation, openEscalations, tell } from '../escalation.ts';
import { awaitedEvidence } from '../evidence.ts';
import { adoptionKey, findKey } from '../items.ts';
import type { Key } from '../key.ts';
import { sendPendingPages } from '../outbox.ts';
import type { Ports } from '../ports.ts';

/** Whether a matter still waits for people, and for whom: nobody any more is an empty list. One row for each kind. */
const looks: Readonly<Record<EscalationKind, (ports: Ports, one: Escalation) => Promise<readonly Call[]>>> = {
  attention: async (ports, { id, keyId }) => {
    const key = await findKey(ports, keyId ?? '');
    if (!key?.attention || attentionId(key.facts.id, key.attention) !== id) return [];
    return [{ owner: key.facts.owner, team: key.facts.team, text: key.attention.message }];
  },
  // Over when every version is proven dead; what is left after that asks for attention by itself.
  revocation: async (ports, { keyId, subject, calls }) => {
    const key = await findKey(ports, keyId ?? '');
    const open = key?.state === 'revoking' && key.revocation?.id === subject['operationId'];
    return open ? calls : [];
  },
  silence: async (ports, { keyId, subject }) => {
    const key = await findKey(ports, keyId ?? '');
    return key ? silent(ports, key, String(subject['operationId']), Number(subject['version'])) : [];
  },
};

/**
 * Looks at everything that waits for people: what is over ends, and is taken back; of the rest, whoever's turn has come is told. Then sends
 * what was not sent. One matter's trouble never stops the others. Returns how many pages could not be sent.
 */
export async function reconcileEscalations(ports: Ports): Promise<{ readonly open: number; readonly unsent: number }> {
  const open: Escalation[] = [];
  const over: Escalation[] = [];
  for (const one of await openEscalations(ports)) {
    const calls = await looks[one.kind](ports, one).catch((error: Error) => {
      ports.log.error('an escalation was not looked at', { escalation: one.id, error: error.name });
      return one.calls;
    });
    if (calls.length) open.push({ ...one, calls });
    else over.push(one);
  }
  try {
    for (const one of over) await endEscalation(ports, one, open);
    await tell(ports, open);
  } catch (error) {
    // Who is told must be written down: on a table that takes no writes nobody is, and the alarms say so.
    if (!(error instanceof TableRestored)) throw error;
  }
  return { open: open.length, unsent: await sendPendingPages(ports) };
}

/** The consumers that have not answered the challenge of an operation about a version, by whose they are. */
async function silent(ports: Ports, key: Key, operationId: string, version: number): Promise<Call[]> {
  const { facts, rotation } = key;
  const call = (name: string): Call => {
    const consumer = facts.consumers.find((one) => one.name === name);
    return consumer ? { owner: consumer.owner, team: facts.team, text: unanswered(consumer, version) } : unmapped(key, version);
  };
  if (operationId.startsWith('rotate-')) {
    const evidence = rotation?.id === operationId ? await awaitedEvidence(ports, key) : null;
    return evidence?.version === version ? evidence.missing.map(call) : [];
  }
  // What a revocation issued again waits for nobody; whoever has not picked it up stands still all the same.
  if (key.current !== version) return [];
  const asked = facts.consumers.filter(({ proof }) => proof === 'possession');
  const calls: Call[] = [];
  // One after the other: what fails leaves nothing under way.
  for (const { name } of asked) if (!(await ports.inventory.get(adoptionKey(facts.id, name, version, operationId)))) calls.push(call(name));
  return calls;
}

const unanswered = ({ name, contact }: Consumer, version: number): string =>
  `${name} (${contact}) has not proved that it uses version ${version}`;

const unmapped = ({ facts }: Key, version: number): Call => ({
  owner: facts.owner,
  team: facts.team,
  text: `no consumer is registered, so nobody can prove that version ${version} is in use: its owner decides`,
});
