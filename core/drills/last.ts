import { brokenByTime, drillDueAt } from '../due.ts';
import { findKey } from '../items.ts';
import type { Key, Tier } from '../key.ts';
import type { Ports } from '../ports.ts';
import { instant } from '../time.ts';
import { canaryPrefix, drillsPartition, runPrefix } from './canary.ts';
import type { Drill, DrillResult } from './drill.ts';

/** A canary, what its drills showed, and when the next one is due. */
export interface CanaryView {
  readonly keyId: string;
  readonly provider: string;
  readonly tier: Tier;
  readonly state: string;
  readonly dueAt: string | null;
  readonly overdue: boolean;
  readonly open: Drill | null;
  readonly last: DrillResult | null;
  /** The latest results, the oldest of them first: how fast the provider disables, and how fast service is back. */
  readonly trend: readonly DrillResult[];
}

/** How many results a trend has. */
const trendLength = 10;

/** Every canary, by provider. */
export async function listDrills(ports: Ports): Promise<CanaryView[]> {
  const views: CanaryView[] = [];
  for (const key of await canariesOf(ports)) {
    const runs = await ports.inventory.list(drillsPartition, runPrefix(key.facts.id));
    const trend = runs.slice(-trendLength).map(({ pk: _pk, sk: _sk, ...result }) => result as unknown as DrillResult);
    views.push({ ...viewOf(ports, key), trend });
  }
  return views;
}

/** The ids of the canaries that are still there: of one provider, or of all. */
export async function canariesOf(ports: Ports, provider = ''): Promise<Key[]> {
  const items = await ports.inventory.list(drillsPartition, canaryPrefix(provider));
  const keys = await Promise.all(items.map((item) => findKey(ports, String(item['keyId']))));
  return keys.filter((key): key is Key => key?.facts.canary === true && key.state !== 'offboarding' && key.state !== 'retired');
}

/** What is known of revoking at a provider, as one sentence: shown before anybody revokes there (POL-R7). What cannot be read stops nobody. */
export function lastDrillAt(ports: Ports, provider: string): Promise<string> {
  return sentence(ports, provider).catch(() => 'unknown: the record of drills could not be read');
}

async function sentence(ports: Ports, provider: string): Promise<string> {
  const canaries = await canariesOf(ports, provider);
  if (canaries.length === 0) return `none at ${provider}: no canary is registered there`;
  const views = canaries.map((key) => viewOf(ports, key));
  const results = views.flatMap(({ last }) => last ?? []);
  const overdue = views.some((view) => view.overdue) ? '; the next one is OVERDUE' : '';
  const [last] = results.sort((a, b) => (a.endedAt > b.endedAt ? -1 : 1));
  if (!last) return `none at ${provider} yet${overdue}`;
  const { passed, endedAt, disableSeconds, restoreSeconds, failures } = last;
  const seconds = (of: number | null) => (of === null ? 'not seen' : `${of} s`);
  return passed
    ? `passed at ${endedAt}: disabled after ${seconds(disableSeconds)}, restored after ${seconds(restoreSeconds)}${overdue}`
    : `FAILED at ${endedAt}: ${failures.join('; ')}${overdue}`;
}

function viewOf(ports: Ports, key: Key): Omit<CanaryView, 'trend'> {
  const { id: keyId, provider } = key.facts;
  const now = instant(ports.clock.now());
  return {
    ...{ keyId, provider, tier: key.tier, state: key.state, dueAt: drillDueAt(key, ports.policy) },
    overdue: brokenByTime(key, now, ports.policy).some(({ rule }) => rule === 'drill-overdue'),
    open: key.drill ?? null,
    last: key.drilled ?? null,
  };
}
