import { breakGlassJournal } from '../break-glass/prepare.ts';
import { bulkJournal } from '../bulk/bulk.ts';
import { ConditionFailed, StoreConflict } from '../errors.ts';
import { installationJournal } from '../installation.ts';
import { attribute, findKey, indexChange, metaKey, partition, sealsKey } from '../items.ts';
import { journalHead } from '../journal.ts';
import type { Ports } from '../ports.ts';
import { unmanagedJournal } from '../revoke/unmanaged.ts';
import { instant } from '../time.ts';
import { rootOf } from './merkle.ts';
import { noSeal, type SealedHead, type SignedSeal, sealHash } from './seal.ts';

/** The most heads in one seal: a megabyte. What is left goes into the next one, at once. */
const mostHeads = 5000;

/** The most keys that are read, or marked as sealed, side by side. */
const atOnce = 16;

export interface Sealed {
  readonly looked: number;
  /** The numbers of the seals that were made. */
  readonly made: readonly number[];
}

/**
 * Seals the ends of all audit chains that grew since they were sealed last: signed, linked to the seal before, and kept where whoever may write
 * the inventory cannot change it. From then on nobody can take back or rewrite what was sealed without its being seen (rekey audit verify).
 * Two that run at once make one seal. Costs what has changed. Throws DestinationUnavailable, InventoryUnavailable.
 */
export async function sealChains(ports: Ports): Promise<Sealed> {
  const made: number[] = [];
  let looked = 0;
  for (;;) {
    const known = await ports.inventory.get(sealsKey);
    const journals = await grownJournals(ports, (known?.['journals'] ?? {}) as Readonly<Record<string, number>>);
    const heads = [...journals, ...(await grownKeys(ports))];
    looked += heads.length;
    if (heads.length === 0) return { looked, made };
    const number = await seal(ports, heads);
    // Another one was faster: what it has not sealed is for the next run.
    if (number === null) return { looked, made };
    made.push(number);
    await markSealed(ports, heads, journals, known?.['journals'] as object | undefined);
    if (heads.length < mostHeads) return { looked, made };
  }
}

async function seal(ports: Ports, heads: readonly SealedHead[]): Promise<number | null> {
  const last = await ports.seals.last();
  const before = last === 0 ? undefined : await ports.seals.read(last);
  const previous = before ? (JSON.parse(before) as SignedSeal).hash : noSeal;
  const content = {
    number: last + 1,
    at: instant(ports.clock.now()),
    stage: ports.settings.stage,
    previous,
    root: rootOf(heads),
    count: heads.length,
  };
  const hash = sealHash(content);
  const signed: SignedSeal = { seal: content, hash, ...(await ports.seals.sign(hash)), heads };
  try {
    await ports.seals.keep(content.number, JSON.stringify(signed));
  } catch (error) {
    if (error instanceof StoreConflict) return null;
    throw error;
  }
  return content.number;
}

/** Every chain that belongs to no single key. */
export function journalNames(ports: Pick<Ports, 'providers'>): string[] {
  return [installationJournal, bulkJournal, breakGlassJournal, ...ports.providers().map(unmanagedJournal)];
}

async function grownJournals(ports: Ports, sealed: Readonly<Record<string, number>>): Promise<SealedHead[]> {
  const heads = await Promise.all(journalNames(ports).map(async (chain) => ({ chain, ...(await journalHead(ports, chain)) })));
  return heads.filter(({ chain, seq }) => seq > (sealed[chain] ?? 0));
}

async function grownKeys(ports: Ports): Promise<SealedHead[]> {
  const ids: string[] = [];
  for await (const { keyId } of ports.inventory.hints('seal')) {
    ids.push(keyId);
    if (ids.length === mostHeads) break;
  }
  const heads: SealedHead[] = [];
  for (let i = 0; i < ids.length; i += atOnce) {
    const keys = await Promise.all(ids.slice(i, i + atOnce).map((id) => findKey(ports, id)));
    for (const key of keys) if (key) heads.push({ chain: partition(key.facts.id), ...key.audit });
  }
  return heads;
}

/** Takes the chains off the list of those that grew, unless they have grown again. A mark that gets lost costs a second seal of the same head. */
async function markSealed(
  ports: Ports,
  heads: readonly SealedHead[],
  journals: readonly SealedHead[],
  known: object | undefined,
): Promise<void> {
  const sealed = { ...known, ...Object.fromEntries(journals.map(({ chain, seq }) => [chain, seq])) };
  await ports.inventory.update(sealsKey, { set: { journals: attribute(sealed) } }, [], 'toward dead');
  const keys = heads.filter(({ chain }) => chain.startsWith(partition('')));
  for (let i = 0; i < keys.length; i += atOnce) {
    await Promise.all(
      keys.slice(i, i + atOnce).map(async ({ chain, seq }) => {
        const id = chain.slice(partition('').length);
        const { remove = [] } = indexChange(id, { seal: null });
        const asSealed = [{ path: 'audit.seq', is: '=', value: seq } as const];
        await ports.inventory.update(metaKey(id), { remove }, asSealed, 'toward dead').catch((error: Error) => {
          if (!(error instanceof ConditionFailed)) throw error;
        });
      }),
    );
  }
}
