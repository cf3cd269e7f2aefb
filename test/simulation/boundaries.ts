import { effectNames } from '../../core/effect.ts';
import { callFaults } from './faults/calls.ts';
import { interleaved, type Place, placesOf } from './interleavings.ts';
import { stories } from './stories.ts';

/** One external write of one step, and one way in which it can go wrong. */
export interface Boundary extends Place {
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
  const known = new Set<string>();
  for (const story of Object.keys(stories)) {
    const places = await placesOf(story);
    for (const [number, fault] of callFaults.entries()) {
      const bySite = Map.groupBy(
        places.filter(({ site }) => fits(fault, site)),
        ({ site }) => site,
      );
      for (const [site, all] of bySite) {
        const once = `${site} ${fault.name}`;
        // Not always the first of its kind: another one for each fault.
        const chosen = which === 'every write' ? all : known.has(once) ? [] : [all[number % all.length] as Place];
        known.add(once);
        found.push(...chosen.map((place) => ({ ...place, fault: fault.name })));
      }
    }
  }
  return found;
}

/** The effects of the registry that no boundary is about. */
export function unreached(all: readonly Boundary[]): string[] {
  return effectNames.filter((name) => !all.some(({ site }) => site.endsWith(` ${name}`)));
}

/** Tells a story with one boundary struck. Returns what broke, in a line, or null. */
export async function struckAt({ fault, ...place }: Boundary): Promise<string | null> {
  const { breaches } = await interleaved(place, fault);
  const [first] = breaches;
  return first ? `${place.story}, ${fault} at ${place.site} (${place.nth}): ${first.invariant} ${first.seen}` : null;
}
