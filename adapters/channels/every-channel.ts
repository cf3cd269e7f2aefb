import type { Pager } from '../../core/ports.ts';

/** How many deliveries are remembered. */
const remembered = 1000;

/**
 * Tells every channel each page. One that fails stops none of the others, and the page comes again; then only those that have not taken it are told.
 * Throws what the first that failed threw.
 */
export function everyChannel(channels: Readonly<Record<string, Pager>>): Pager {
  const taken = new Set<string>();
  return {
    async page(page) {
      const failures: unknown[] = [];
      for (const [name, channel] of Object.entries(channels)) {
        const delivery = `${name} ${page.id}`;
        if (taken.has(delivery)) continue;
        try {
          await channel.page(page);
          taken.add(delivery);
          if (taken.size > remembered) taken.delete(taken.values().next().value as string);
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length) throw failures[0];
    },
  };
}
