import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import { type Installation, installationFile } from '../functions/installation.ts';
import { steps } from '../workflows/steps.ts';
import { doors } from './doors.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Every Lambda entry point, from the repository's root. */
export const entries: readonly string[] = [...steps, ...doors].map(({ entry }) => entry);

/** The folder of an entry's bundle under the folder given to `bundle`: one asset for one function. */
export function folderOf(out: string, entry: string): string {
  return join(out, basename(entry, '.ts'));
}

/**
 * Bundles every entry in one call of esbuild and writes the installation beside each: afterwards `folderOf(out, entry)`
 * holds index.js and the installation, and nothing else. Returns what went into each bundle.
 *
 * CommonJS, because importing ES modules costs 35 to 40 ms of a cold start; `import()` becomes `require` for the same
 * reason. Names may be shortened: errors carry their names as literals.
 */
export async function bundle(out: string, installation: Installation): Promise<Metafile> {
  rmSync(out, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries.map((entry) => ({ in: entry, out: join(basename(entry, '.ts'), 'index') })),
    outdir: out,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    supported: { 'dynamic-import': false },
    define: { 'import.meta.dirname': '__dirname' },
    // In Lambda the credentials are in the environment: the SDK's search for profiles, SSO and instance roles is 100 KB
    // that would never run. No operation that we call streams events.
    alias: { '@aws-sdk/credential-provider-node': './functions/environment-credentials.ts' },
    external: ['@smithy/core/event-streams'],
    plugins: [versionOnly],
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  for (const entry of entries) {
    mkdirSync(folderOf(out, entry), { recursive: true });
    writeFileSync(join(folderOf(out, entry), installationFile), JSON.stringify(installation));
  }
  return metafile;
}

/** An SDK client reads its own version from its package.json, and would bring all of it along: 2 KB for each client. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup({ onLoad }) {
    onLoad({ filter: /@aws-sdk\/client-[a-z-]+\/package\.json$/ }, ({ path }) => {
      const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};
