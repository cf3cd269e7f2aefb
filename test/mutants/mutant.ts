/** One small change of the text of one file of the product. */
export interface Edit {
  /** From the repository's root. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly put: string;
}

/** The product with one mechanism taken out. */
export interface Mutant {
  readonly name: string;
  /** What is missing in it, in words. */
  readonly removes: string;
  readonly edits: readonly Edit[];
  /** The invariants that it must be seen to break, where others break on the way: one of these. */
  readonly shows?: readonly string[];
}

/** A mutant that cannot be made any more: the code it is about has changed. */
export class DoesNotApply extends Error {
  override readonly name = 'DoesNotApply';
}

/** The texts of the files that a mutant changes, by path. Throws DoesNotApply unless each edit finds its place exactly once. */
export function mutated({ name, edits }: Mutant, read: (file: string) => string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { file, find, put } of edits) {
    const text = texts.get(file) ?? read(file);
    const places = text.split(find).length - 1;
    if (places !== 1) throw new DoesNotApply(`${name}: ${file} has this ${places} times, and not once: ${find.trim().slice(0, 120)}`);
    texts.set(
      file,
      text.replace(find, () => put),
    );
  }
  return texts;
}
