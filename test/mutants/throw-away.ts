import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** A copy of the repository that nobody needs afterwards. */
export interface ThrowAway {
  readonly path: string;
  /** Replaces files of the copy by path, as long as the work takes. */
  holding<T>(texts: ReadonlyMap<string, string>, work: () => Promise<T>): Promise<T>;
  end(): void;
}

/** What is not copied: what a person did not write. The packages are shared. */
const left = new Set(['node_modules', '.git', '.rekey', '.emulator', 'cdk.out', 'coverage']);

export function throwAway(): ThrowAway {
  const path = mkdtempSync(join(tmpdir(), 'rekey-mutant-'));
  cpSync(root, path, { recursive: true, filter: (source) => !left.has(basename(source)) });
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
  return {
    path,
    async holding(texts, work) {
      const before = [...texts.keys()].map((file) => [file, readFileSync(join(path, file), 'utf8')] as const);
      for (const [file, text] of texts) writeFileSync(join(path, file), text);
      try {
        return await work();
      } finally {
        for (const [file, text] of before) writeFileSync(join(path, file), text);
      }
    },
    end: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The files of the core, where every production write is. */
export function coreFiles(): { readonly path: string; readonly text: string }[] {
  // The port's own file says what a condition is, and asks none.
  const paths = globSync('core/**/*.ts', { cwd: root }).filter((path) => path !== 'core/inventory.ts');
  return paths.sort().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}
