import type { Installation } from '../../functions/installation.ts';
import type { Part } from './template.ts';

/** What the rules look at. */
export interface Facts {
  readonly parts: readonly Part[];
  readonly installation: Installation;
  readonly terminationProtection: boolean;
  /** What the row of each function gives it, by the function's name: `action resource[ if condition]`. */
  readonly rights: ReadonlyMap<string, ReadonlySet<string>>;
}

/** One rule about the stack. It cannot be acknowledged away. */
export interface Rule {
  /** Stable: it stands first in the error. */
  readonly name: string;
  /** What must hold, in one sentence. */
  readonly must: string;
  /** Where it does not hold. */
  readonly broken: (facts: Facts) => readonly string[];
}

/** A rule about every resource of some types. */
export function about(types: readonly string[], name: string, must: string, holds: (part: Part, facts: Facts) => boolean): Rule {
  return {
    name,
    must,
    broken: (facts) => facts.parts.filter((part) => types.includes(part.type) && !holds(part, facts)).map(({ path }) => path),
  };
}
