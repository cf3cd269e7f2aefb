import { dueVerdict } from './due.ts';
import { findingsOf } from './findings.ts';
import { pageOfKeys } from './fleet.ts';
import type { Hint } from './inventory.ts';
import type { Key, KeyFacts, KeyState, Tier } from './key.ts';
import { isLike } from './policy/key-match.ts';
import type { Ports } from './ports.ts';
import { type KeySummary, summaryOf } from './show.ts';
import { after, instant } from './time.ts';

/** Which keys are looked for. Every part that is given must hold; in names `*` stands for any characters. */
export interface KeyFilter {
  readonly id?: string;
  readonly owner?: string;
  readonly team?: string;
  readonly unit?: string;
  readonly vendor?: string;
  /** A consumer's name. */
  readonly service?: string;
  readonly environment?: string;
  readonly tier?: Tier;
  readonly state?: KeyState;
  /** Due now, for whatever reason. */
  readonly due?: boolean;
  /** Due until this instant. */
  readonly dueBefore?: string;
  /** Whose version in use is at least this old. */
  readonly olderThanDays?: number;
  /** That break this rule; any rule, where it is `*`. */
  readonly breaks?: string;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** How many keys were looked at for it. */
  readonly looked: number;
  readonly next: Hint | null;
}

/** Where a page begins, and how many keys are looked at for it. */
export interface PageRequest {
  readonly behind: Hint | null;
  readonly limit: number;
}

/** The keys that a filter is about, page by page. A page may have few rows, or none, and others behind it. */
export async function searchKeys(ports: Ports, filter: KeyFilter, { behind, limit }: PageRequest): Promise<Page<KeySummary>> {
  const { keys, next } = await pageOfKeys(ports, behind, limit);
  const now = instant(ports.clock.now());
  const found = keys.filter((key) => isWanted(ports, key, filter, now));
  return { rows: found.map((key) => summaryOf(ports, key)), looked: keys.length, next };
}

/** What of a key's record its facts do not say and its tier and dates are derived from. */
export type KeyRecord = Pick<
  Key,
  'facts' | 'tier' | 'state' | 'current' | 'currentMadeAt' | 'adopted' | 'lastEndedAt' | 'exceptedUntil' | 'nextDueAt' | 'exceptions'
>;

/** Facts and record of the keys that a filter is about, page by page: to keep them elsewhere, or to see what another policy would make of them. */
export async function exportKeys(ports: Ports, filter: KeyFilter, { behind, limit }: PageRequest): Promise<Page<KeyRecord>> {
  const { keys, next } = await pageOfKeys(ports, behind, limit);
  const now = instant(ports.clock.now());
  const rows = keys
    .filter((key) => isWanted(ports, key, filter, now))
    .map(({ facts, tier, state, current, currentMadeAt, adopted, lastEndedAt, exceptedUntil, nextDueAt, exceptions }) => ({
      ...{ facts, tier, state, current, currentMadeAt, adopted, lastEndedAt, exceptedUntil, nextDueAt, exceptions },
    }));
  return { rows, looked: keys.length, next };
}

function isWanted(ports: Ports, key: Key, filter: KeyFilter, now: string): boolean {
  const { facts } = key;
  const like = (wanted: string | undefined, name: string) => wanted === undefined || isLike(wanted, name);
  return (
    like(filter.id, facts.id) &&
    like(filter.owner, facts.owner) &&
    like(filter.team, facts.team) &&
    like(filter.unit, facts.unit) &&
    like(filter.vendor, facts.provider) &&
    like(filter.environment, facts.environment) &&
    isUsedBy(facts, filter.service) &&
    (filter.tier === undefined || filter.tier === key.tier) &&
    (filter.state === undefined || filter.state === key.state) &&
    (!filter.due || dueVerdict(key, now, ports.policy).due) &&
    (filter.dueBefore === undefined || (key.nextDueAt !== null && key.nextDueAt <= filter.dueBefore)) &&
    (filter.olderThanDays === undefined ||
      (key.currentMadeAt !== null && after(key.currentMadeAt, filter.olderThanDays * 86_400) <= now)) &&
    (filter.breaks === undefined || findingsOf(key, now, ports.policy).some(({ rule }) => isLike(filter.breaks as string, rule)))
  );
}

const isUsedBy = ({ consumers }: KeyFacts, service: string | undefined): boolean =>
  service === undefined || consumers.some(({ name }) => isLike(service, name));
