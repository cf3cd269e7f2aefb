import type { Mutant } from './mutant.ts';

/** A condition of a production write, as it stands in the code. */
export interface Condition {
  /** `rotate/abort.ts rotation.ponr`: the file below core/, and what is asked. Numbered where a file asks the same several times. */
  readonly name: string;
  readonly mutant: Mutant;
}

/** A condition as data: of an item, or of one path in it. */
const asData = /\{ (?:item: '(?:exists|absent)'|path: .+?, is: .+?) \}/g;

/** The fence that a commit names is a condition of its write; `fence: key.fence + 1` sets it and asks nothing. */
const asFence = /(?<![.\w])fence(?:: \w+\.fence)?,/g;

/** Holds for every item, and for one that is not there. */
const always = "{ path: 'never', is: 'missing' }";

/** Every condition of every write in the core, found in its text, with the mutant that asks it no longer. */
export function conditionsOf(files: readonly { readonly path: string; readonly text: string }[]): Condition[] {
  const found: Condition[] = [];
  const counts = new Map<string, number>();
  for (const { path, text } of files) {
    const fences = [...text.matchAll(asFence)].filter(({ index }) => isOfCommit(text, index));
    const places = [...text.matchAll(asData), ...fences].sort((a, b) => a.index - b.index);
    for (const { 0: condition, index } of places) {
      const what = `${path.replace('core/', '')} ${asked(condition)}`;
      const count = (counts.get(what) ?? 0) + 1;
      counts.set(what, count);
      const name = count === 1 ? what : `${what} (${count})`;
      found.push({ name, mutant: without(name, path, text, condition, index) });
    }
  }
  return found;
}

/** The object that a place is in says what happened, as every commit does. */
function isOfCommit(text: string, index: number): boolean {
  let [start, end] = [index, index];
  for (let depth = 0; depth >= 0; ) depth += { '{': -1, '}': 1 }[text[--start] ?? '{'] ?? 0;
  for (let depth = 0; depth >= 0; ) depth += { '{': 1, '}': -1 }[text[end++] ?? '}'] ?? 0;
  return /\bevents\b|\bbuild\(key\)/.test(text.slice(start, end));
}

/** What a condition asks, in a word or two: its path, or what the path is made of. */
function asked(condition: string): string {
  const quoted = /path: ['`](?:\$\{path\}\.)?([\w.]+)['`]/.exec(condition)?.[1];
  const made = /path: [^,]*?(\w+),/.exec(condition)?.[1];
  return quoted ?? made ?? /item: '(\w+)'/.exec(condition)?.[1] ?? 'fence';
}

function without(name: string, file: string, text: string, condition: string, index: number): Mutant {
  const put = condition.startsWith('{') ? always : '';
  // As much of the text around it as makes the place one of its kind.
  for (let around = 0; ; around += 20) {
    const start = Math.max(0, index - around);
    const end = index + condition.length + around;
    const find = text.slice(start, end);
    if (text.split(find).length === 2) {
      const edit = { file, find, put: text.slice(start, index) + put + text.slice(index + condition.length, end) };
      return { name, removes: `the condition ${condition}`, edits: [edit] };
    }
  }
}
