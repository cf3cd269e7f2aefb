import { createHash } from 'node:crypto';
import { canonical } from '../canonical.ts';
import type { Attribute } from '../inventory.ts';

/** The other half at each level, from the leaf up: what leads from one leaf to the root, and says nothing about the other leaves. */
export type Path = readonly { readonly side: 'left' | 'right'; readonly hash: string }[];

/** The root of a tree over some leaves, in hex, built as in RFC 6962: it changes with any of them, and with their order. */
export function rootOf(leaves: readonly object[]): string {
  return levels(leaves).at(-1)?.[0] ?? digest('');
}

/** The path from the leaf at a place to the root. */
export function pathTo(leaves: readonly object[], at: number): Path {
  const path: { side: 'left' | 'right'; hash: string }[] = [];
  let place = at;
  for (const level of levels(leaves).slice(0, -1)) {
    const other = level[place ^ 1];
    if (other !== undefined) path.push({ side: place % 2 ? 'left' : 'right', hash: other });
    place = Math.floor(place / 2);
  }
  return path;
}

/** The root that a leaf and its path lead to. */
export function rootBy(leaf: object, path: Path): string {
  return path.reduce((hash, { side, hash: other }) => (side === 'left' ? node(other, hash) : node(hash, other)), leafHash(leaf));
}

/** A level without a partner hands its last hash up as it is. */
function levels(leaves: readonly object[]): string[][] {
  const all = [leaves.map(leafHash)];
  for (let level = all[0] as string[]; level.length > 1; level = all.at(-1) as string[])
    all.push(Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => pair(level[2 * i] as string, level[2 * i + 1])));
  return all;
}

const pair = (left: string, right: string | undefined): string => (right === undefined ? left : node(left, right));
const leafHash = (leaf: object): string => digest(`leaf ${canonical(leaf as Attribute)}`);
const node = (left: string, right: string): string => digest(`node ${left} ${right}`);
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
