import { isIP } from 'node:net';
import { checkOperation } from './check-operation.ts';
import { type Reach, whyNotAllowed } from './egress.ts';
import { whyNotLinear } from './linear-regex.ts';
import type { Scheme, Spec } from './spec.ts';
import { parseTemplate, renderText, slotsOf } from './template.ts';

/** One thing that is wrong in a spec: where (`key` names a field of the object at `path`), and what to do. */
export interface Fault {
  readonly path: readonly (string | number)[];
  readonly key?: string;
  readonly message: string;
}

type Report = (path: readonly (string | number)[], message: string) => void;

/** What is wrong with a spec whose fields are all well formed. Empty when it may be used. */
export function checkSpec(spec: Spec, options: Reach): Fault[] {
  const faults: Fault[] = [];
  const report: Report = (path, message) => faults.push({ path, message });
  const reach: Reach = { ...options, allowLoopback: options.allowLoopback && spec.metadata.localOnly === true };
  if (spec.metadata.localOnly && !options.allowLoopback) report(['metadata', 'localOnly'], 'this spec runs on a laptop only');
  checkPatterns(spec, report);
  checkHosts(spec, reach, report);
  checkInputs(spec, report);
  for (const name of ['admin', 'subject'] as const) checkScheme(spec, name, spec.auth[name], report);
  checkProbe(spec, report);
  checkEnding(spec, report);
  for (const [path, text] of strings(spec.errors ?? [], ['errors']))
    if (text.includes('{{')) report(path, 'an error rule has no templates');
  for (const name of ['create', 'list', 'probe', 'disable', 'delete', 'lastUsed'] as const) checkOperation(spec, name, reach, report);
  return faults;
}

function checkPatterns(spec: Spec, report: Report): void {
  const pattern = spec.metadata.secretPattern;
  const unsafe = pattern === undefined ? undefined : whyNotLinear(pattern);
  if (unsafe) report(['metadata', 'secretPattern'], `the pattern ${unsafe}`);
  const fake = parseTemplate(spec.lifecycle.fake);
  if ('fault' in fake) {
    report(['lifecycle', 'fake'], fake.fault);
    return;
  }
  const slots = slotsOf(spec.lifecycle.fake);
  if (!slots.length || slots.some(({ name }) => name !== 'random')) {
    report(['lifecycle', 'fake'], 'must contain {{random}} and no other name');
    return;
  }
  if (pattern === undefined || unsafe) return;
  const shape = new RegExp(pattern);
  const sample = renderText(spec.lifecycle.fake, () => '0123456789abcdef'.repeat(2));
  if (!shape.test(sample)) report(['lifecycle', 'fake'], 'does not have the shape that secretPattern describes');
  if (['GET', 'admin', 'https', 'Provider', 'a'].some((word) => shape.test(word)))
    report(['metadata', 'secretPattern'], 'matches ordinary words');
}

function checkHosts(spec: Spec, reach: Reach, report: Report): void {
  spec.egress.forEach((host, index) => {
    const path = ['egress', index];
    if (reach.allowLoopback && ['127.0.0.1', '::1', 'localhost'].includes(host)) return;
    if (isIP(host) && reach.privateHosts?.some((listed) => listed.replace(/:\d+$/, '').replace(/^\[|\]$/g, '') === host)) return;
    const url = URL.parse(`https://${host}/`);
    const bare = url?.hostname.replace(/^\[|\]$/g, '');
    if (bare && isIP(bare)) report(path, 'a host may not be an IP address, unless privateHosts of settings.yaml lists it with its port');
    else if (bare !== host || !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host))
      report(path, 'must be one exact host name in lower case, without scheme, port or path');
  });
  if (!spec.base) return;
  const url = URL.parse(spec.base.default);
  const fault =
    !url || url.origin !== spec.base.default
      ? 'must be an origin only, like https://api.example.com'
      : whyNotAllowed(url, { hosts: spec.egress, ...reach });
  if (fault) report(['base', 'default'], fault);
  const override = spec.base.override;
  const param = override?.replace(/^params\./, '');
  if (override !== undefined && (param === override || !param || !Object.hasOwn(spec.inputs.params.properties, param)))
    report(['base', 'override'], 'must name a declared parameter, like params.baseUrl');
}

