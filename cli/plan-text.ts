import type { Plan } from '../core/plan.ts';

/** A plan in words. */
export function showPlan({ would, blockedBy, consumers, lastDrill }: Plan, heading: string): string {
  return [
    `${heading}:`,
    ...would.map((line, index) => `  ${index + 1}. ${line}`),
    consumers.length ? `Services that use it: ${consumers.join(', ')}` : 'No service is affected, as far as is known.',
    ...(lastDrill === undefined ? [] : [`Last drill: ${lastDrill}`]),
    ...blockedBy.map((line) => `It cannot begin now: ${line}`),
    'Nothing was changed.',
  ].join('\n');
}
