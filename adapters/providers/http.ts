import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Provider, Subject } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { digestOf } from './digest.ts';
import { type Answer, type EgressOptions, egress, type Outgoing } from './egress.ts';
import { listPages } from './list-pages.ts';
import { at } from './pointer.ts';
import type { Spec, Step, Who } from './spec.ts';
import { aboutOf, type Durations, traitsOf } from './spec-traits.ts';
import { group, type Outcome, type Run, runSteps } from './steps.ts';
import { renderText, type Scope } from './template.ts';
import { instantOf } from './timestamp.ts';
import { partsOf } from './value-parts.ts';
import { judge } from './verdict.ts';

export interface HttpProviderOptions extends Pick<EgressOptions, 'privateHosts' | 'authorities' | 'resolve'> {
  readonly spec: Spec;
  /** The fields of an account's admin credential, read from the secret store at each call. */
  readonly admin: (account: string) => Promise<Readonly<Record<string, Value>>>;
  /** Every operation, with all its steps and pages, ends within this. */
  readonly callSeconds: number;
  /** Plain HTTP to this machine; only the local and test composition roots say so. */
  readonly allowLoopback?: boolean;
  /** Other places on this machine that play the part of an origin of the spec, by that origin. Only where loopback is allowed. */
  readonly origins?: Readonly<Record<string, string>>;
  /** Answers in the vendor's place: the fixtures of a spec. */
  readonly send?: (outgoing: Outgoing, signal: AbortSignal) => Promise<Answer>;
  /** Replaces the spec's propagation budgets and probe pace, in seconds. */
  readonly durations?: Durations;
  /** Milliseconds since 1970; the templates' `now`. */
  readonly now?: () => number;
}

