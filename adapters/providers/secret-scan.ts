/** A place in a file, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * Where a text seems to hold a secret: well-known prefixes of vendors' keys, private keys, and words of the shape
 * `pattern`. Gives places only, never the words.
 */
export function secretPlaces(text: string, pattern?: RegExp): Place[] {
  return text.split('\n').flatMap((line, index) => {
    const places: Place[] = [];
    for (const found of line.matchAll(/[^\s"'`,;<>()[\]{}]+/g)) {
      const looksSecret = wellKnown.some((shape) => shape.test(found[0])) || pattern?.test(found[0]);
      if (looksSecret) places.push({ line: index + 1, column: found.index + 1 });
    }
    return places;
  });
}

/** True when one word seems to be a secret. */
export function looksSecret(word: string): boolean {
  return wellKnown.some((shape) => shape.test(word));
}

/** Sources: the vendors' documentation of their key formats. Each is linear. */
const wellKnown: readonly RegExp[] = [
  /(AKIA|ASIA)[A-Z0-9]{16}/,
  /gh[pousr]_[A-Za-z0-9]{30}/,
  /github_pat_[A-Za-z0-9_]{30}/,
  /glpat-[\w-]{20}/,
  /xox[abeprs]-[A-Za-z0-9-]{10}/,
  /(sk|rk)_(live|test)_[A-Za-z0-9]{10}/,
  /sk-(proj|ant|svcacct|admin)?-?[\w-]{30}/,
  /SG\.[\w-]{22}\.[\w-]{43}/,
  /AIza[\w-]{35}/,
  /npm_[A-Za-z0-9]{36}/,
  /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\./,
  /-----BEGIN/,
];
