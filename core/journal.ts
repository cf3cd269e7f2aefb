import { type AuditEntry, type AuditLine, chain, genesisHash } from './audit.ts';
import { ConditionFailed, InventoryUnavailable } from './errors.ts';
import type { Item, ItemKey, Write } from './inventory.ts';
import { attribute } from './items.ts';
import type { Ports } from './ports.ts';
import { instant } from './time.ts';

const headKey = (journal: string): ItemKey => ({ pk: journal, sk: 'HEAD' });
const attempts = 25;

/**
 * Appends lines to a journal, none or more: a hash chain, like a key's, of what belongs to no single key, in a partition of its own. `more` commits with
 * them. Returns the entries. Throws ConditionFailed(n) when `more[n]` was refused, InventoryUnavailable.
 */
export async function writeJournal(
  ports: Ports,
  journal: string,
  lines: readonly Omit<AuditLine, 'at'>[],
  more: readonly Write[] = [],
): Promise<AuditEntry[]> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const known = await ports.inventory.get(headKey(journal));
    const head = headOf(known);
    const at = instant(ports.clock.now());
    const entries = chain(
      head,
      lines.map((line) => ({ at, ...line })),
    );
    const { seq, hash } = entries.at(-1) ?? head;
    const asRead: Write = {
      do: 'put',
      item: { ...headKey(journal), seq, hash },
      when: [known ? { path: 'seq', is: '=', value: head.seq } : { item: 'absent' }],
    };
    try {
      await ports.inventory.write([asRead, ...entries.map((entry) => put(journal, entry)), ...more], 'toward dead');
      return entries;
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error;
      if (error.index > entries.length) throw new ConditionFailed(error.index - entries.length - 1);
    }
  }
  throw new InventoryUnavailable(`too many writers met in ${journal}`);
}

/** Where a journal ends. */
export async function journalHead(
  ports: Pick<Ports, 'inventory'>,
  journal: string,
): Promise<{ readonly seq: number; readonly hash: string }> {
  return headOf(await ports.inventory.get(headKey(journal)));
}

const headOf = (known: Item | undefined) =>
  known ? { seq: Number(known['seq']), hash: String(known['hash']) } : { seq: 0, hash: genesisHash };

/** The entries of a journal, oldest first. */
export async function readJournal(ports: Pick<Ports, 'inventory'>, journal: string): Promise<AuditEntry[]> {
  return (await ports.inventory.list(journal, 'AUD#')).map(({ pk: _pk, sk: _sk, ...entry }: Item) => entry as unknown as AuditEntry);
}

function put(journal: string, entry: AuditEntry): Write {
  const item = { pk: journal, sk: `AUD#${String(entry.seq).padStart(10, '0')}`, ...(attribute(entry) as object) };
  return { do: 'put', item, when: [{ item: 'absent' }] };
}
