import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledSpecs, loadSpecs } from '../adapters/providers/registry.ts';
import type { Spec } from '../adapters/providers/spec.ts';
import { type Problem, Refused } from '../core/errors.ts';
import { checkSettings, type Settings } from '../core/settings.ts';
import { readYaml } from '../requests/yaml-text.ts';
import { localFiles } from './files.ts';
import { type LivePolicy, livePolicy } from './live-policy.ts';
import { localSettings } from './settings.ts';

/** What this installation decided: the defaults, with what its files say instead. */
export interface LocalInstallation {
  readonly settings: Settings;
  readonly policy: LivePolicy;
  readonly specs: readonly Spec[];
}

/**
 * Reads `settings.yaml`, `policy.yaml` and `providers/*.yaml` of the folder; each may be missing, and the workspace's own `policy.yaml` stands
 * in for the folder's. A policy that is bad now gives way to its last good edition, where there is one. Throws Refused, with every unknown field, wrong value and contradiction, before anything is started.
 */
export function readLocalInstallation(folder: string, workspace: string): LocalInstallation {
  const settings = checkSettings(readSettings(join(folder, 'settings.yaml')));
  const file = [folder, workspace].map((place) => join(place, 'policy.yaml')).find((path) => existsSync(path));
  const policy = livePolicy({ file, lastGood: localFiles(folder).lastGoodPolicy, settings });
  const own = join(folder, 'providers');
  const specs = loadSpecs([bundledSpecs, ...(existsSync(own) ? [own] : [])], { allowLoopback: true });
  return { settings, policy, specs };
}

/** The laptop's durations with those of the file in their place: numbers of seconds under the names of core/settings.ts. */
function readSettings(file: string): Settings {
  if (!existsSync(file)) return localSettings;
  const [document, second] = readYaml(readFileSync(file, 'utf8'), file);
  if (!document || second) throw new Refused('E_INPUT_INVALID', `${file} must hold exactly one document`);
  const problems: Problem[] = [];
  const merged = merge(localSettings, document.content, [], (path, message) => {
    problems.push({ path: `${file}, ${document.where(path)}: ${path.join('.')}`, message });
  });
  if (problems.length) throw new Refused('E_INPUT_INVALID', `${file} cannot be used`, problems);
  return merged;
}

/** The standard says which fields there are, and of what type. */
function merge<T>(standard: T, given: unknown, path: readonly string[], report: (path: readonly string[], message: string) => void): T {
  if (typeof standard !== 'object' || standard === null) {
    if (typeof given === typeof standard) return given as T;
    report(path, `must be a ${typeof standard}`);
    return standard;
  }
  if (typeof given !== 'object' || given === null) {
    report(path, 'must have fields');
    return standard;
  }
  const merged = new Map<string, unknown>(Object.entries(standard));
  for (const [name, value] of Object.entries(given)) {
    if (Object.hasOwn(standard, name)) merged.set(name, merge(merged.get(name), value, [...path, name], report));
    else report([...path, name], 'is no field');
  }
  return Object.fromEntries(merged) as T;
}
