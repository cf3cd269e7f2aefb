import type { AuditEntry } from '../../core/audit.ts';
import type { Stage } from './stage.ts';

/** Tells what the keys' histories say as it appears there, or only remembers it: who moved when. What the vendor did is told by its own log, not here. */
export function tellHistories(
  stage: Pick<Stage, 'keys' | 'ask'>,
  line: (text: string) => void,
): { look(quietly?: 'quietly'): Promise<void>; of(keyId: string): readonly AuditEntry[] } {
  const told = new Map<string, readonly AuditEntry[]>();
  return {
    of: (keyId) => told.get(keyId) ?? [],
    async look(quietly) {
      for (const { facts } of stage.keys) {
        const before = told.get(facts.id) ?? [];
        const entries = await stage.ask<AuditEntry[]>('key.history', { keyId: facts.id });
        told.set(facts.id, entries);
        for (const entry of entries.slice(before.length)) {
          const text = sentence(entry);
          if (text && !quietly) line(`${facts.id}: ${text}`);
        }
      }
    },
  };
}

function sentence({ event, actor, detail }: AuditEntry): string | undefined {
  switch (event) {
    case 'rotation.started':
      return `${actor === 'schedule' ? `the schedule found it due (${detail['reason']})` : `a rotation was asked for (${detail['reason']})`}`;
    case 'version.distributed':
      return `version ${detail['version']} is at every destination; its services are told`;
    case 'receipt.moved':
      return `${detail['consumer']} proved that it uses version ${detail['version']}`;
    case 'rotation.confirmed':
      return 'everybody moved, and the overlap is over';
    case 'rotation.done':
      return 'the rotation is done';
    case 'rotation.aborted':
      return `the rotation is aborted: ${detail['cause']}; going back once nothing of it can still be under way`;
    case 'rotation.restored':
      return `version ${detail['version']} is back at every destination; its services are told`;
    case 'rotation.rolled-back':
      return 'the rollback is done';
    default:
      return undefined;
  }
}
