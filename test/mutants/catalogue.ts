import { globSync, readFileSync } from 'node:fs';
import { basename, join, parse } from 'node:path';
import { backed } from './backed.ts';
import { conditionsOf } from './conditions.ts';
import type { History } from './killer.ts';
import kept from './killers.json' with { type: 'json' };
import { mechanisms } from './mechanisms.ts';
import { type Mutant, mutated } from './mutant.ts';
import { own } from './own.ts';
import { coreFiles, root } from './throw-away.ts';

/** What is known to kill a mutant: a history, or a test by its file and words of its title. */
export type Killer = { readonly by: History } | { readonly test: string; readonly titled: string };

/** Killers by the name of their mutant; written by `npm run mutants -- --store`. */
export const killers = kept as unknown as Readonly<Record<string, Killer>>;

export type Kind = 'protocol' | 'own' | 'condition';

export interface Row {
  readonly kind: Kind;
  readonly mutant: Mutant;
  /** For a condition that a second guard backs: that guard, and why the condition alone breaks nothing. The mutant takes both out. */
  readonly because?: string;
}

/** Every mutant there is: the protocol's mechanisms, our own, and each condition of a production write. */
export function catalogue(): Row[] {
  return [
    ...mechanisms.map((mutant): Row => ({ kind: 'protocol', mutant })),
    ...own.map((mutant): Row => ({ kind: 'own', mutant })),
    ...conditionsOf(coreFiles()).map(({ name, mutant }): Row => {
      const second = backed[name];
      if (!second) return { kind: 'condition', mutant };
      const edits = [...mutant.edits, ...second.also];
      return { kind: 'condition', mutant: { ...mutant, edits }, because: second.because };
    }),
  ];
}

/** The texts that a mutant changes, from a copy of the repository or from the repository itself. Throws DoesNotApply. */
export const textsOf = (mutant: Mutant, path = root): Map<string, string> =>
  mutated(mutant, (file) => readFileSync(join(path, file), 'utf8'));

/** The rooms of the core that every history goes through. What a mutant of another room breaks, only its own tests can see. */
const simulated = /^(?:core\/(?:\w+\.ts|rotate\/|revoke\/|reconcile\/)|workflows\/)/;
const unseen = /^core\/(?:principal|journal|installation|escalation|certificate|register)\.ts/;

export const isSimulated = ({ edits }: Mutant): boolean => edits.some(({ file }) => simulated.test(file) && !unseen.test(file));

/** Where a mutant that no history kills may die: the races of writes, the tests named like the file that it changes or like its room, then those that import either. */
export function testsOf({ edits }: Mutant): { readonly test: string; readonly titled: string }[] {
  const near = edits.flatMap(({ file }) => {
    const { dir, name } = parse(file);
    return dir === 'core' ? [{ name, from: `/${file}'` }] : [name, basename(dir)].map((each) => ({ name: each, from: `/${dir}/` }));
  });
  const files = globSync('test/{core,requests,contract,local}/**/*.test.ts', { cwd: root }).sort();
  const races = files.filter((test) => basename(test).startsWith('overtaken'));
  const named = files.filter((test) => near.some(({ name }) => basename(test).includes(name)));
  const importing = files.filter((test) => {
    const text = readFileSync(join(root, test), 'utf8');
    return near.some(({ from }) => text.includes(from));
  });
  return [...new Set([...races, ...named, ...importing])].slice(0, 9).map((test) => ({ test, titled: '' }));
}
