import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { loadSpec } from '../adapters/providers/load-spec.ts';
import { bundledSpecs, loadSpecs } from '../adapters/providers/registry.ts';
import type { Spec } from '../adapters/providers/spec.ts';
import { type Problem, Refused } from '../core/errors.ts';
import { checkPolicy, defaultPolicy } from '../core/policy.ts';
import { checkSettings, productionSettings } from '../core/settings.ts';
import type { Installation } from '../functions/installation.ts';

/**
 * Reads an installation: the shipped defaults, with what `folder` says instead in settings.yaml and policy.yaml, and its
 * providers/*.yaml beside the shipped ones. Throws Refused E_INPUT_INVALID for an unknown field, a wrong type, durations
 * that contradict each other (protocol.md §5), and any provider that is not reached over HTTPS at a public host.
 */
export function readInstallation(stage: string, folder?: string): Installation {
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(stage)) {
    throw new Refused('E_INPUT_INVALID', 'a stage is 1 to 16 lower-case letters, digits and dashes, and begins with a letter');
  }
  const given = (file: string) => (folder === undefined ? {} : readYaml(join(folder, file)));
  const settings = checkSettings(overlay({ ...productionSettings, stage }, given('settings.yaml'), 'settings.yaml'));
  if (settings.stage !== stage) throw new Refused('E_INPUT_INVALID', `settings.yaml is for stage ${settings.stage}, not ${stage}`);
  const policy = checkPolicy(overlay(defaultPolicy, given('policy.yaml'), 'policy.yaml'), settings);
  const specs = [...loadSpecs([bundledSpecs]), ...(folder === undefined ? [] : specsIn(join(folder, 'providers')))];
  const twice = specs.find(({ metadata: { id } }, index) => id === 'aws-iam' || specs.findIndex((spec) => spec.metadata.id === id) < index);
  if (twice) throw new Refused('E_EXISTS', `two providers are called ${twice.metadata.id}`);
  return { settings, policy, specs };
}

/** An installation's own specs are held to the cloud's rules one by one: a spec for a laptop is refused, not left out. */
function specsIn(folder: string): Spec[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
  return files.sort().map((file) => loadSpec(readFileSync(join(folder, file), 'utf8'), file));
}

function readYaml(file: string): unknown {
  if (!existsSync(file)) return {};
  const document = parseDocument(readFileSync(file, 'utf8'), { schema: 'core', uniqueKeys: true, prettyErrors: false });
  if (document.errors.length || document.warnings.length) throw new Refused('E_INPUT_INVALID', `${file} is not valid YAML`);
  return document.toJS({ maxAliasCount: 20 }) ?? {};
}

/** The defaults with what was given in their place. The defaults say which fields there are and of what type. */
function overlay<T extends object>(defaults: T, given: unknown, file: string): T {
  const problems: Problem[] = [];
  const merged = merge(defaults, given, [], problems);
  if (problems.length) throw new Refused('E_INPUT_INVALID', `${file} was refused`, problems);
  return merged as T;
}

function merge(fallback: unknown, given: unknown, path: readonly string[], problems: Problem[]): unknown {
  const report = (message: string) => {
    problems.push({ path: path.join('.'), message });
    return fallback;
  };
  if (Array.isArray(fallback)) {
    return Array.isArray(given) && given.every((entry) => typeof entry === 'string') ? given : report('must be a list of texts');
  }
  if (typeof fallback !== 'object' || fallback === null) {
    return typeof given === typeof fallback ? given : report(`must be a ${typeof fallback}`);
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return report('must have fields');
  const fields = Object.entries(given);
  for (const [name] of fields)
    if (!Object.hasOwn(fallback, name)) problems.push({ path: [...path, name].join('.'), message: 'is no field' });
  const known = fields.filter(([name]) => Object.hasOwn(fallback, name));
  const merged = known.map(([name, value]) => [name, merge((fallback as Record<string, unknown>)[name], value, [...path, name], problems)]);
  return { ...fallback, ...Object.fromEntries(merged) };
}
