import { Refused } from '../../core/errors.ts';
import type { Log, Ports, Provider } from '../../core/ports.ts';
import { githubDeployKeyProvider } from './github-deploy-key.ts';
import { type HttpProviderOptions, httpProvider } from './http.ts';
import type { Spec } from './spec.ts';

export interface RegistryOptions extends Pick<HttpProviderOptions, 'callSeconds' | 'allowLoopback' | 'privateHosts' | 'authorities'> {
  readonly specs: readonly Spec[];
  /** Providers that need a client of their own: each is one file of this folder. */
  readonly native: readonly Provider[];
  /** The fields of an admin credential, by provider and account. */
  readonly admin: (provider: string, account: string) => ReturnType<HttpProviderOptions['admin']>;
  /** By provider: another site than the spec's, and other durations. */
  readonly overrides?: Readonly<Record<string, Pick<HttpProviderOptions, 'origins' | 'durations'>>>;
  readonly log?: Log;
}

/** The providers that are code: no spec may have one of these names. */
export const nativeNames: readonly string[] = ['aws-iam', 'aws-api-gateway', 'github-deploy-key'];

export { bundledSpecs, loadSpecs } from './load-spec.ts';

/**
 * Every installed provider by name. The lookup throws Refused E_NOT_FOUND with the nearest names. Throws Refused
 * E_EXISTS at once when two providers have one name; warns about providers that cannot revoke.
 */
export function providers(options: RegistryOptions): Pick<Ports, 'provider' | 'providers'> {
  const declared = options.specs.map((spec) => {
    const name = spec.metadata.id;
    const own = options.overrides && Object.hasOwn(options.overrides, name) ? options.overrides[name] : {};
    const { callSeconds, allowLoopback = false, privateHosts = [], authorities } = options;
    const reach = { allowLoopback, privateHosts, ...(authorities === undefined ? {} : { authorities }) };
    return httpProvider({ spec, callSeconds, ...reach, admin: (account) => options.admin(name, account), ...own });
  });
  const deployKeys = githubDeployKeyProvider({
    admin: (account) => options.admin('github-deploy-key', account),
    callSeconds: options.callSeconds,
  });
  const byName = new Map<string, Provider>();
  for (const provider of [...options.native, deployKeys, ...declared]) {
    if (byName.has(provider.name)) throw new Refused('E_EXISTS', `two providers are named ${provider.name}`);
    byName.set(provider.name, provider);
    if (provider.traits.disable === 'none')
      options.log?.warn('ROTATE-ONLY PROVIDER: its keys can be rotated but never revoked', { provider: provider.name });
  }
  const provider = (name: string) => {
    const found = byName.get(name);
    if (found) return found;
    throw new Refused('E_NOT_FOUND', `no provider ${JSON.stringify(name.slice(0, 64))}; nearest: ${nearest(name, [...byName.keys()])}`);
  };
  return { provider, providers: () => [...byName.keys()] };
}

/** The three names that differ least, by the number of letters to change (Levenshtein). */
function nearest(name: string, known: readonly string[]): string {
  const ranked = known.map((other) => ({ other, away: distance(name.slice(0, 64), other) })).toSorted((a, b) => a.away - b.away);
  return ranked.length
    ? ranked
        .slice(0, 3)
        .map(({ other }) => other)
        .join(', ')
    : 'none is installed';
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length] ?? 0;
}
