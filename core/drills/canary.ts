import type { Consumer } from '../consumer.ts';
import type { Write } from '../inventory.ts';
import { putItem } from '../items.ts';
import type { KeyFacts } from '../key.ts';

/** The one consumer of every canary: the drill, which reads what was delivered, uses it at the provider, and proves that it did. */
export const drillConsumer = 'drill';

/** Where canaries and what their drills showed are listed. */
export const drillsPartition = 'DRILLS';
export const canaryPrefix = (provider = ''): string => `CANARY#${provider ? `${provider}#` : ''}`;
export const runPrefix = (keyId: string): string => `RUN#${keyId}#`;

/** The facts of a canary, with its consumer; of any other key, as they are. */
export function withDrill(facts: KeyFacts): KeyFacts {
  const consumer: Consumer = {
    name: drillConsumer,
    owner: facts.owner,
    contact: facts.owner,
    refreshSeconds: 1,
    class: 'cached',
    proof: 'possession',
  };
  return facts.canary && facts.consumers.length === 0 ? { ...facts, consumers: [consumer] } : facts;
}

/** Why these facts are no canary's: it is there to be revoked, so nobody else may use it, and nothing may hold its reissue back. */
export function canaryProblems({ canary, consumers, incident, mode }: KeyFacts): { readonly path: string; readonly message: string }[] {
  if (!canary) return [];
  const [only] = consumers;
  return [
    ...(consumers.length === 1 && only?.name === drillConsumer && only.proof === 'possession'
      ? []
      : [{ path: 'consumers', message: 'must be []: a canary is used by its drills alone' }]),
    ...(incident.reissue === 'automatic'
      ? []
      : [{ path: 'incident.reissue', message: 'must be automatic: a drill ends with the reissue' }]),
    ...(mode === 'live' ? [] : [{ path: 'mode', message: 'must be live: what only looks on cannot be drilled' }]),
  ];
}

/** What lists a canary among those of its provider; nothing for any other key. */
export function canaryWrites({ id, provider, canary }: KeyFacts): Write[] {
  return canary ? [putItem({ pk: drillsPartition, sk: `${canaryPrefix(provider)}${id}`, keyId: id })] : [];
}
