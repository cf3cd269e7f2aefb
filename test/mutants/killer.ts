import { boundaries } from '../simulation/boundaries.ts';
import { runHistory, type History as Told } from '../simulation/history.ts';
import { type acts, interleaved, type Place, placesOf, someOf } from '../simulation/interleavings.ts';
import { planOf } from '../simulation/plan.ts';
import { regressions } from '../simulation/regressions.ts';
import { stories } from '../simulation/stories.ts';

/** A history that a mutant does not survive: of a seed, a story as it is, something right before one of its writes, or a plan that once broke. */
export type History =
  | { readonly seed: number }
  | { readonly story: string }
  | (Place & { readonly act: string })
  | { readonly was: string };

/** What a history broke. */
export interface Death {
  readonly invariants: readonly string[];
  readonly seen: string;
  readonly by: History;
}

/** Tells a history once. Null: every invariant held. */
export async function tried(by: History): Promise<Death | null> {
  const { breaches } = await told(by);
  const [first] = breaches;
  return first ? { invariants: breaches.map(({ invariant }) => invariant), seen: first.seen, by } : null;
}

function told(by: History): Promise<Told> {
  if ('seed' in by) return runHistory(planOf(by.seed));
  if ('act' in by) return interleaved(by, by.act);
  const plan = 'story' in by ? stories[by.story] : regressions.find(({ was }) => was === by.was)?.plan;
  if (!plan) throw new Error(`there is no such history: ${JSON.stringify(by)}`);
  return runHistory(plan);
}

/** Where a killer is looked for, in this order; what is quick comes first, and a long search (more than 200 seeds) looks everywhere. */
export async function* suspects(seeds: number): AsyncGenerator<History> {
  for (const story of Object.keys(stories)) yield { story };
  for (const { was } of regressions) yield { was };
  for (let seed = 1; seed <= Math.min(seeds, 60); seed++) yield { seed };
  const places = new Map<string, Place[]>();
  // A story that does not even come to its end has no places.
  for (const story of Object.keys(stories)) places.set(story, await placesOf(story).catch(() => []));
  for (const [act, its] of interleavings)
    for (const story of its) for (const place of someOf(places.get(story) ?? [], 6, act.length)) yield { ...place, act };
  for (let seed = 61; seed <= Math.min(seeds, 200); seed++) yield { seed };
  if (seeds <= 200) return;
  for (const { fault, ...place } of await boundaries('each site').catch(() => [])) yield { ...place, act: fault };
  for (const [act, its] of interleavings) for (const story of its) for (const place of places.get(story) ?? []) yield { ...place, act };
  for (let seed = 201; seed <= seeds; seed++) yield { seed };
}

const [rotation, back, revocation, second] = [
  'a rotation',
  'a rotation that is taken back',
  'a revocation of everything',
  'a second revocation before the first has ended',
] as const;

/** What comes right before each write of which stories. */
const interleavings: readonly (readonly [act: keyof typeof acts, stories: readonly string[]])[] = [
  ['revoke everything', [rotation, back, revocation, second, 'the first issue', 'a held reissue that is released']],
  ['a pause, and revoke everything', [rotation, back, revocation, second]],
  ['the answers of two creates are lost', [revocation, second, rotation, 'the first issue']],
  ['crash before', ['a revocation while a version is minted, at a slow vendor']],
  ['said to be done, and never done', [revocation, rotation]],
  ['a pause, and take back', ['a rotation whose services poll', rotation]],
  ['take back', [rotation]],
  ['revoke current', [rotation, back]],
  ['revoke previous', [rotation, back]],
  ['everything is redriven', ['a rotation after another', rotation, back, revocation, second, 'a held reissue that is released']],
  ['a round of the reconciler', [rotation, back, revocation, 'repairs of an idle key']],
  ['rotate', [rotation, 'repairs of an idle key']],
  ['the machine loses power', [rotation, back, revocation]],
  ['somebody moves a label', [rotation, back, revocation]],
  ['somebody overwrites a destination', [rotation, back, revocation]],
];

/** A history in a few words. */
export function inWords(by: History): string {
  if ('seed' in by) return `seed ${by.seed}`;
  if ('act' in by) return `${by.story}; at ${by.site}${by.nth > 1 ? ` (${by.nth})` : ''}: ${by.act}`;
  return 'story' in by ? by.story : `where once ${by.was}`;
}
