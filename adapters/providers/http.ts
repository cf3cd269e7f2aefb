import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Provider, ProviderTraits, Subject } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { durationSeconds } from './duration.ts';
import { type EgressOptions, egress } from './egress.ts';
import { listPages } from './list-pages.ts';
import { at } from './pointer.ts';
import type { Spec, Step, Who } from './spec.ts';
import { group, type Outcome, type Run, runSteps } from './steps.ts';
import { renderText, type Scope } from './template.ts';
import { instantOf } from './timestamp.ts';
import { judge } from './verdict.ts';

export interface HttpProviderOptions extends Pick<EgressOptions, 'privateHosts' | 'authorities' | 'resolve'> {
  readonly spec: Spec;
  /** The fields of an account's admin credential, read from the secret store at each call. */
  readonly admin: (account: string) => Promise<Readonly<Record<string, Value>>>;
  /** Every operation, with all its steps and pages, ends within this. */
  readonly callSeconds: number;
  /** Plain HTTP to this machine; only the local and test composition roots say so. */
  readonly allowLoopback?: boolean;
  /** Replaces the spec's `base.default`, for a vendor's other site or a test double. Its host must be in the egress list, or be this machine where loopback is allowed. */
  readonly baseUrl?: string;
  /** Replaces the spec's propagation budgets and probe pace, in seconds. */
  readonly durations?: { readonly activateSeconds?: number; readonly revokeSeconds?: number; readonly everySeconds?: number };
}

/** A provider that does what a declarative spec says. It keeps no state and never repeats a call. */
export function httpProvider(options: HttpProviderOptions): Provider {
  const { spec } = options;
  const { create, list, probe, disable, lastUsed } = spec.operations;
  const name = spec.metadata.id;
  const remove = spec.operations.delete;
  const runOf = preparer(options);

  const end = async (
    operation: string,
    ending: { auth: Who; steps: readonly Step[] } | undefined,
    subject: Subject,
    credentialId: string,
  ) => {
    if (!ending) throw new ProviderRefused(`${name} cannot ${operation}: this provider is rotate-only`);
    const run = await runOf(operation, ending.auth, subject, { 'key.credentialId': credentialId });
    return (await runSteps(run, ending.steps)).gone;
  };

  return {
    name,
    traits: traitsOf(spec, options.durations ?? {}),

    async create(subject, label) {
      const run = await runOf('create', create.auth, subject, { 'key.label': label });
      const headers = create.idempotencyKey ? { headers: { [create.idempotencyKey.toLowerCase()]: label } } : {};
      const { scope } = await runSteps({ ...run, ...headers }, create.steps);
      return { credentialId: renderText(create.credentialId, scope), value: new Value(renderText(create.value, scope)) };
    },

    list: async (subject) => listPages(await runOf('list', list.auth, subject, {}), list),

    async probe(subject, value) {
      const run = await runOf('probe', probe.auth, subject, { 'key.secret': value });
      const last = probe.steps.at(-1);
      let outcome: Outcome;
      try {
        // The last step's answer is judged, not expected.
        outcome = await runSteps(
          run,
          probe.steps.map((step) => (step === last ? { ...step, expect: undefined } : step)),
        );
      } catch (error) {
        if (!(error instanceof ProviderUnavailable) && !(error instanceof ProviderRefused)) throw error;
        return { verdict: 'inconclusive', detail: error.message };
      }
      return judge(probe, outcome.answer, outcome.scope);
    },

    async disable(subject, credentialId) {
      const ending = disable === 'delete' ? remove : typeof disable === 'object' ? disable : undefined;
      return (await end('disable', ending, subject, credentialId)) ? 'gone' : 'disabled';
    },

    delete: async (subject, credentialId) => ((await end('delete', remove, subject, credentialId)) ? 'gone' : 'deleted'),

    ...(lastUsed && {
      async lastUsed(subject: Subject, credentialId: string) {
        const run = await runOf('lastUsed', lastUsed.auth, subject, { 'key.credentialId': credentialId });
        const { answer, gone } = await runSteps(run, lastUsed.steps);
        const found = at(answer.json, lastUsed.at.pointer) ?? null;
        if (gone || answer.json === undefined || (found === null && lastUsed.empty === 'unknown')) return undefined;
        const used = found === null ? 'never' : instantOf(found, lastUsed.at.format);
        return used === undefined ? undefined : { at: used, accuracySeconds: lastUsed.accuracySeconds };
      },
    }),

    neverIssued: (random) => new Value(renderText(spec.lifecycle.fake, (slot) => (slot === 'random' ? random : undefined))),
  };
}

