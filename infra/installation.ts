import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSpec } from '../adapters/providers/load-spec.ts';
import { authoritiesOf, privateHostsOf } from '../adapters/providers/private-host.ts';
import { bundledSpecs, loadSpecs, nativeNames } from '../adapters/providers/registry.ts';
import type { Spec } from '../adapters/providers/spec.ts';
import { type Problem, Refused } from '../core/errors.ts';
import { checkPolicy } from '../core/policy/check-policy.ts';
import { defaultPolicy } from '../core/policy/default-policy.ts';
import { checkSettings, productionSettings, type Settings } from '../core/settings.ts';
import type { Installation } from '../functions/installation.ts';
import { readPolicy } from '../requests/policy-document.ts';
import { readYaml } from '../requests/yaml-text.ts';

/**
 * Reads an installation: the shipped defaults, with what `folder` says instead in settings.yaml and policy.yaml, and its
 * providers/*.yaml beside the shipped ones. Throws Refused E_INPUT_INVALID for an unknown field, a wrong type, durations
 * that contradict each other (protocol.md §5), and any provider that is not reached over HTTPS at a public host or at one that
 * `privateHosts` of settings.yaml lists. `apiGateway: true` there adds the keys of API Gateway. authorities.pem says which certificates are good at the listed ones beside the public roots.
 */
export function readInstallation(stage: string, folder?: string): Installation {
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(stage)) {
    throw new Refused('E_INPUT_INVALID', 'a stage is 1 to 16 lower-case letters, digits and dashes, and begins with a letter');
  }
  if (folder !== undefined && !existsSync(folder)) throw new Refused('E_NOT_FOUND', `there is no folder ${folder}`);
  const given = (file: string) =>
    folder !== undefined && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : undefined;
  const { privateHosts: hosts = [], providers: wanted, apiGateway = false, ...durations } = fieldsOf(given('settings.yaml'));
  const settings = checkSettings(settingsOf({ ...productionSettings, stage }, durations));
  const privateHosts = privateHostsOf(hosts);
  const authorities = given('authorities.pem');
  if (typeof apiGateway !== 'boolean')
    throw new Refused('E_INPUT_INVALID', 'settings.yaml was refused', [{ path: 'apiGateway', message: 'must be true or false' }]);
  if (settings.stage !== stage) throw new Refused('E_INPUT_INVALID', `settings.yaml is for stage ${settings.stage}, not ${stage}`);
  const policyText = given('policy.yaml');
  const policy = policyText === undefined ? checkPolicy(defaultPolicy, settings) : readPolicy(policyText, 'policy.yaml', settings);
  const specs = [...shippedSpecs(wanted), ...(folder === undefined ? [] : specsIn(join(folder, 'providers'), privateHosts))];
  const twice = specs.find(
    ({ metadata: { id } }, index) => nativeNames.includes(id) || specs.findIndex((spec) => spec.metadata.id === id) < index,
  );
  if (twice) throw new Refused('E_EXISTS', `two providers are called ${twice.metadata.id}`);
  return {
    settings,
    policy,
    specs,
    privateHosts,
    apiGateway,
    ...(authorities === undefined ? {} : { authorities: authoritiesOf(authorities, Date.now()) }),
  };
}

/** The shipped specs, or those that `providers` of settings.yaml names. What a function never reads stays behind: the fixtures. */
function shippedSpecs(wanted: unknown): Spec[] {
  const shipped = loadSpecs([bundledSpecs]);
  const names = shipped.map(({ metadata }) => metadata.id);
  if (wanted !== undefined && !(Array.isArray(wanted) && wanted.every((name) => names.includes(name))))
    throw new Refused('E_INPUT_INVALID', 'settings.yaml was refused', [
      { path: 'providers', message: `must be a list of shipped providers: ${names.join(', ')}` },
    ]);
  return shipped
    .filter(({ metadata }) => !Array.isArray(wanted) || wanted.includes(metadata.id))
    .map(({ fixtures: _fixtures, ...spec }) => spec);
}

/** An installation's own specs are held to the cloud's rules one by one: a spec for a laptop is refused, not left out. */
function specsIn(folder: string, privateHosts: readonly string[]): Spec[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
  return files.sort().map((file) => loadSpec(readFileSync(join(folder, file), 'utf8'), file, { privateHosts }));
}

/** The fields of settings.yaml. */
function fieldsOf(yaml: string | undefined): {
  readonly privateHosts?: unknown;
  readonly providers?: unknown;
  readonly apiGateway?: unknown;
} {
  const content = yaml === undefined ? {} : readYaml(yaml, 'settings.yaml')[0]?.content;
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
  throw new Refused('E_INPUT_INVALID', 'settings.yaml was refused', [{ path: '', message: 'must have fields' }]);
}

/** The settings with what a file says instead. They themselves say which fields there are, and of what type. */
function settingsOf(standard: Settings, given: object): Settings {
  const problems: Problem[] = [];
  const settings = overlay(standard, given, '', problems);
  if (problems.length) throw new Refused('E_INPUT_INVALID', 'settings.yaml was refused', problems);
  return settings as Settings;
}

function overlay(standard: unknown, given: unknown, path: string, problems: Problem[]): unknown {
  if (typeof given !== typeof standard || given === null || Array.isArray(given)) {
    problems.push({ path, message: `must be a ${typeof standard}` });
    return standard;
  }
  if (typeof standard !== 'object') return given;
  const known = standard as Readonly<Record<string, unknown>>;
  const merged = { ...known };
  for (const [name, value] of Object.entries(given as object)) {
    const at = path ? `${path}.${name}` : name;
    if (Object.hasOwn(known, name)) merged[name] = overlay(known[name], value, at, problems);
    else problems.push({ path: at, message: 'is no field' });
  }
  return merged;
}
