import type { Edit } from './mutant.ts';

/**
 * Conditions that a second guard backs: taken out alone they break nothing, and why. Each is taken out together with that guard, and then an
 * invariant or a test is red.
 */
export const backed: Readonly<Record<string, { readonly because: string; readonly also: readonly Edit[] }>> = {};
