import type { Plan } from './plan.ts';
import { asked, once, story } from './stories.ts';

/** The smallest plans that once broke an invariant of the product: what was wrong, and the plan. Seeds change with every new fault; plans stay. */
export const regressions: readonly { readonly was: string; readonly plan: Plan }[] = [
  {
    was: 'AWSCURRENT, moved by somebody else to a version that was revoked, stayed there',
    plan: story([asked('revoke everything', 0)], {}, [once('somebody moves a label', 60)]),
  },
];
