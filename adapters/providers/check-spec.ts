import { isIP } from 'node:net';
import { checkOperation, checkUrl } from './check-operation.ts';
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
  for (const name of ['admin', 'subject'] as const) {
    const scheme = spec.auth[name];
    if (scheme) checkScheme(spec, name, scheme, reach, report);
  }
  checkProbe(spec, report);
  checkLifecycle(spec, report);
  checkFacts(spec, report);
  for (const [path, text] of strings(spec.errors ?? [], ['errors']))
    if (text.includes('{{')) report(path, 'an error rule has no templates');
  for (const name of ['create', 'list', 'read', 'probe', 'disable', 'delete', 'endByValue', 'lastUsed'] as const)
    checkOperation(spec, name, reach, report);
  return faults;
}

function checkPatterns(spec: Spec, report: Report): void {
  const pattern = spec.metadata.secretPattern;
  const unsafe = pattern === undefined ? undefined : whyNotLinear(pattern);
  if (unsafe) report(['metadata', 'secretPattern'], `the pattern ${unsafe}`);
  else if (pattern !== undefined && !/^\^.*\$$/.test(pattern))
    report(['metadata', 'secretPattern'], 'must describe a whole value, from ^ to $');
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
  else if (!spec.metadata.commonShape && idsOfOthers.some((id) => shape.test(id)))
    report(['metadata', 'secretPattern'], 'has the shape of ids and hashes too: say commonShape: true');
}

/** Of a UUID, and of hashes of 128 to 512 bits in hex. */
const idsOfOthers: readonly string[] = ['0f8fad5b-d9cb-469f-a165-70867728950e', ...[8, 10, 16, 32].map((times) => '7d3b'.repeat(times))];

function checkHosts(spec: Spec, reach: Reach, report: Report): void {
  spec.egress.forEach((host, index) => {
    const path = ['egress', index];
    if (reach.allowLoopback && ['127.0.0.1', '::1', 'localhost'].includes(host)) return;
    if (isIP(host) && reach.privateHosts?.some((listed) => listed.replace(/:\d+$/, '').replace(/^\[|\]$/g, '') === host)) return;
    const url = URL.parse(`https://${host}/`);
    const bare = url?.hostname.replace(/^\[|\]$/g, '');
    if (bare && isIP(bare)) report(path, 'a host may not be an IP address, unless privateHosts of settings.yaml lists it with its port');
    else if (host.startsWith('*.') && !spec.base?.bound)
      report(path, 'hosts of a whole domain are allowed only where base.bound names the one that the admin credential is for');
    else if (bare !== host || !/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host))
      report(path, 'must be one exact host name in lower case, without scheme, port or path');
  });
  if (spec.base) checkBase(spec, spec.base, reach, report);
}

function checkBase(spec: Spec, base: NonNullable<Spec['base']>, reach: Reach, report: Report): void {
  const url = base.default === undefined ? undefined : URL.parse(base.default);
  const fault =
    base.default !== undefined &&
    (!url || url.origin !== base.default
      ? 'must be an origin only, like https://api.example.com'
      : whyNotAllowed(url, { hosts: spec.egress, ...reach }));
  if (fault) report(['base', 'default'], fault);
  const declared = (name: string | undefined, group: 'params' | 'admin') =>
    name === undefined
      ? undefined
      : name.startsWith(`${group}.`) && Object.hasOwn(spec.inputs[group].properties, name.slice(group.length + 1));
  if (declared(base.override, 'params') === false) report(['base', 'override'], 'must name a declared parameter, like params.baseUrl');
  if (declared(base.bound, 'admin') === false) report(['base', 'bound'], 'must name a field of the admin credential, like admin.baseUrl');
  if (base.bound !== undefined && base.override === undefined) report(['base', 'bound'], 'belongs to base.override');
  const param = base.override?.replace(/^params\./, '');
  if (base.default === undefined && !(param && spec.inputs.params.required?.includes(param)))
    report(['base'], 'needs a default, or an override that is a required parameter');
}

function checkInputs(spec: Spec, report: Report): void {
  for (const group of ['params', 'admin'] as const) {
    const { properties, required = [] } = spec.inputs[group];
    required.forEach((name, index) => {
      if (!Object.hasOwn(properties, name)) report(['inputs', group, 'required', index], 'is not among the properties');
    });
  }
}

