import { guards } from './guards.ts';
import type { Invariant } from './invariant.ts';
import { order } from './order.ts';
import { progress } from './progress.ts';
import { records } from './records.ts';
import { safety } from './safety.ts';
import { hearing } from './told.ts';

/** INV-1 … INV-30, in that order, then the guards of the transitions. */
export const invariants: readonly Invariant[] = [
  ...[...safety, ...order, ...progress, ...records, ...hearing].sort((a, b) => Number(a.id.slice(4)) - Number(b.id.slice(4))),
  ...guards,
];
