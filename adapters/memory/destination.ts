import { DestinationRefused } from '../../core/errors.ts';
import type { Destination } from '../../core/ports.ts';
import type { Value } from '../../core/value.ts';

/** A destination in memory: one slot for each `at`. A marker that comes again with another value is DestinationRefused. */
export function memoryDestination(kind = 'memory'): Destination {
  const held = new Map<string, Value>();
  const markers = new Map<string, Value>();
  return {
    kind,
    async write(spec, value, marker) {
      const id = `${spec.at} ${marker}`;
      const before = markers.get(id);
      if (before && !before.equals(value)) throw new DestinationRefused(`${spec.at} already received another value as ${marker}`);
      markers.set(id, value);
      held.set(spec.at, value);
    },
    async read(spec) {
      return held.get(spec.at);
    },
  };
}
