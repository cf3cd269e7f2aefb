import type { Key } from './key.ts';
import { after } from './time.ts';

/** Since when nobody is known to have used a key, with the vendor's accuracy in its favour; null where the vendor does not tell. */
export function unusedSince({ use, adopted, registeredAt }: Pick<Key, 'use' | 'adopted' | 'registeredAt'>): string | null {
  if (!use) return null;
  return after(use.at ?? adopted?.at ?? registeredAt, use.accuracySeconds);
}
