import { receive } from '../../core/adoption.ts';
import { proofOf } from '../../core/challenge.ts';
import type { KeyFacts } from '../../core/key.ts';
import type { Notice } from '../../core/notice.ts';
import type { Notifier, Ports } from '../../core/ports.ts';

/**
 * The key's consumers as their owners describe them: each reads its value again when its refresh time has passed after a notice, and then
 * proves possession of what it read. Those whose proof is quiet send nothing, and use the old version no more.
 */
export function rehearsedConsumers(keys: readonly KeyFacts[], ports: () => Ports): Notifier {
  const byKey = new Map(keys.map((facts) => [facts.id, facts]));
  const moved = async (facts: KeyFacts, { operationId, audience, data: { nonce, version } }: Notice): Promise<void> => {
    const [first] = facts.destinations;
    const value = first && (await ports().destination(first.kind).read(first));
    if (!value || !nonce || version === undefined) return;
    const proof = proofOf(value, operationId, audience, nonce);
    await receive(ports(), { keyId: facts.id, operationId, version, outcome: 'moved', nonce, proof }, audience);
  };
  return {
    async publish(notice) {
      const facts = byKey.get(notice.keyId);
      const consumer = facts?.consumers.find(({ name }) => name === notice.audience);
      if (!facts || consumer?.proof !== 'possession' || notice.data.action !== 'refresh') return;
      // A receipt that comes too late or twice is refused, as it would be; the calendar shows what came of it.
      setTimeout(() => void moved(facts, notice).catch(() => undefined), consumer.refreshSeconds * 1000);
    },
  };
}
