import { type Reach, whyNotAllowed } from './egress.ts';
import type { Condition, Spec, Step, Who } from './spec.ts';
import { parseTemplate, slotsOf } from './template.ts';

type OperationName = keyof Spec['operations'];
type Path = readonly (string | number)[];
type Report = (path: Path, message: string) => void;
type Operation = Extract<Spec['operations'][OperationName], { steps: unknown }>;

/** What `{{key.…}}` means in each operation, and the other names that only some of them have. */
function ownNames({ lifecycle }: Spec, name: OperationName): readonly string[] {
  const parts = (lifecycle.value?.parts ?? []).map((part) => `value.${part}`);
  if (name === 'create')
    return ['key.label', ...(lifecycle.supplied ? ['key.secret'] : []), ...(lifecycle.pattern === 'grace' ? ['overlap.until'] : [])];
  if (name === 'list') return [];
  return name === 'probe' || name === 'endByValue' ? ['key.secret', ...parts] : ['key.credentialId'];
}

/** What a template may name, and which of it is secret. */
export interface Names {
  readonly known: ReadonlySet<string>;
  readonly secret: ReadonlySet<string>;
}

/** Reports every template, URL and step of one operation that may not be used. An operation that the spec leaves out is fine here. */
export function checkOperation(spec: Spec, name: OperationName, reach: Reach, report: Report): void {
  const operation = spec.operations[name];
  if (typeof operation !== 'object') return;
  const path = ['operations', name];
  const known = new Set<string>([...ownNames(spec, name), 'now', ...(spec.base ? ['base'] : [])]);
  const id = spec.lifecycle.value?.credentialId;
  const parts = (spec.lifecycle.value?.parts ?? []).filter((part) => part !== id);
  const secret = new Set<string>(['key.secret', ...parts.map((part) => `value.${part}`)]);
  for (const param of Object.keys(spec.inputs.params.properties)) known.add(`params.${param}`);
  const uses = name === 'probe' ? (spec.operations.probe.uses ?? []) : Object.keys(spec.inputs.admin.properties);
  for (const field of Object.keys(spec.inputs.admin.properties)) secret.add(`admin.${field}`);
  for (const [index, field] of uses.entries())
    if (Object.hasOwn(spec.inputs.admin.properties, field)) known.add(`admin.${field}`);
    else report([...path, 'uses', index], 'is not a field of the admin credential');
  const names: Names = { known, secret };
  const ids = new Set<string>(['base', 'key', 'params', 'admin', 'now', 'random', 'value', 'overlap']);
  operation.steps.forEach((step, index) => {
    const at = [...path, 'steps', index];
    if (ids.has(step.id)) report([...at, 'id'], 'is taken');
    checkCircumstances(name, step, index === operation.steps.length - 1, ids, names, at, report);
    ids.add(step.id);
    checkWho(name, step.auth ?? operation.auth, [...at, ...(step.auth ? ['auth'] : [])], report);
    if (!step.expect && !(name === 'probe' && index === operation.steps.length - 1))
      report(at, 'expect is missing: say which status is success');
    checkRequest(spec, step, at, names, reach, report);
    checkCondition(step.expect, [...at, 'expect'], names, report);
    for (const [output, { sensitive, of }] of Object.entries(step.outputs ?? {})) {
      checkTemplates(of?.where, [...at, 'outputs', output, 'of', 'where'], names, 'open', report);
      known.add(`${step.id}.${output}`);
      if (sensitive) secret.add(`${step.id}.${output}`);
    }
  });
  checkResult(spec, name, operation, names, report);
}

/** When a step is made, and what it means that it was not answered as expected. */
function checkCircumstances(
  name: OperationName,
  { onlyIf, control, expect }: Step,
  last: boolean,
  ids: ReadonlySet<string>,
  names: Names,
  at: Path,
  report: Report,
): void {
  if (control && (name !== 'probe' || last || !expect))
    report([...at, 'control'], 'a control is a step of a probe, before its last, that says what it expects');
  if (!onlyIf) return;
  if (name === 'probe' && last) report([...at, 'onlyIf'], 'the last step of a probe is always made');
  if ('same' in onlyIf) {
    checkTemplates(onlyIf.same, [...at, 'onlyIf', 'same'], names, 'open', report);
    return;
  }
  if (!ids.has(onlyIf.step)) report([...at, 'onlyIf', 'step'], 'must name an earlier step');
  checkCondition(onlyIf.answer, [...at, 'onlyIf', 'answer'], names, report);
}

function checkWho(name: OperationName, who: Who, path: Path, report: Report): void {
  if (who === 'subject' && name !== 'probe') report(path, 'only a probe uses the key itself');
  if (who === 'admin' && name === 'endByValue') report(path, 'ending by value needs no admin credential');
  if (who === 'admin' && name === 'probe') report(path, 'a probe uses the key itself, not the admin credential');
}

