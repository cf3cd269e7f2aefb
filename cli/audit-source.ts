import type { AuditEntry } from '../core/audit.ts';
import type { SealedHead } from '../core/seal/seal.ts';
import { everyRow } from './pages.ts';
import type { Session } from './session.ts';

const ofKey = 'KEY#';

/** Every chain of an installation, and where its record ends. */
export const everyChain = (session: Session): AsyncIterable<SealedHead> => everyRow<SealedHead>(session, 'audit.chains', {});

/** The entries of a chain, in the order of the inventory. */
export async function entriesOf(session: Session, chain: string): Promise<AuditEntry[]> {
  const which = chain.startsWith(ofKey) ? { keyId: chain.slice(ofKey.length) } : { journal: chain };
  const entries: AuditEntry[] = [];
  let behind: number | null = 0;
  while (behind !== null) {
    const page: { entries: AuditEntry[]; next: number | null } = await session.door.ask('audit.entries', { ...which, behind });
    entries.push(...page.entries);
    behind = page.next;
  }
  return entries;
}

/** The key that a chain is of, or the name of the journal. */
export const chainName = (chain: string): string => (chain.startsWith(ofKey) ? chain.slice(ofKey.length) : `journal ${chain}`);

/** The seals of an installation in their order; `told` gets the public key that it names. */
export async function* everySeal(session: Session, told: (publicKey: string) => void): AsyncIterable<string> {
  let behind: number | null = 0;
  while (behind !== null) {
    const page: { seals: string[]; next: number | null; publicKey: string } = await session.door.ask('audit.seals', { behind });
    told(page.publicKey);
    yield* page.seals;
    behind = page.next;
  }
}
