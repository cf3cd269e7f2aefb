import type { CapabilitySheet } from '../core/capability.ts';

/** A capability sheet for a person: what it can, then what it cannot. */
export function capabilityLines({ provider, title, pattern, evidence, checkedOn, capabilities, cannot }: CapabilitySheet): string[] {
  const width = Math.max(...capabilities.map(({ what }) => what.length));
  return [
    `${provider}: ${title} (${pattern}; ${evidence}, ${checkedOn})`,
    ...capabilities.map(({ what, says }) => `  ${what.padEnd(width)}  ${says}`),
    ...(cannot.length ? ['  Rekey cannot:', ...cannot.map((sentence) => `    - ${sentence}`)] : []),
  ];
}
