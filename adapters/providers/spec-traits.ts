import type { ProviderAbout, ProviderTraits } from '../../core/ports.ts';
import { durationSeconds } from './duration.ts';
import type { Spec } from './spec.ts';

/** What a composition root says instead of a spec's own durations, in seconds. */
export interface Durations {
  readonly activateSeconds?: number;
  readonly revokeSeconds?: number;
  readonly everySeconds?: number;
}

/** What is true of the keys that a spec describes. */
export function traitsOf(spec: Spec, durations: Durations): ProviderTraits {
  const { lifecycle, metadata, operations } = spec;
  const { require } = operations.probe;
  const { create, list, disable } = operations;
  return {
    pattern: lifecycle.pattern,
    class: lifecycle.supplied ? 'A' : create?.idempotencyKey ? 'B' : 'C',
    maxLive: lifecycle.maxLive,
    countsDisabled: lifecycle.countsDisabled,
    disable: typeof disable === 'object' ? 'disable' : (disable ?? 'none'),
    labelled: list?.each.label !== undefined && JSON.stringify(create?.steps ?? []).includes('key.label'),
    shared: list?.of === 'account',
    keepsOne: lifecycle.keepsOne ?? false,
    lifetimeSeconds: lifecycle.lives === undefined ? null : (durationSeconds(lifecycle.lives) ?? null),
    activateSeconds: durations.activateSeconds ?? durationSeconds(lifecycle.propagation.activate) ?? 0,
    ...(lifecycle.callsPerSecond === undefined ? {} : { callsPerSecond: lifecycle.callsPerSecond }),
    revokeSeconds: durations.revokeSeconds ?? durationSeconds(lifecycle.propagation.revoke) ?? 0,
    probe: {
      alive: require.alive,
      denied: require.denied,
      everySeconds: durations.everySeconds ?? require.everySeconds ?? durationSeconds(require.every ?? '') ?? 0,
    },
    ...(operations.lastUsed && { lastUsedAccuracySeconds: operations.lastUsed.accuracySeconds }),
    ...(metadata.secretPattern && { secretPattern: metadata.secretPattern, commonShape: metadata.commonShape ?? false }),
  };
}

/** What people should know of the vendor: the spec's own words. */
export function aboutOf({ metadata, inputs }: Spec): ProviderAbout {
  const { title, docs, facts, cannot = [], aliases = {} } = metadata;
  const described = ({ properties, required = [] }: Spec['inputs']['params']) =>
    Object.fromEntries(
      Object.entries(properties).map(([name, { description = '' }]) => [name, { needed: required.includes(name), description }] as const),
    );
  return { title, docs, facts, cannot, aliases, params: described(inputs.params), admin: described(inputs.admin) };
}