function checkRequest(spec: Spec, step: Step, path: Path, names: Names, reach: Reach, report: Report): void {
  const { url, headers, query, json, form } = step.request;
  const at = [...path, 'request'];
  checkUrl(spec, url, [...at, 'url'], names, reach, report);
  checkTemplates(query, [...at, 'query'], names, 'open', report);
  checkTemplates(headers, [...at, 'headers'], names, 'closed', report);
  checkTemplates(json, [...at, 'json'], names, 'closed', report);
  checkTemplates(form, [...at, 'form'], names, 'closed', report);
  if (json !== undefined && form) report(at, 'has both json and form');
  if ((json !== undefined || form) && step.request.method === 'GET') report(at, 'a GET has no body');
  if (
    Object.keys(headers ?? {}).some(
      (header) => !/^[A-Za-z][\w-]*$/.test(header) || /^(host|content-length|transfer-encoding|connection)$/i.test(header),
    )
  )
    report([...at, 'headers'], 'has a header that may not be set');
}

/** Reports a URL that is not one of the hosts in the egress list, or that has an unencoded part or a secret in it. */
export function checkUrl(spec: Spec, url: string, path: Path, names: Names, reach: Reach, report: Report): void {
  checkTemplate(url, path, names, 'open', report);
  if ('fault' in parseTemplate(url)) return;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not get through
  if (/[\\\s\x00-\x1f]/.test(url.replace(/\{\{[^}]*\}\}/g, ''))) {
    report(path, 'a URL may not contain spaces or backslashes');
    return;
  }
  if (/[?#]/.test(url)) {
    report(path, 'put the query under query; a URL has no fragment');
    return;
  }
  const rest = url.startsWith('{{base}}') ? url.slice('{{base}}'.length) : url.replace(/^[a-z]+:\/\/[^/]*/i, '');
  const origin = url.slice(0, url.length - rest.length);
  if (!rest.startsWith('/') || (origin !== '{{base}}' && origin.includes('{{'))) {
    report(path, 'must begin with {{base}}/ or https://host/; the host is never a template');
    return;
  }
  for (const slot of slotsOf(rest))
    if (slot.filters.at(-1)?.name !== 'uri') report(path, `${slot.name} needs the filter uri: {{${slot.name}|uri}}`);
  if (origin === '{{base}}') return;
  const parsed = URL.parse(origin);
  const fault = parsed ? whyNotAllowed(parsed, { hosts: spec.egress, ...reach }) : 'is not a URL';
  if (fault) report(path, fault);
}

/** Checks every string in a document of templates. `open`: a URL, a query or a comparison, where no secret may stand. */
function checkTemplates(node: unknown, path: Path, names: Names, kind: 'open' | 'closed', report: Report): void {
  if (typeof node === 'string') checkTemplate(node, path, names, kind, report);
  else if (Array.isArray(node)) for (const [index, inner] of node.entries()) checkTemplates(inner, [...path, index], names, kind, report);
  else if (typeof node === 'object' && node !== null)
    for (const [name, inner] of Object.entries(node)) checkTemplates(inner, [...path, name], names, kind, report);
}

function checkTemplate(template: string, path: Path, names: Names, kind: 'open' | 'closed', report: Report): void {
  const parsed = parseTemplate(template);
  if ('fault' in parsed) {
    report(path, parsed.fault);
    return;
  }
  for (const slot of slotsOf(template)) {
    if (kind === 'open' && names.secret.has(slot.name))
      report(path, 'a secret may not stand in a URL, a query or a comparison: they are logged everywhere');
    else if (!names.known.has(slot.name))
      report(path, `names a variable that does not exist here; known are ${[...names.known].join(', ')}`);
  }
}

function checkCondition(condition: Partial<Condition> | undefined, path: Path, names: Names, report: Report): void {
  checkTemplates(condition?.equals, [...path, 'equals'], names, 'open', report);
  checkTemplates(condition?.in, [...path, 'in'], names, 'open', report);
}

function checkResult(spec: Spec, name: OperationName, operation: Operation, names: Names, report: Report): void {
  const path = ['operations', name];
  if ('credentialId' in operation) {
    checkTemplate(operation.credentialId, [...path, 'credentialId'], names, 'open', report);
    checkValue(name === 'create' && spec.lifecycle.supplied !== undefined, operation.value, [...path, 'value'], names, report);
  }
  if ('verdict' in operation) {
    for (const verdict of ['alive', 'denied'] as const)
      for (const [index, rule] of operation.verdict[verdict].entries())
        checkCondition(rule, [...path, 'verdict', verdict, index], names, report);
    checkTemplates(operation.identity?.equals, [...path, 'identity', 'equals'], names, 'open', report);
  }
  if ('items' in operation) {
    checkTemplates(operation.where, [...path, 'where'], names, 'open', report);
    if (operation.steps.at(-1)?.request.method !== 'GET' && operation.page !== 'none')
      report([...path, 'steps'], 'a list of several pages is read with GET');
  }
}

function checkValue(supplied: boolean, value: string | undefined, path: Path, names: Names, report: Report): void {
  if (supplied) {
    if (value !== undefined) report(path, 'is what Rekey supplied: leave it out');
    return;
  }
  if (value === undefined) {
    report(path, 'is missing');
    return;
  }
  checkTemplate(value, path, names, 'closed', report);
  if (!slotsOf(value).some((slot) => names.secret.has(slot.name)))
    report(path, 'must come from an output of a step that says `sensitive: true`');
}
