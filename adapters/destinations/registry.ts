import { Refused } from '../../core/errors.ts';
import type { Destination } from '../../core/ports.ts';

/** Finds an installed destination by its kind. Throws Refused E_NOT_FOUND, which names the kinds that are installed, and E_EXISTS at once when two have one kind. */
export function destinations(installed: readonly Destination[]): (kind: string) => Destination {
  const byKind = new Map(installed.map((destination) => [destination.kind, destination]));
  if (byKind.size < installed.length) throw new Refused('E_EXISTS', 'two destinations have the same kind');
  return (kind) => {
    const found = byKind.get(kind);
    if (!found)
      throw new Refused('E_NOT_FOUND', `no destination of kind "${kind}" is installed; there are: ${[...byKind.keys()].join(', ')}`);
    return found;
  };
}
