import { reconcile } from '../../core/reconcile/reconcile.ts';
import { faultKinds } from './faults/registry.ts';
import { runHistory } from './history.ts';
import type { RequestKind } from './plan.ts';
import { randomOf } from './random.ts';
import { reachOf } from './reach.ts';
import { ask } from './requests.ts';
import type { Scene } from './scene.ts';
import { stories } from './stories.ts';

/** Something that happens right before one external write of a story is made. */
export type Act = (scene: Scene) => Promise<unknown>;

/** Somebody asks at this very moment. The write waits for what is done within the request. */
export const asks =
  (what: RequestKind): Act =>
  (scene) => {
    const [record] = scene.oracle.keys.values();
    return record ? ask(scene, what, record, 90 + scene.oracle.requests.length) : Promise.resolve();
  };

/** The reconciler has a round at this very moment. */
export const reconciles: Act = (scene) => scene.run('reconciler', null, (ports) => reconcile(ports)).catch(() => undefined);

/** Somebody outside does something at this very moment. */
export const happens =
  (name: string): Act =>
  async (scene) =>
    faultKinds.find((kind) => kind.name === name)?.happens?.(reachOf(scene));

/** How many external writes a story makes when nothing comes between. */
export async function countWrites(story: string): Promise<number> {
  const plan = stories[story];
  if (!plan) throw new Error(`there is no story ${story}`);
  return (await runHistory(plan)).writes.length;
}

/** Tells a story with an act before one of its writes. Returns what broke, in a line, or null. */
export async function interleaved(story: string, at: number, act: Act): Promise<string | null> {
  const plan = stories[story];
  if (!plan) throw new Error(`there is no story ${story}`);
  let site = '';
  const { breaches } = await runHistory(plan, {
    beforeWrite: async ({ worker, name }, count, scene) => {
      if (count !== at) return;
      site = `${worker.name} ${name}`;
      await act(scene);
    },
  });
  return breaches.length ? `${story}, before ${at} ${site}: ${breaches.map((one) => `${one.invariant} ${one.seen}`).join('; ')}` : null;
}

/** Some of the writes of a story, by seed. */
export function someOf(writes: number, many: number, seed: number): number[] {
  const chance = randomOf(seed, 'interleavings');
  return [...new Set(Array.from({ length: many }, () => 1 + chance.below(writes)))];
}
