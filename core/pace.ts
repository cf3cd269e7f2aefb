import { ConditionFailed } from './errors.ts';
import { findKey } from './items.ts';
import type { Key } from './key.ts';
import type { Policy } from './policy.ts';
import type { Ports } from './ports.ts';
import { after, instant } from './time.ts';

/** What the schedule has started at one provider: which rotations are at work, how many began in this hour, and when a revocation was seen. */
interface PaceRecord {
  readonly revision: number;
  /** Keys by operation. */
  readonly open: Readonly<Record<string, string>>;
  readonly hour: string;
  readonly started: number;
  readonly revokedAt: string;
}

const paceKey = (provider: string) => ({ pk: `PACE#${provider}`, sk: 'PACE' });
const nothing: PaceRecord = { revision: 0, open: {}, hour: '', started: 0, revokedAt: '' };
const attempts = 5;

/** How long after a revocation was last seen at a provider the schedule leaves it alone, in rounds of the reconciler. */
const roundsLeftAlone = 3;

/**
 * Takes a place for one more rotation at a key's provider, or says why there is none now: the policy's pace is reached, or a revocation is
 * at work there, which has the provider to itself. A place is given back by itself, when its rotation waits for consumers or has ended.
 */
export async function takePlace(ports: Ports, key: Key, operationId: string): Promise<'taken' | 'at-once' | 'per-hour' | 'revocation'> {
  const provider = key.facts.provider;
  const { atOnce, rotationsPerHour } = paceOf(ports.policy, provider);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const now = instant(ports.clock.now());
    const known = await read(ports, provider);
    const hour = now.slice(0, 13);
    const started = known.hour === hour ? known.started : 0;
    if (known.open[operationId]) return 'taken';
    if (known.revokedAt && now < after(known.revokedAt, roundsLeftAlone * ports.settings.reconcileSeconds)) return 'revocation';
    if (started >= rotationsPerHour) return 'per-hour';
    const open = Object.keys(known.open).length >= atOnce ? await stillOpen(ports, known.open) : known.open;
    if (Object.keys(open).length >= atOnce) return 'at-once';
    if (await write(ports, provider, known, { open: { ...open, [operationId]: key.facts.id }, hour, started: started + 1 })) return 'taken';
  }
  return 'at-once';
}

/** A revocation is at work at a provider: for a while the schedule starts nothing there. Nothing waits for this, and its failure is nothing. */
export async function leaveAlone(ports: Ports, provider: string): Promise<void> {
  const known = await read(ports, provider);
  await write(ports, provider, known, { revokedAt: instant(ports.clock.now()) });
}

function paceOf({ pace }: Policy, provider: string): { readonly atOnce: number; readonly rotationsPerHour: number } {
  const { atOnce, perHour } = pace.providers[provider] ?? pace;
  return { atOnce, rotationsPerHour: Math.floor(perHour * (1 - pace.revokeShare)) };
}

async function stillOpen(ports: Ports, open: PaceRecord['open']): Promise<PaceRecord['open']> {
  const held = await Promise.all(
    Object.entries(open).map(async ([operationId, keyId]) => {
      const key = await findKey(ports, keyId);
      // While it waits for its consumers, the provider is not asked anything.
      return key?.rotation?.id === operationId && key.rotation.step !== 'confirm' ? [[operationId, keyId] as const] : [];
    }),
  );
  return Object.fromEntries(held.flat());
}

async function read(ports: Ports, provider: string): Promise<PaceRecord> {
  const item = await ports.inventory.get(paceKey(provider));
  return item ? { ...nothing, ...(item as unknown as PaceRecord) } : nothing;
}

/** False when somebody else wrote it meanwhile. */
async function write(ports: Ports, provider: string, known: PaceRecord, change: Partial<PaceRecord>): Promise<boolean> {
  const { open, hour, started, revokedAt } = { ...known, ...change };
  const item = { ...paceKey(provider), revision: known.revision + 1, open, hour, started, revokedAt };
  try {
    await ports.inventory.write([
      { do: 'put', item, when: [known.revision === 0 ? { item: 'absent' } : { path: 'revision', is: '=', value: known.revision }] },
    ]);
    return true;
  } catch (error) {
    if (error instanceof ConditionFailed) return false;
    throw error;
  }
}