/** A provider that does what a declarative spec says. It keeps no state and never repeats a call. */
export function httpProvider(options: HttpProviderOptions): Provider {
  const { spec } = options;
  const { create, list, read, probe, disable, endByValue, lastUsed } = spec.operations;
  const name = spec.metadata.id;
  const { supplied, value: composed, pattern } = spec.lifecycle;
  const shape = spec.metadata.secretPattern === undefined ? undefined : new RegExp(spec.metadata.secretPattern);
  const remove = spec.operations.delete;
  const runOf = preparer(options);

  const end = async (
    operation: string,
    ending: { auth: Who; steps: readonly Step[] } | undefined,
    subject: Subject,
    key: Readonly<Record<string, unknown>>,
  ) => {
    if (!ending)
      throw new ProviderRefused(
        `${name} cannot ${operation}: ${pattern === 'revokeOnly' ? 'only a value can be ended there' : 'this provider is rotate-only'}`,
      );
    const run = await runOf(operation, ending.auth, subject, key);
    return (await runSteps(run, ending.steps)).gone;
  };
  const leakForms = (value: Value): Value[] => {
    const parts = partsOf(composed, value);
    return [value, ...(composed?.leaks ?? []).flatMap((part) => parts[`value.${part}`] ?? [])];
  };
  const listed = async (subject: Subject) => (list ? listPages(await runOf('list', list.auth, subject, {}), list) : []);
  const find = async (subject: Subject, value: Value) =>
    (await listed(subject)).find((credential) => credential.value?.equals(value))?.credentialId;

  return {
    name,
    traits: traitsOf(spec, options.durations ?? {}),
    about: aboutOf(spec),

    async create(subject, label, minting = {}) {
      if (!create) throw new ProviderRefused(`${name} cannot create: its keys are made by hand`);
      const { value, oldUntil } = minting;
      if (supplied && !value) throw new ProviderRefused(`${name} creates what it is given, and was given no value`);
      const before = supplied && value && list?.each.value ? await find(subject, value) : undefined;
      if (before !== undefined && value) return { credentialId: before, value };
      const key = {
        'key.label': label,
        ...(supplied && { 'key.secret': value }),
        ...(oldUntil !== undefined && { 'overlap.until': oldUntil }),
      };
      const run = await runOf('create', create.auth, subject, key);
      const headers = create.idempotencyKey ? { headers: { [create.idempotencyKey.toLowerCase()]: label } } : {};
      const { scope } = await runSteps({ ...run, ...headers }, create.steps);
      const made = create.value === undefined ? value : new Value(renderText(create.value, scope));
      if (!made) throw new ProviderRefused(`${name} create: the spec does not say where the value is`);
      const credentialId = renderText(create.credentialId, scope);
      // An id goes to the inventory, to logs and to people.
      if (leakForms(made).some((form) => credentialId.includes(form.reveal())))
        throw new ProviderUnavailable(
          `${name} create: the vendor gave the value, or its secret part, as its id; the answer is not believed`,
        );
      return { credentialId, value: made };
    },

    ...(supplied && {
      draw: (random: string) => new Value(renderText(supplied, (slot) => (slot === 'random' ? random : undefined))),
      ...(list?.each.value && { find }),
    }),

    list: async (subject) => (await listed(subject)).map(({ value: _value, ...credential }) => credential),

    ...(read && {
      async read(subject: Subject, credentialId: string) {
        const { scope } = await runSteps(await runOf('read', read.auth, subject, { 'key.credentialId': credentialId }), read.steps);
        return renderText(read.credentialId, scope) === credentialId ? new Value(renderText(read.value, scope)) : undefined;
      },
    }),

    async probe(subject, value) {
      let outcome: Outcome;
      try {
        const run = await runOf('probe', probe.auth, subject, { 'key.secret': value, ...partsOf(composed, value) });
        // The last step's answer is judged, not expected.
        const last = probe.steps.at(-1);
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
      return (await end('disable', ending, subject, { 'key.credentialId': credentialId })) ? 'gone' : 'disabled';
    },

    delete: async (subject, credentialId) =>
      (await end('delete', remove, subject, { 'key.credentialId': credentialId })) ? 'gone' : 'deleted',

    ...(endByValue && {
      async endByValue(value: Value) {
        const nobody: Subject = { keyId: '', account: 'default', params: {} };
        await end('endByValue', endByValue, nobody, { 'key.secret': value, ...partsOf(composed, value) });
      },
    }),

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

    ...(typeof list?.each.credentialId === 'object' && {
      credentialIdOf: (value: Value) => (shape?.test(value.reveal()) ? digestOf(value.reveal()) : undefined),
    }),

    ...(composed && {
      leakForms,
      ...(composed.credentialId !== undefined && {
        credentialIdOf: (value: Value) => partsOf(composed, value)[`value.${composed.credentialId}`]?.reveal(),
      }),
    }),
  };
}

/** Prepares the run of one operation: parameters checked, admin credential read, deadline set. */
function preparer(options: HttpProviderOptions) {
  const { spec, callSeconds } = options;
  const send = options.send ?? sender(options);
  return async (operation: string, auth: Who, subject: Subject, key: Readonly<Record<string, unknown>>): Promise<Run> => {
    const signal = AbortSignal.timeout(callSeconds * 1000);
    if (operation !== 'endByValue') checkParams(spec, subject);
    const uses = operation === 'probe' ? (spec.operations.probe.uses ?? []) : (spec.inputs.admin.required ?? []);
    const needless = operation === 'probe' ? uses.length === 0 : operation === 'endByValue' && auth === 'none';
    const admin = needless ? {} : await options.admin(subject.account);
    for (const field of needless ? [] : uses)
      if (!Object.hasOwn(admin, field))
        throw new ProviderRefused(`the admin credential ${subject.account} of ${spec.metadata.id} has no field ${field}`);
    const base = baseOf(options, subject, admin);
    const now = new Date((options.now ?? Date.now)());
    const groups = [group('params', subject.params), group('admin', operation === 'probe' ? pick(admin, uses) : admin)];
    const scope: Scope = (slot) => {
      if (Object.hasOwn(key, slot)) return key[slot];
      if (slot === 'base') return base;
      if (slot === 'now') return now;
      return groups.map((look) => look(slot)).find((content) => content !== undefined);
    };
    return { spec, operation, auth, scope, signal, send };
  };
}

/** Sends to the vendor, or to what plays its part on this machine. */
function sender({ spec, allowLoopback = false, origins = {}, privateHosts, authorities, resolve }: HttpProviderOptions) {
  const played = allowLoopback ? Object.entries(origins) : [];
  const hosts = [...spec.egress, ...(spec.base?.bound ? (privateHosts ?? []).map((host) => host.replace(/:\d+$/, '')) : [])];
  const send = egress({
    hosts: [...hosts, ...played.flatMap(([, place]) => URL.parse(place)?.hostname ?? [])],
    allowLoopback,
    ...(privateHosts && { privateHosts }),
    ...(authorities !== undefined && { authorities }),
    ...(resolve && { resolve }),
  });
  return (outgoing: Outgoing, signal: AbortSignal) => {
    const place = played.find(([origin]) => origin === outgoing.url.origin)?.[1];
    if (place === undefined) return send(outgoing, signal);
    const url = new URL(`${place}${outgoing.url.pathname}${outgoing.url.search}`);
    return send({ ...outgoing, url }, signal);
  };
}

/**
 * The origin that `{{base}}` stands for. Where the spec binds it, the admin credential goes only where it says itself that it may: the
 * parameter of a key's file must not be able to send it elsewhere.
 */
function baseOf({ spec }: HttpProviderOptions, subject: Subject, admin: Readonly<Record<string, Value>>) {
  const field = (name: string | undefined) => name?.replace(/^\w+\./, '') ?? '';
  const { override, bound } = spec.base ?? {};
  const own = override !== undefined && Object.hasOwn(subject.params, field(override)) ? subject.params[field(override)] : undefined;
  const base = String(own ?? spec.base?.default ?? '').replace(/\/$/, '');
  if (own !== undefined && bound !== undefined && Object.keys(admin).length) {
    const said = admin[field(bound)];
    if (!said?.equals(new Value(base)))
      throw new ProviderRefused(
        `the admin credential ${subject.account} of ${spec.metadata.id} is not for ${override}: its field ${field(bound)} says another origin`,
      );
  }
  if (own !== undefined && URL.parse(base)?.origin !== base)
    throw new ProviderRefused(`${override} must be an origin only, like https://api.example.com`);
  return base === '' ? undefined : base;
}

function pick(fields: Readonly<Record<string, Value>>, names: readonly string[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(names.flatMap((name) => (fields[name] ? [[name, fields[name]] as const] : [])));
}

function checkParams(spec: Spec, subject: Subject): void {
  const { properties, required = [] } = spec.inputs.params;
  for (const name of required)
    if (!Object.hasOwn(subject.params, name)) throw new ProviderRefused(`key ${subject.keyId}: ${spec.metadata.id} needs params.${name}`);
  for (const [name, content] of Object.entries(subject.params)) {
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
    if (!type) throw new ProviderRefused(`key ${subject.keyId}: ${spec.metadata.id} has no params.${name}`);
    if (!isOf(type, content)) throw new ProviderRefused(`key ${subject.keyId}: params.${name} must be of type ${type}`);
  }
}

function isOf(type: string, content: unknown): boolean {
  if (type === 'array') return Array.isArray(content);
  if (type === 'object') return typeof content === 'object' && content !== null && !Array.isArray(content);
  return type === 'integer' ? Number.isInteger(content) : typeof content === type;
}
