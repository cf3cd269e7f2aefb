import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { bundledSpecs, loadSpecs } from '../adapters/providers/registry.ts';
import type { Spec } from '../adapters/providers/spec.ts';
import { type Problem, Refused } from '../core/errors.ts';
import { checkPolicy, defaultPolicy, type Policy } from '../core/policy.ts';
import { checkSettings, type Settings } from '../core/settings.ts';
import { localSettings } from './settings.ts';

/** What this installation decided: the defaults, with what the files of its folder say instead. */
export interface LocalInstallation {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly specs: readonly Spec[];
}

/**
 * Reads `settings.yaml`, `policy.yaml` and `providers/*.yaml` of a folder; each may be missing. Throws Refused E_INPUT_INVALID that names
 * every unknown field, wrong type and contradiction; loadSpecs tells what a spec is refused for.
 */
export function readLocalInstallation(folder: string): LocalInstallation {
  const settings = checkSettings(overlay(localSettings, folder, 'settings.yaml'));
  const policy = checkPolicy(overlay(defaultPolicy, folder, 'policy.yaml'), settings);
  const own = join(folder, 'providers');
  const specs = loadSpecs([bundledSpecs, ...(existsSync(own) ? [own] : [])], { allowLoopback: true });
  return { settings, policy, specs };
}

/** The defaults say which fields there are and of what type. */
function overlay<T extends object>(defaults: T, folder: string, file: string): T {
  const path = join(folder, file);
  if (!existsSync(path)) return defaults;
  const document = parseDocument(readFileSync(path, 'utf8'), { schema: 'core', uniqueKeys: true, prettyErrors: false });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) throw new Refused('E_INPUT_INVALID', `${file} is not valid YAML (${fault.code})`);
  const problems: Problem[] = [];
  const merged = merge(defaults, document.toJS({ maxAliasCount: 20 }) ?? {}, '', problems);
  if (problems.length) throw new Refused('E_INPUT_INVALID', `${file} was refused`, problems);
  return merged as T;
}

function merge(standard: unknown, given: unknown, path: string, problems: Problem[]): unknown {
  const refuse = (message: string) => {
    problems.push({ path, message });
    return standard;
  };
  if (Array.isArray(standard))
    return Array.isArray(given) && given.every((entry) => typeof entry === 'string') ? given : refuse('must be a list of texts');
  if (typeof standard !== 'object' || standard === null)
    return typeof given === typeof standard ? given : refuse(`must be a ${typeof standard}`);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return refuse('must have fields');
  const merged: Record<string, unknown> = { ...standard };
  for (const [name, value] of Object.entries(given)) {
    const at = path ? `${path}.${name}` : name;
    if (Object.hasOwn(standard, name)) merged[name] = merge(merged[name], value, at, problems);
    else problems.push({ path: at, message: 'is no field' });
  }
  return merged;
}