function checkInputs(spec: Spec, report: Report): void {
  for (const group of ['params', 'admin'] as const) {
    const { properties, required = [] } = spec.inputs[group];
    required.forEach((name, index) => {
      if (!Object.hasOwn(properties, name)) report(['inputs', group, 'required', index], 'is not among the properties');
    });
  }
}

function checkScheme(spec: Spec, name: 'admin' | 'subject', scheme: Scheme, report: Report): void {
  for (const [path, template] of strings(scheme, ['auth', name])) {
    if (path.at(-1) === 'scheme') continue;
    const parsed = parseTemplate(template);
    if ('fault' in parsed) {
      report(path, parsed.fault);
      continue;
    }
    for (const slot of slotsOf(template)) {
      const [group, field = ''] = slot.name.split('.');
      const secret =
        slot.name === 'key.secret' ? name === 'subject' : group === 'admin' && Object.hasOwn(spec.inputs.admin.properties, field);
      const known = secret || (group === 'params' && Object.hasOwn(spec.inputs.params.properties, field));
      if (!known) report(path, 'names a variable that does not exist here');
      else if (secret && scheme.scheme === 'query') report(path, 'a secret may not stand in a URL or query: they are logged everywhere');
    }
  }
}

function checkProbe(spec: Spec, report: Report): void {
  const { verdict, identity, require } = spec.operations.probe;
  const path = ['operations', 'probe'];
  if ((require.every === undefined) === (require.everySeconds === undefined))
    report([...path, 'require'], 'needs exactly one of every (ISO 8601) and everySeconds');
  verdict.alive.forEach((rule, index) => {
    if (!identity && !rule.equals && !rule.in)
      report(
        [...path, 'verdict', 'alive', index],
        'a bare status proves nothing: add probe.identity, or equals or in, to show that the answer is the vendor’s',
      );
    unusable(rule.status, [...path, 'verdict', 'alive', index, 'status'], report);
  });
  verdict.denied.forEach((rule, index) => {
    const body = rule.equals ?? rule.in ?? rule.bodyContains ?? rule.present;
    if (!body && (rule.status ?? [200]).some((status) => status < 400))
      report([...path, 'verdict', 'denied', index], 'denied needs a refusing status (4xx) or a look at the body');
    unusable(rule.status, [...path, 'verdict', 'denied', index, 'status'], report);
  });
}

function unusable(status: readonly number[] | undefined, path: readonly (string | number)[], report: Report): void {
  if (status?.some((code) => code === 408 || code === 429 || code >= 500 || (code >= 300 && code < 400)))
    report(path, 'redirects, 408, 429 and 5xx say nothing about a key: they are always inconclusive');
}

function checkEnding(spec: Spec, report: Report): void {
  const { disable, delete: remove } = spec.operations;
  if (disable === undefined)
    report(
      ['operations'],
      'disable is missing: give its steps, or `disable: delete`, or `disable: none` for a vendor whose keys Rekey can rotate but not revoke',
    );
  else if (disable === 'none' && remove) report(['operations', 'disable'], 'the vendor can delete: say `disable: delete`');
  else if (disable !== 'none' && !remove) report(['operations'], 'delete is missing');
}

function* strings(node: unknown, path: readonly (string | number)[]): Generator<[readonly (string | number)[], string]> {
  if (typeof node === 'string') yield [path, node];
  else if (typeof node === 'object' && node !== null)
    for (const [name, inner] of Object.entries(node)) yield* strings(inner, [...path, name]);
}
