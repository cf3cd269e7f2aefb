import { invariants, isDone } from './invariants.ts';
import { movesFrom } from './moves.ts';
import { decode, encode, initialState } from './state.ts';
import type { Without } from './switches.ts';

export interface Budget {
  readonly rotations: number;
  readonly revokes: number;
  readonly faults: number;
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** The first invariant that broke, with the shortest way there; null: none did, in any state. */
  readonly violation: { readonly invariant: string; readonly says: string; readonly story: readonly string[] } | null;
}

/**
 * Visits every state that can be reached within the budget, nearest first, and checks every invariant in each; then that each of them
 * still has a way to an end (INV-18). Stops at the first violation.
 */
export function explore(budget: Budget, without: Without = new Set()): Exploration {
  const start = encode(initialState(budget));
  const places = new Map([[start, 0]]);
  const codes = [start];
  const parents = [-1];
  const edges: number[] = [];
  const edgesFrom: number[] = [];
  const done: number[] = [];
  const result = (violation: Exploration['violation']): Exploration => ({ states: codes.length, transitions: edges.length, violation });
  for (let place = 0; place < codes.length; place++) {
    const code = codes[place] as string;
    const state = decode(code);
    const broken = invariants.find((invariant) => !invariant.holds(state, without));
    if (broken) return result({ invariant: broken.id, says: broken.says, story: storyOf(codes, parents, place, without) });
    if (isDone(state)) done.push(place);
    edgesFrom.push(edges.length);
    for (const { to } of movesFrom(code, without)) {
      let known = places.get(to);
      if (known === undefined) {
        known = codes.length;
        places.set(to, known);
        codes.push(to);
        parents.push(place);
      }
      edges.push(known);
    }
  }
  edgesFrom.push(edges.length);
  const stuck = firstWithoutEnd(codes.length, edges, edgesFrom, done);
  if (stuck < 0) return result(null);
  const says = 'every operation can still come to an end';
  return result({ invariant: 'INV-18', says, story: storyOf(codes, parents, stuck, without) });
}

/** The nearest state from which no done state can be reached, or -1. Walks the edges backwards from the done ones. */
function firstWithoutEnd(count: number, edges: readonly number[], edgesFrom: readonly number[], done: readonly number[]): number {
  const into = new Int32Array(count + 1);
  for (const to of edges) into[to + 1] = (into[to + 1] as number) + 1;
  for (let i = 0; i < count; i++) into[i + 1] = (into[i + 1] as number) + (into[i] as number);
  const sources = new Int32Array(edges.length);
  const filled = into.slice();
  for (let from = 0; from < count; from++) {
    for (let edge = edgesFrom[from] as number; edge < (edgesFrom[from + 1] as number); edge++) {
      const to = edges[edge] as number;
      const slot = filled[to] as number;
      sources[slot] = from;
      filled[to] = slot + 1;
    }
  }
  const ends = new Uint8Array(count);
  const open = [...done];
  for (const place of done) ends[place] = 1;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    for (let slot = into[place] as number; slot < (into[place + 1] as number); slot++) {
      const from = sources[slot] as number;
      if (ends[from]) continue;
      ends[from] = 1;
      open.push(from);
    }
  }
  return ends.indexOf(0);
}

/** What happened on the way to a state, in order. */
function storyOf(codes: readonly string[], parents: readonly number[], place: number, without: Without): string[] {
  const story: string[] = [];
  for (let at = place; parents[at] !== undefined && (parents[at] as number) >= 0; at = parents[at] as number) {
    const move = movesFrom(codes[parents[at] as number] as string, without).find(({ to }) => to === codes[at]);
    story.unshift(move?.story ?? '?');
  }
  return story;
}