/** Prepares the run of one operation: parameters checked, admin credential read, deadline set. */
function preparer(options: HttpProviderOptions) {
  const { spec, callSeconds, allowLoopback = false, privateHosts, authorities, resolve } = options;
  const own = allowLoopback && options.baseUrl ? URL.parse(options.baseUrl)?.hostname : undefined;
  const send = egress({
    hosts: own ? [...spec.egress, own] : spec.egress,
    allowLoopback,
    ...(privateHosts && { privateHosts }),
    ...(authorities !== undefined && { authorities }),
    ...(resolve && { resolve }),
  });
  return async (operation: string, auth: Who, subject: Subject, key: Readonly<Record<string, unknown>>): Promise<Run> => {
    const signal = AbortSignal.timeout(callSeconds * 1000);
    checkParams(spec, subject);
    const admin = operation === 'probe' ? {} : await options.admin(subject.account);
    for (const field of operation === 'probe' ? [] : (spec.inputs.admin.required ?? []))
      if (!Object.hasOwn(admin, field))
        throw new ProviderRefused(`the admin credential ${subject.account} of ${spec.metadata.id} has no field ${field}`);
    const base = baseOf(options, subject);
    const now = new Date();
    const groups = [group('params', subject.params), group('admin', admin)];
    const scope: Scope = (slot) => {
      if (Object.hasOwn(key, slot)) return key[slot];
      if (slot === 'base') return base;
      if (slot === 'now') return now;
      return groups.map((look) => look(slot)).find((content) => content !== undefined);
    };
    return { spec, operation, auth, scope, signal, send };
  };
}

function baseOf({ spec, baseUrl }: HttpProviderOptions, subject: Subject): string | undefined {
  const override = spec.base?.override?.replace(/^params\./, '');
  const own = override !== undefined && Object.hasOwn(subject.params, override) ? subject.params[override] : undefined;
  const base = own ?? baseUrl ?? spec.base?.default;
  return base === undefined ? undefined : String(base).replace(/\/$/, '');
}

function checkParams(spec: Spec, subject: Subject): void {
  const { properties, required = [] } = spec.inputs.params;
  for (const name of required)
    if (!Object.hasOwn(subject.params, name)) throw new ProviderRefused(`key ${subject.keyId}: ${spec.metadata.id} needs params.${name}`);
  for (const [name, content] of Object.entries(subject.params)) {
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
    if (!type) throw new ProviderRefused(`key ${subject.keyId}: ${spec.metadata.id} has no params.${name}`);
    const fits = type === 'array' ? Array.isArray(content) : type === 'integer' ? Number.isInteger(content) : typeof content === type;
    if (!fits) throw new ProviderRefused(`key ${subject.keyId}: params.${name} must be of type ${type}`);
  }
}

function traitsOf(spec: Spec, durations: NonNullable<HttpProviderOptions['durations']>): ProviderTraits {
  const { lifecycle, metadata, operations } = spec;
  const { require } = operations.probe;
  const ending = operations.disable;
  return {
    class: operations.create.idempotencyKey ? 'B' : 'C',
    maxLive: lifecycle.maxLive,
    countsDisabled: lifecycle.countsDisabled,
    disable: typeof ending === 'object' ? 'disable' : (ending ?? 'none'),
    labelled: operations.list.each.label !== undefined && JSON.stringify(operations.create.steps).includes('key.label'),
    activateSeconds: durations.activateSeconds ?? durationSeconds(lifecycle.propagation.activate) ?? 0,
    revokeSeconds: durations.revokeSeconds ?? durationSeconds(lifecycle.propagation.revoke) ?? 0,
    probe: {
      alive: require.alive,
      denied: require.denied,
      everySeconds: durations.everySeconds ?? require.everySeconds ?? durationSeconds(require.every ?? '') ?? 0,
    },
    ...(metadata.secretPattern && { secretPattern: metadata.secretPattern }),
  };
}
