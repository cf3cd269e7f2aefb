import { canonical } from '../canonical.ts';
import { dueOf } from '../due.ts';
import type { Attribute } from '../inventory.ts';
import { attribute } from '../items.ts';
import type { Tier } from '../key.ts';
import type { Policy } from '../policy.ts';
import type { KeyRecord } from '../search.ts';
import { tierOf } from '../tier.ts';

/** One place in which two policies differ; undefined where one of them says nothing there. */
export interface PolicyChange {
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** What another policy would make of a key. */
export interface KeyChange {
  readonly keyId: string;
  readonly tier: { readonly from: Tier; readonly to: Tier; readonly because: string };
  readonly due: { readonly from: string | null; readonly to: string | null };
  /** It would be due at once. */
  readonly dueNow: boolean;
  /** The first consumer that the new overlap is too short for, or null. */
  readonly tooShortFor: string | null;
}

/** Every field in which the second policy differs from the first, by its path. */
export function policyChanges(before: Policy, after: Policy): PolicyChange[] {
  const [was, is] = [flat(attribute(before)), flat(attribute(after))];
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((path) => was.get(path) !== is.get(path))
    .map((path) => ({ path, from: was.get(path), to: is.get(path) }));
}

/** What becomes of a key under another policy; null when nothing does. Derived as the engine would, from the same record. */
export function keyChange(record: KeyRecord, after: Policy, now: string): KeyChange | null {
  const { tier, because } = tierOf(record.facts, after);
  const due = record.nextDueAt === null ? null : dueOf({ ...record, tier }, after);
  const cap = after.tiers[tier].overlapMaxSeconds;
  const tooShortFor = record.facts.consumers.find(({ refreshSeconds }) => 2 * refreshSeconds > cap)?.name ?? null;
  if (tier === record.tier && due === record.nextDueAt && tooShortFor === null) return null;
  return {
    keyId: record.facts.id,
    tier: { from: record.tier, to: tier, because },
    due: { from: record.nextDueAt, to: due },
    dueNow: due !== null && due <= now && (record.nextDueAt ?? now) > now,
    tooShortFor,
  };
}

/** Each leaf by its dotted path; a list of plain texts and numbers is one leaf. */
function flat(value: Attribute, path = ''): Map<string, string> {
  const isLeaf = typeof value !== 'object' || value === null || (Array.isArray(value) && value.every((one) => typeof one !== 'object'));
  if (isLeaf) return new Map([[path, canonical(value)]]);
  const leaves = new Map<string, string>();
  for (const [name, inner] of Object.entries(value)) {
    for (const [at, text] of flat(inner as Attribute, path ? `${path}.${name}` : name)) leaves.set(at, text);
  }
  return leaves;
}
