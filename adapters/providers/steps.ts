import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Value } from '../../core/value.ts';
import { digestOf } from './digest.ts';
import type { Answer, Outgoing } from './egress.ts';
import { failure } from './failure.ts';
import { at } from './pointer.ts';
import type { Scheme, Spec, Step, Who } from './spec.ts';
import { render, renderDeep, renderFields, renderText, type Scope } from './template.ts';
import { holds } from './verdict.ts';

type Output = NonNullable<Step['outputs']>[string];

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
  const answers = new Map<string, Answer>();
  const scope: Scope = (name) => (outputs.has(name) ? outputs.get(name) : run.scope(name));
  let outcome: Outcome | undefined;
  let changed = false;
  for (const step of steps) {
    const wanted = isWanted(step, answers, scope);
    // What is not the same is not there any more, or never was.
    if (wanted === 'gone' && outcome) outcome = { ...outcome, gone: true };
    if (wanted !== true) continue;
    const answer = await run.send(await toRequest(run, step, scope), run.signal);
    answers.set(step.id, answer);
    const gone = step.expect?.treatAsDone?.includes(answer.status) ?? false;
    outcome = { answer, gone, scope };
    if (gone && step.outputs) return outcome;
    // A probe is judged by the answer that ended it: a refused sign-in is a verdict too. A control says nothing about the key.
    if (run.operation === 'probe' && step.expect && !step.control && !holds(step.expect, answer, scope)) return outcome;
    if (!gone) {
      expectAnswer(run, step, answer, scope, changed);
      for (const [name, output] of Object.entries(step.outputs ?? {}))
        outputs.set(`${step.id}.${name}`, outputOf(run, step, answer, name, output, scope));
    }
    changed ||= step.request.method !== 'GET';
  }
  return outcome ?? { answer: nothing, gone: true, scope };
}

/** The answer where no step had to be made. */
const nothing: Answer = { status: 204, headers: {}, text: '', json: undefined };

function isWanted({ onlyIf }: Step, answers: ReadonlyMap<string, Answer>, scope: Scope): boolean | 'gone' {
  if (!onlyIf) return true;
  if ('same' in onlyIf) {
    const [one, other] = onlyIf.same.map((template) => String(render(template, scope)));
    return one === other || 'gone';
  }
  const answer = answers.get(onlyIf.step);
  return answer !== undefined && holds(onlyIf.answer, answer, scope);
}

/** The request of a step, filled. Throws ProviderRefused when the spec cannot be filled with what is given. */
export async function toRequest(run: Run, step: Step, scope: Scope): Promise<Outgoing> {
  const { method, url, query, json, form } = step.request;
  const target = URL.parse(renderText(url, scope));
  if (!target) throw new ProviderRefused(`${run.spec.metadata.id} ${run.operation} (${step.id}): the filled URL is not one`);
  const auth = await authOf(run, step.auth ?? run.auth, scope);
  for (const [name, content] of renderFields({ ...query, ...auth.query }, scope)) target.searchParams.set(name, content);
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'rekey', ...run.headers };
  for (const [name, content] of renderFields(step.request.headers ?? {}, scope)) headers[name.toLowerCase()] = content;
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
  const body = new URLSearchParams(renderFields(form, scope)).toString();
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

function outputOf(run: Run, step: Step, answer: Answer, name: string, { pointer, of, digest, optional }: Output, scope: Scope): unknown {
  const entries = of ? at(answer.json, of.in) : undefined;
  const fits = (entry: unknown) =>
    Object.entries(of?.where ?? {}).every(
      ([path, wanted]) => at(entry, path) === (typeof wanted === 'string' ? render(wanted, scope) : wanted),
    );
  const found = at(of ? (Array.isArray(entries) ? entries.find(fits) : undefined) : answer.json, pointer);
  if (found !== undefined && found !== null && found !== '') return digest ? digestOf(String(found)) : found;
  if (optional) return undefined;
  throw new ProviderUnavailable(
    `${run.spec.metadata.id} ${run.operation} (${step.id}): status ${answer.status} without ${name}; whether it took effect is unknown`,
  );
}

function originOf(run: Run, step: Step) {
  return { provider: run.spec.metadata.id, operation: run.operation, step: step.id };
}

type Auth = { headers: Record<string, string>; query: Record<string, string> };

async function authOf(run: Run, who: Who, scope: Scope): Promise<Auth> {
  const scheme: Scheme | undefined = who === 'none' ? { scheme: 'none' } : run.spec.auth[who];
  if (!scheme) throw new ProviderRefused(`${run.spec.metadata.id} has no auth.${who}`);
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
    case 'oauth2ClientCredentials':
      headers.authorization = `Bearer ${await accessToken(run, scheme, scope)}`;
      break;
    case 'none':
      break;
  }
  return { headers, query: {} };
}

/** RFC 6749 §4.4: the token of this one request, asked for with the client's id and secret in the body. It is kept nowhere. */
async function accessToken(run: Run, scheme: Extract<Scheme, { scheme: 'oauth2ClientCredentials' }>, scope: Scope): Promise<string> {
  const url = URL.parse(renderText(scheme.tokenUrl, scope));
  if (!url) throw new ProviderRefused(`${run.spec.metadata.id}: the filled tokenUrl is not one`);
  const fields: [string, string][] = [
    ['grant_type', 'client_credentials'],
    ['client_id', renderText(scheme.clientId, scope)],
    ['client_secret', renderText(scheme.clientSecret, scope)],
  ];
  if (scheme.scope) fields.push(['scope', renderText(scheme.scope, scope)]);
  const headers = { accept: 'application/json', 'user-agent': 'rekey', 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await run.send({ method: 'POST', url, headers, body: new URLSearchParams(fields).toString() }, run.signal);
  const token = answer.status === 200 ? at(answer.json, '/access_token') : undefined;
  if (typeof token === 'string' && token !== '') return token;
  const what = `${run.spec.metadata.id} ${run.operation}: the sign-in of the admin credential was answered ${answer.status}`;
  // Nothing was asked of the vendor yet: only "try again" and "no" are left.
  throw answer.status === 400 || answer.status === 401 || answer.status === 403 ? new ProviderRefused(what) : new ProviderUnavailable(what);
}

/** Names of a declared group, each with its content; a name that is not declared has none. */
export function group(prefix: string, content: Readonly<Record<string, unknown | Value>>): Scope {
  return (name) => {
    const field = name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : undefined;
    return field !== undefined && Object.hasOwn(content, field) ? content[field] : undefined;
  };
}
