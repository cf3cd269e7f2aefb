/** Numbers that look random and are not: the same seed and stream give the same ones. */
export interface Random {
  /** A whole number in [0, bound). */
  below(bound: number): number;
  /** 32 lower-case hex digits. */
  id(): string;
}

/**
 * One stream of a seed. Streams are apart, so that one more choice in one of them leaves the others as they are.
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, passes the usual batteries.
 */
export function randomOf(seed: number, stream: string): Random {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88 | 0, 1];
  for (const char of stream) b = (Math.imul(b, 31) + char.charCodeAt(0)) | 0;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11) | 0) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return {
    below: (bound) => next() % bound,
    id: () => Array.from({ length: 4 }, () => next().toString(16).padStart(8, '0')).join(''),
  };
}