function checkScheme(spec: Spec, name: 'admin' | 'subject', scheme: Scheme, reach: Reach, report: Report): void {
  if (scheme.scheme === 'oauth2ClientCredentials') {
    const known = [...Object.keys(spec.inputs.params.properties).map((param) => `params.${param}`), ...(spec.base ? ['base'] : [])];
    checkUrl(spec, scheme.tokenUrl, ['auth', name, 'tokenUrl'], { known: new Set(known), secret: new Set() }, reach, report);
  }
  for (const [path, template] of strings(scheme, ['auth', name])) {
    if (path.at(-1) === 'scheme' || path.at(-1) === 'tokenUrl') continue;
    const parsed = parseTemplate(template);
    if ('fault' in parsed) {
      report(path, parsed.fault);
      continue;
    }
    for (const slot of slotsOf(template)) {
      const [group, field = ''] = slot.name.split('.');
      const part = group === 'value' && name === 'subject' && (spec.lifecycle.value?.parts ?? []).includes(field);
      const secret =
        part || slot.name === 'key.secret' ? name === 'subject' : group === 'admin' && Object.hasOwn(spec.inputs.admin.properties, field);
      const known =
        secret ||
        (group === 'params' && Object.hasOwn(spec.inputs.params.properties, field)) ||
        (spec.base !== undefined && slot.name === 'base');
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
    if (!identity && !rule.equals && !rule.in && !rule.present)
      report(
        [...path, 'verdict', 'alive', index],
        'a bare status proves nothing: add probe.identity, or equals, in or present, to show that the answer is the vendor’s',
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

/** Which operations a vendor of this pattern must have. */
function checkLifecycle(spec: Spec, report: Report): void {
  const { pattern, maxLive, supplied, keepsOne, expiry, lives } = spec.lifecycle;
  const { create, list, disable, delete: remove, endByValue } = spec.operations;
  const at = ['lifecycle', 'pattern'];
  if (pattern === 'revokeOnly') {
    if (create || list || remove || typeof disable === 'object' || disable === 'delete')
      report(at, 'revokeOnly is for vendors where only a value can be ended: it has endByValue, probe and `disable: none`');
    if (!endByValue) report(['operations'], 'endByValue is missing');
    return;
  }
  for (const name of ['create', 'list'] as const) if (!spec.operations[name]) report(['operations'], `${name} is missing`);
  if (maxLive < 2 && pattern !== 'replace')
    report(['lifecycle', 'maxLive'], 'is less than the least allowed, 2: a vendor with one place at a time is of the pattern replace');
  if (pattern === 'grace' && !JSON.stringify(create?.steps ?? []).includes('overlap.until'))
    report(at, 'a vendor that ends the old key itself is told when: create must use {{overlap.until}}');
  if (keepsOne && typeof disable !== 'object') report(['lifecycle', 'keepsOne'], 'needs a disable that leaves a stand-in');
  if (expiry === 'required' && lives === undefined) report(['lifecycle', 'lives'], 'is missing: say what create asks for');
  if (supplied !== undefined) {
    const slots = slotsOf(supplied);
    if ('fault' in parseTemplate(supplied) || !slots.length || slots.some(({ name }) => name !== 'random'))
      report(['lifecycle', 'supplied'], 'must contain {{random}} and no other name');
    if (!JSON.stringify(create?.steps ?? []).includes('key.secret')) report(['lifecycle', 'supplied'], 'create must use {{key.secret}}');
  }
  checkEnding(spec, report);
}

/** Every operation, and what is true whatever is done, has a line that says where it was read. */
function checkFacts(spec: Spec, report: Report): void {
  const { facts, secretPattern } = spec.metadata;
  const about = new Set(facts.flatMap((fact) => fact.about));
  const needed = [
    ...Object.entries(spec.operations).flatMap(([name, operation]) => (typeof operation === 'object' ? [name] : [])),
    ...(spec.lifecycle.pattern === 'revokeOnly' ? [] : ['limit']),
    'propagation',
    ...(secretPattern === undefined ? [] : ['shape']),
    ...(spec.lifecycle.expiry === 'none' ? [] : ['expiry']),
  ];
  const missing = needed.filter((name) => !about.has(name as (typeof facts)[number]['about'][number]));
  if (missing.length) report(['metadata', 'facts'], `nothing says where this was read: ${missing.join(', ')}`);
  facts.forEach((fact, index) => {
    if (fact.is !== 'unverified' && !fact.source)
      report(['metadata', 'facts', index], 'needs a source: the address of the page, or what was observed');
    if (fact.source?.startsWith('http') && !URL.canParse(fact.source)) report(['metadata', 'facts', index, 'source'], 'is not an address');
  });
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
