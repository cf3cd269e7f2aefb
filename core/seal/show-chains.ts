import type { AuditEntry } from '../audit.ts';
import { Refused } from '../errors.ts';
import { pageOfKeys } from '../fleet.ts';
import type { Item } from '../inventory.ts';
import { partition } from '../items.ts';
import { journalHead } from '../journal.ts';
import type { Ports } from '../ports.ts';
import type { Page, PageRequest } from '../search.ts';
import type { SealedHead } from './seal.ts';
import { journalNames } from './seal-chains.ts';

/** The chains there are, page by page, and where the record says that each ends; the journals come with the first page. */
export async function listChains(ports: Ports, { behind, limit }: PageRequest): Promise<Page<SealedHead>> {
  const { keys, next } = await pageOfKeys(ports, behind, limit);
  const journals = behind
    ? []
    : await Promise.all(journalNames(ports).map(async (chain) => ({ chain, ...(await journalHead(ports, chain)) })));
  const rows = [...journals.filter(({ seq }) => seq > 0), ...keys.map(({ facts, audit }) => ({ chain: partition(facts.id), ...audit }))];
  return { rows, looked: keys.length, next };
}

/** As many entries as an answer holds. */
const entriesAtOnce = 2000;

/** Entries of one chain, as the inventory has them: in its order, nothing checked. `next` is what to ask for them behind; null at the end. */
export async function readChain(
  ports: Ports,
  { keyId, journal, behind = 0 }: { readonly keyId?: string; readonly journal?: string; readonly behind?: number },
): Promise<{ readonly entries: readonly AuditEntry[]; readonly next: number | null }> {
  const chain = keyId === undefined ? journal : partition(keyId);
  if (chain === undefined)
    throw new Refused('E_INPUT_INVALID', 'name a chain', [{ path: 'keyId', message: 'is missing; or name a journal' }]);
  const items = await ports.inventory.list(chain, 'AUD#');
  const page = items.slice(behind, behind + entriesAtOnce);
  const entries = page.map(({ pk: _pk, sk: _sk, ...entry }: Item) => entry as unknown as AuditEntry);
  return { entries, next: behind + page.length < items.length ? behind + page.length : null };
}

/** As many characters of seals as an answer holds; at least one seal is in each. */
const charactersAtOnce = 2_000_000;

/** Seals in their order, behind a number, and the public key that they are signed with. */
export async function readSeals(
  ports: Ports,
  behind: number,
): Promise<{ readonly seals: readonly string[]; readonly next: number | null; readonly publicKey: string }> {
  const last = await ports.seals.last();
  const seals: string[] = [];
  let number = behind;
  for (let size = 0; number < last && size < charactersAtOnce; number++) {
    // One that is gone is an empty text: whoever checks them sees the gap.
    const text = (await ports.seals.read(number + 1)) ?? '';
    size += text.length;
    seals.push(text);
  }
  return { seals, next: number < last ? number : null, publicKey: await ports.seals.publicKey() };
}
