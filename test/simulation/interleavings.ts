import { reconcile } from '../../core/reconcile/reconcile.ts';
import { callFaults } from './faults/calls.ts';
import { outsideFaults } from './faults/outside.ts';
import { type History, runHistory, siteOf } from './history.ts';
import { requestKinds } from './plan.ts';
import { randomOf } from './random.ts';
import { reachOf } from './reach.ts';
import { ask } from './requests.ts';
import type { Scene } from './scene.ts';
import { stories } from './stories.ts';
import { sleep } from './worker.ts';

/** Something that happens right before one external write of a story is made. */
type Act = (scene: Scene) => Promise<unknown> | unknown;

/** Somebody asks at this very moment. The write waits for what is done within the request. */
const asks =
  (what: (typeof requestKinds)[number]): Act =>
  (scene) => {
    const [record] = scene.oracle.keys.values();
    return record && ask(scene, what, record, 90 + scene.oracle.requests.length);
  };

/** The worker sleeps at its write until long after its function's time-out, and meanwhile somebody asks. */
const asksDuringAPause =
  (what: (typeof requestKinds)[number]): Act =>
  (scene) => {
    const kind = callFaults.find(({ name }) => name === 'paused and resumed');
    if (kind) scene.meeting.add({ kind, skip: 0 });
    void sleep(1).then(() => asks(what)(scene));
  };

const isCreate = (name: string): boolean => name === 'provider.create';

/** Everything that can come between, by name: what people ask for, what happens outside, a round of the reconciler, a fault of the call. */
export const acts: Readonly<Record<string, Act>> = {
  ...Object.fromEntries(requestKinds.map((what) => [what, asks(what)])),
  ...Object.fromEntries(requestKinds.map((what) => [`a pause, and ${what}`, asksDuringAPause(what)])),
  ...Object.fromEntries(
    outsideFaults.flatMap(({ name, happens }): [string, Act][] => (happens ? [[name, (scene) => happens(reachOf(scene))]] : [])),
  ),
  ...Object.fromEntries(callFaults.map((kind) => [kind.name, (scene: Scene) => void scene.meeting.add({ kind, skip: 0 })])),
  // Whatever was under way before, also what is long over, is run once more.
  'everything is redriven': ({ attempts, attempt }) => {
    for (const { step, payload } of [...attempts]) void attempt(step, payload).catch(() => undefined);
  },
  'the answers of two creates are lost': ({ meeting }) => {
    const lost = callFaults.find(({ name }) => name === 'time-out after success');
    for (const fits of lost?.strike ? [isCreate, isCreate] : [])
      meeting.add({ kind: { ...lost!, strike: { ...lost!.strike!, fits } }, skip: 0 });
  },
  'a round of the reconciler': (scene) => scene.run('reconciler', null, (ports) => reconcile(ports)).catch(() => undefined),
};

/** One external write of a story: which one of those at its site, counted from 1. */
export interface Place {
  readonly story: string;
  readonly site: string;
  readonly nth: number;
}

/** Every external write that a story makes when nothing comes between, in order. */
export async function placesOf(story: string): Promise<Place[]> {
  const { writes, breaches } = await runHistory(planOfStory(story));
  if (breaches[0]) throw new Error(`${story} as it is breaks ${breaches[0].invariant}: ${breaches[0].seen}`);
  const counts = new Map<string, number>();
  return writes.map((site) => {
    const nth = (counts.get(site) ?? 0) + 1;
    counts.set(site, nth);
    return { story, site, nth };
  });
}

/** Tells a story with an act right before one of its writes. */
export async function interleaved({ story, site, nth }: Place, act: string): Promise<History> {
  const happens = acts[act];
  if (!happens) throw new Error(`nothing is called ${act}`);
  let seen = 0;
  return runHistory(planOfStory(story), {
    beforeWrite: async (call, _count, scene) => {
      if (siteOf(call) !== site) return;
      seen += 1;
      if (seen !== nth) return;
      scene.disturbedAt = Date.now();
      await happens(scene);
    },
  });
}

function planOfStory(story: string) {
  const plan = stories[story];
  if (!plan) throw new Error(`there is no story ${story}`);
  return plan;
}

/** Some of the writes of a story, by seed. */
export function someOf(places: readonly Place[], many: number, seed: number): Place[] {
  const chance = randomOf(seed, 'interleavings');
  return places.length ? [...new Set(Array.from({ length: many }, () => places[chance.below(places.length)]!))] : [];
}
