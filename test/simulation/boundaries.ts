import { effectNames } from '../../core/effect.ts';
import { callFaults } from './faults/calls.ts';
import { type History, runHistory } from './history.ts';
import type { Plan } from './plan.ts';
import { stories } from './stories.ts';

/** One external write of one step, and one way in which it can go wrong. */
export interface Boundary {
  readonly story: string;
  /** `rotate Issue provider.create`: the operation, the step, the port's call. */
  readonly site: string;
  /** Which external write of the story it is, counted from 1. */
  readonly at: number;
  readonly fault: string;
}

const fits = (fault: (typeof callFaults)[number], site: string): boolean => {
  const name = site.slice(site.lastIndexOf(' ') + 1);
  return fault.strike?.fits(name as Parameters<NonNullable<typeof fault.strike>['fits']>[0]) ?? false;
};

/**
 * Every boundary there is: the stories are told once without a fault, and each external write that is seen is a site. `'each site'`: one
 * write per site and fault; `'every write'`: all of them.
 */
export async function boundaries(which: 'each site' | 'every write'): Promise<Boundary[]> {
  const found: Boundary[] = [];
  const known = new Map<string, number>();
  for (const [story, plan] of Object.entries(stories)) {
    const { writes } = await told(plan);
    for (const [number, fault] of callFaults.entries()) {
      const places = new Map<string, number[]>();
      for (const [i, site] of writes.entries()) if (fits(fault, site)) places.set(site, [...(places.get(site) ?? []), i + 1]);
      for (const [site, all] of places) {
        if (which === 'every write') found.push(...all.map((at) => ({ story, site, at, fault: fault.name })));
        else if (!known.has(`${site} ${fault.name}`)) {
          known.set(`${site} ${fault.name}`, 1);
          // Not always the first of its kind: another one for each fault.
          found.push({ story, site, at: all[number % all.length] as number, fault: fault.name });
        }
      }
    }
  }
  return found;
}

/** The effects of the registry that no boundary is about. */
export function unreached(all: readonly Boundary[]): string[] {
  return effectNames.filter((name) => !all.some(({ site }) => site.endsWith(` ${name}`)));
}

/** Tells a story once, as it is. Throws when even that breaks an invariant. */
async function told(plan: Plan): Promise<History> {
  const history = await runHistory(plan);
  const [breach] = history.breaches;
  if (breach) throw new Error(`${breach.invariant}: ${breach.seen}`);
  return history;
}

/** Tells a story with one boundary struck. Returns what broke, in a line, or null. */
export async function struckAt({ story, site, at, fault }: Boundary): Promise<string | null> {
  const kind = callFaults.find(({ name }) => name === fault);
  const plan = stories[story];
  if (!kind || !plan) throw new Error(`there is no story ${story}, or no fault ${fault}`);
  const { breaches } = await runHistory(plan, {
    beforeWrite: (_call, count, scene) => {
      if (count === at) scene.meeting.add({ kind, skip: 0 });
    },
  });
  return breaches.length
    ? `${story}, ${fault} at ${at} ${site}: ${breaches.map((one) => `${one.invariant} ${one.seen}`).join('; ')}`
    : null;
}
