/** The longest word that is ever compared (core/leak-shapes.ts), so that a repetition without an end has one. */
const longestWord = 512;
/** Most ways in which one word can be split over the repetitions and choices of a pattern: the work for a word is bounded by this. */
const mostWays = 10_000;

/**
 * Why a regular expression could take more than linear time or is not plain, or undefined when it is safe. Safe here:
 * no backreferences, no look-around, no repeated group that itself repeats or chooses, counts up to 1,000, and few ways to match one
 * word: their number is a constant, so that a text costs no more than its length. The check is one pass over the pattern and errs on
 * the strict side; the shape of a vendor's keys never needs more.
 */
export function whyNotLinear(pattern: string): string | undefined {
  if (pattern.length > 300) return 'is longer than 300 characters';
  /** For each open group: whether it holds a repetition or a choice, the ways through the choice that is read, and through those before it. */
  const groups: { loose: boolean; ways: number; before: number }[] = [{ loose: false, ways: 1, before: 0 }];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    const inner = groups.at(-1);
    const repeat = repetition(pattern.slice(i));
    if (repeat) {
      if (repeat.most > 1000) return 'counts further than 1,000';
      if (inner && !repeat.fixed) {
        inner.loose = true;
        inner.ways *= repeat.span;
      }
      i += repeat.length - 1;
      continue;
    }
    if (c === '\\') {
      if (/[1-9k]/.test(pattern[i + 1] ?? '')) return 'uses a backreference';
      i++;
    } else if (c === '[') {
      i = endOfClass(pattern, i);
    } else if (c === '(') {
      if (/^\(\?(?!:|<[A-Za-z])/.test(pattern.slice(i))) return 'looks around or sets flags';
      groups.push({ loose: false, ways: 1, before: 0 });
      i += /^\(\?(:|<\w+>)/.exec(pattern.slice(i))?.[0].slice(1).length ?? 0;
    } else if (c === ')') {
      const group = groups.pop();
      const outer = groups.at(-1);
      if (!group || !outer) return 'has a ) too many';
      const next = repetition(pattern.slice(i + 1));
      if (next && group.loose && next.most !== 1) return 'repeats a group that itself repeats or chooses';
      outer.loose ||= group.loose;
      outer.ways *= group.before + group.ways;
    } else if (c === '|' && inner) {
      inner.loose = true;
      inner.before += inner.ways;
      inner.ways = 1;
    }
  }
  const [whole] = groups;
  if (whole && whole.before + whole.ways > mostWays) return `could match one word in more than ${mostWays} ways`;
  return compiles(pattern) ? undefined : 'is not a regular expression';
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern).source !== '';
  } catch {
    return false;
  }
}

function endOfClass(pattern: string, start: number): number {
  let i = start + 1;
  while (i < pattern.length && pattern[i] !== ']') i += pattern[i] === '\\' ? 2 : 1;
  return i;
}

function repetition(
  text: string,
): { readonly length: number; readonly most: number; readonly fixed: boolean; readonly span: number } | undefined {
  const found = /^(?:([*+?])|\{(\d+)(,(\d*))?\})\??/.exec(text);
  if (!found) return undefined;
  const [all, sign, least, range, most] = found;
  if (sign) return { length: all.length, most: sign === '?' ? 1 : 2, fixed: false, span: sign === '?' ? 2 : longestWord };
  const span = range === undefined ? 1 : most ? Number(most) - Number(least) + 1 : longestWord;
  return { length: all.length, most: Number(most || least), fixed: range === undefined, span };
}
