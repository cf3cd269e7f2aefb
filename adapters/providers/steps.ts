import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Value } from '../../core/value.ts';
import type { Answer, Outgoing } from './egress.ts';
import { failure } from './failure.ts';
import { at } from './pointer.ts';
import type { Scheme, Spec, Step, Who } from './spec.ts';
import { renderDeep, renderText, type Scope } from './template.ts';
import { holds } from './verdict.ts';

/** What one operation runs with. */
export interface Run {
  readonly spec: Spec;
  readonly operation: string;
  readonly auth: Who;
  readonly scope: Scope;
  readonly signal: AbortSignal;
  readonly send: (outgoing: Outgoing, signal: AbortSignal) => Promise<Answer>;
  /** Sent with every request: the idempotency key. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly answer: Answer;
  /** The last step was answered by a status that the spec treats as done: there was nothing left to do. */
  readonly gone: boolean;
  /** The scope with the outputs of every step. */
  readonly scope: Scope;
}

/**
 * Runs the steps in order. A step answered by `treatAsDone` counts as done; where later steps need its outputs, the
 * operation ends there. Throws the named error of the first answer that was not expected.
 */
export async function runSteps(run: Run, steps: readonly Step[]): Promise<Outcome> {
  const outputs = new Map<string, unknown>();
  const scope: Scope = (name) => (outputs.has(name) ? outputs.get(name) : run.scope(name));
  let outcome: Outcome | undefined;
  let changed = false;
  for (const step of steps) {
    const answer = await run.send(toRequest(run, step, scope), run.signal);
    const gone = step.expect?.treatAsDone?.includes(answer.status) ?? false;
    outcome = { answer, gone, scope };
    if (gone && step.outputs) return outcome;
    // A probe is judged by the answer that ended it: a refused sign-in is a verdict too.
    if (run.operation === 'probe' && step.expect && !holds(step.expect, answer, scope)) return outcome;
    if (!gone) {
      expectAnswer(run, step, answer, scope, changed);
      for (const [name, { pointer }] of Object.entries(step.outputs ?? {}))
        outputs.set(`${step.id}.${name}`, outputOf(run, step, answer, name, pointer));
    }
    changed ||= step.request.method !== 'GET';
  }
  if (!outcome) throw new ProviderRefused(`${run.spec.metadata.id} ${run.operation} has no steps`);
  return outcome;
}

/** The request of a step, filled. Throws ProviderRefused when the spec cannot be filled with what is given. */
export function toRequest(run: Run, step: Step, scope: Scope): Outgoing {
  const { method, url, query, json, form } = step.request;
  const target = URL.parse(renderText(url, scope));
  if (!target) throw new ProviderRefused(`${run.spec.metadata.id} ${run.operation} (${step.id}): the filled URL is not one`);
  const auth = authOf(run.spec, step.auth ?? run.auth, scope);
  for (const [name, template] of Object.entries({ ...query, ...auth.query })) target.searchParams.set(name, renderText(template, scope));
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'rekey', ...run.headers };
  for (const [name, template] of Object.entries(step.request.headers ?? {})) headers[name.toLowerCase()] = renderText(template, scope);
  Object.assign(headers, auth.headers);
  if (json !== undefined) {
    return {
      method,
      url: target,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(renderDeep(json, scope)),
    };
  }
  if (!form) return { method, url: target, headers };
  const fields = Object.entries(form).map(([name, template]): [string, string] => [name, renderText(template, scope)]);
  const body = new URLSearchParams(fields).toString();
  return { method, url: target, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body };
}

/** Throws the named error unless the answer is what the step expects. `changed`: an earlier step may have taken effect. */
export function expectAnswer(run: Run, step: Step, answer: Answer, scope: Scope, changed = false): void {
  if (!step.expect || holds(step.expect, answer, scope)) return;
  const error = failure(run.spec, answer, originOf(run, step), scope);
  // "Refused" promises that nothing happened; after a step that changed something only "unknown" is true.
  if (changed && run.operation === 'create' && !(error instanceof ProviderUnavailable)) throw new ProviderUnavailable(error.message);
  throw error;
}

function outputOf(run: Run, step: Step, answer: Answer, name: string, pointer: string): unknown {
  const found = at(answer.json, pointer);
  if (found !== undefined && found !== null && found !== '') return found;
  throw new ProviderUnavailable(
    `${run.spec.metadata.id} ${run.operation} (${step.id}): status ${answer.status} without ${name}; whether it took effect is unknown`,
  );
}

function originOf(run: Run, step: Step) {
  return { provider: run.spec.metadata.id, operation: run.operation, step: step.id };
}

function authOf(spec: Spec, who: Who, scope: Scope): { headers: Record<string, string>; query: Record<string, string> } {
  const scheme: Scheme = who === 'none' ? { scheme: 'none' } : spec.auth[who];
  const headers: Record<string, string> = {};
  switch (scheme.scheme) {
    case 'bearer':
      headers.authorization = `Bearer ${renderText(scheme.token, scope)}`;
      break;
    case 'basic':
      headers.authorization = `Basic ${Buffer.from(`${renderText(scheme.username, scope)}:${renderText(scheme.password, scope)}`).toString('base64')}`;
      break;
    case 'header':
      for (const [name, template] of Object.entries(scheme.headers)) headers[name.toLowerCase()] = renderText(template, scope);
      break;
    case 'query':
      return { headers, query: scheme.query };
    case 'none':
      break;
  }
  return { headers, query: {} };
}

/** Names of a declared group, each with its content; a name that is not declared has none. */
export function group(prefix: string, content: Readonly<Record<string, unknown | Value>>): Scope {
  return (name) => {
    const field = name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : undefined;
    return field !== undefined && Object.hasOwn(content, field) ? content[field] : undefined;
  };
}
