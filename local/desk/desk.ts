import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { IAMClient } from '@aws-sdk/client-iam';
import { apiGatewayProvider } from '../../adapters/providers/aws-api-gateway.ts';
import { iamProvider } from '../../adapters/providers/aws-iam.ts';
import { loadSpec } from '../../adapters/providers/load-spec.ts';
import { bundledSpecs, loadSpecs, providers } from '../../adapters/providers/registry.ts';
import { type FixtureRun, missingFixtures, runFixtures } from '../../adapters/providers/run-fixtures.ts';
import { type CapabilitySheet, sheetOf } from '../../core/capability.ts';
import { type Problem, Refused } from '../../core/errors.ts';
import type { Provider } from '../../core/ports.ts';
import { fileAdminCredentials } from '../admin-credentials.ts';
import { localFiles } from '../files.ts';
import { adviceOn } from './advice.ts';

/** Ten seconds, as in production. */
const callSeconds = 10;

/**
 * The providers of this machine, with nothing running: those that ship with Rekey, and the specs in `providers/` of the local folder. Their
 * admin credentials are read from its `admin/` when one of them is really asked. Throws Refused with the problems of every bad spec.
 */
export function localProviders(folder: string): { readonly names: readonly string[]; find(name: string): Provider } {
  const own = join(folder, 'providers');
  const specs = loadSpecs([bundledSpecs, ...(existsSync(own) ? [own] : [])], { allowLoopback: true });
  const region = 'us-east-1';
  const installed = providers({
    specs,
    native: [
      iamProvider({ client: new IAMClient({ region, maxAttempts: 1 }), sts: { region }, callSeconds }),
      apiGatewayProvider({ client: new APIGatewayClient({ region, maxAttempts: 1 }), region, stage: 'local', callSeconds }),
    ],
    admin: fileAdminCredentials(localFiles(folder).admin),
    callSeconds,
    allowLoopback: true,
  });
  return { names: [...installed.providers()].sort(), find: installed.provider };
}

/** The capability sheets of this machine's providers, by name. */
export function localSheets(folder: string): CapabilitySheet[] {
  const { names, find } = localProviders(folder);
  return names.map((name) => sheetOf(find(name)));
}

export interface Linted {
  readonly file: string;
  /** What makes it unusable, with line and column. */
  readonly problems: readonly Problem[];
  /** What would make it better. */
  readonly advice: readonly string[];
}

/** Reads one spec file as an installation would, in the cloud unless it is for a laptop only. Throws Refused E_NOT_FOUND. */
export function lintFile(file: string, now: number): Linted {
  const text = readText(file);
  try {
    const spec = loadSpec(text, basename(file), { allowLoopback: /^\s*localOnly: true$/m.test(text) });
    return { file, problems: [], advice: adviceOn(spec, text, missingFixtures(spec), now) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { file, problems: error.problems.length ? error.problems : [{ path: '', message: error.message }], advice: [] };
  }
}

export interface Tested {
  readonly file: string;
  readonly runs: readonly FixtureRun[];
  /** What no fixture shows. */
  readonly missing: readonly string[];
}

/** Runs the fixtures of one spec file. Throws Refused as loading it does. */
export async function testFile(file: string): Promise<Tested> {
  const text = readText(file);
  const spec = loadSpec(text, basename(file), { allowLoopback: /^\s*localOnly: true$/m.test(text) });
  return { file, runs: await runFixtures(spec), missing: missingFixtures(spec) };
}

/** The file of a shipped spec by its id, or the path as it is. */
export function specFile(named: string): string {
  const shipped = join(bundledSpecs, `${named}.yaml`);
  return /^[a-z0-9-]+$/.test(named) && existsSync(shipped) ? shipped : named;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refused('E_NOT_FOUND', `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}
