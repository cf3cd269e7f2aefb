import { whoCan } from '../authority.ts';
import { explainKey } from '../explain.ts';
import { getKey } from '../items.ts';
import type { Key } from '../key.ts';
import { planRevocation } from '../plan.ts';
import type { Ports } from '../ports.ts';

/** What to do with one key in an emergency, from its record: people to call, and commands that work as they stand here. */
export interface Runbook {
  readonly keyId: string;
  readonly people: readonly { readonly who: string; readonly name: string }[];
  /** Services that stop, with their owners. */
  readonly breaks: readonly string[];
  readonly lastDrill: string;
  readonly steps: readonly { readonly title: string; readonly commands: readonly string[]; readonly afterwards: string }[];
  /** What the record lacks for this to be whole. */
  readonly gaps: readonly string[];
}

/** The runbook of a key (POL-F12, W5): written from the key as it is now, so that it cannot be out of date. Throws Refused E_NOT_FOUND. */
export async function runbookOf(ports: Ports, keyId: string): Promise<Runbook> {
  const key = await getKey(ports, keyId);
  const { consumers: breaks, lastDrill = 'unknown' } = await planRevocation(ports, { keyId, scope: 'all' });
  const { answers } = await explainKey(ports, keyId);
  return {
    keyId,
    people: peopleOf(ports, key),
    breaks,
    lastDrill,
    steps: stepsOf(keyId),
    gaps: answers.filter(({ id }) => id !== 'POL-Q7').flatMap(({ missing }) => missing),
  };
}

function peopleOf({ policy }: Ports, { facts, tier }: Key): Runbook['people'] {
  return [
    ...whoCan(policy.authority, 'revoke', tier).map(({ role }) => ({ who: 'may revoke it, alone and at once', name: role })),
    ...facts.incident.contacts.map((name) => ({ who: 'is called', name })),
    { who: 'owns it', name: facts.owner },
    { who: 'stands in for the owner', name: facts.team },
    { who: 'is on call', name: policy.onCall },
    ...facts.consumers.map(({ name, owner, contact }) => ({ who: `answers for ${name}`, name: `${owner}, ${contact}` })),
  ];
}

function stepsOf(keyId: string): Runbook['steps'] {
  return [
    {
      title: 'Before anything happens',
      commands: ['rekey break-glass prepare', `rekey who-can ${keyId} revoke`, `rekey key explain ${keyId}`],
      afterwards: 'the index lies on the responder’s machine, and nobody has to ask who may act',
    },
    {
      title: 'Know what it does',
      commands: [`rekey revoke ${keyId} --dry-run`],
      afterwards: 'these services stop; a string that leaked is looked up with: rekey revoke --leaked -',
    },
    {
      title: 'End it',
      commands: [`rekey revoke ${keyId} --confirm ${keyId} --source unknown --reason "leaked"`],
      afterwards: 'fenced, disabled and proven dead; if nothing of Rekey answers: rekey revoke --break-glass',
    },
    {
      title: 'See that it is dead',
      commands: [`rekey certificate ${keyId}`, `rekey history ${keyId}`],
      afterwards: 'the certificate says what was tried, when, and with what answer',
    },
    {
      title: 'Bring service back',
      commands: [`rekey reissue ${keyId} --reason "the leak is closed" --wait`, `rekey key show ${keyId}`],
      afterwards: 'once where it leaked is closed; the consumers’ proofs show who is back',
    },
    {
      title: 'Learn from it',
      commands: [`rekey incident show ${keyId}`, `rekey review list --key ${keyId}`],
      afterwards: 'somebody who did not act answers the review; then: rekey incident close, with the root cause',
    },
  ];
}
