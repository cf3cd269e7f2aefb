import { isDeepStrictEqual } from 'node:util';
import { ProviderUnavailable } from '../../core/errors.ts';
import type { Subject } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import type { Answer, Outgoing } from './egress.ts';
import type { Fixture } from './fixture-format.ts';
import { httpProvider } from './http.ts';
import type { Spec } from './spec.ts';

/** What became of one fixture: `faults` is empty when the spec did what the fixture says. */
export interface FixtureRun {
  readonly name: string;
  readonly operation: Fixture['operation'];
  readonly faults: readonly string[];
}

/** Runs every fixture of a spec: the vendor's answers come from the fixture, and what is asked is compared with it. Nothing leaves this process. */
export async function runFixtures(spec: Spec): Promise<FixtureRun[]> {
  return Promise.all(
    (spec.fixtures ?? []).map(async (one) => ({ name: one.name, operation: one.operation, faults: await run(spec, one) })),
  );
}

/** What a spec's fixtures should show and do not: each operation, both verdicts of the probe, and what is gone already. */
export function missingFixtures({ operations, fixtures = [] }: Spec): string[] {
  const of = (operation: Fixture['operation'], shows = (_result: Fixture['result']): boolean => true) =>
    fixtures.some((one) => one.operation === operation && shows(one.result));
  const wanted: readonly [string, boolean, boolean][] = [
    ['a key is created', Boolean(operations.create), of('create', ({ credentialId }) => credentialId !== undefined)],
    ['the keys are listed', Boolean(operations.list), of('list')],
    ['a key is alive', true, of('probe', ({ verdict }) => verdict === 'alive')],
    ['a key is denied', true, of('probe', ({ verdict }) => verdict === 'denied')],
    ['an answer says nothing about a key', true, of('probe', ({ verdict }) => verdict === 'inconclusive')],
    ['a key is disabled', typeof operations.disable === 'object', of('disable', ({ answer }) => answer === 'disabled')],
    ['a key is deleted', Boolean(operations.delete), of('delete', ({ answer }) => answer === 'deleted')],
    ['a key that is gone is deleted', Boolean(operations.delete), of('delete', ({ answer }) => answer === 'gone')],
    ['a value is ended', Boolean(operations.endByValue), of('endByValue')],
    ['the last use is told', Boolean(operations.lastUsed), of('lastUsed')],
  ];
  return wanted.flatMap(([what, needed, shown]) => (needed && !shown ? [what] : []));
}

async function run(spec: Spec, fixture: Fixture): Promise<string[]> {
  const faults: string[] = [];
  const left = [...fixture.exchanges];
  const { given } = fixture;
  const admin = Object.fromEntries(Object.entries(given.admin ?? {}).map(([name, text]) => [name, new Value(text)]));
  const provider = httpProvider({
    spec,
    admin: async () => admin,
    callSeconds: 10,
    now: () => Date.parse(given.now ?? '2026-01-01T00:00:00Z'),
    async send(outgoing) {
      const exchange = left.shift();
      faults.push(
        ...(exchange ? differences(exchange.request, outgoing) : [`one request too many: ${outgoing.method} ${outgoing.url.href}`]),
      );
      if (!exchange) throw new ProviderUnavailable('the fixture has no answer to this request');
      return answerOf(exchange.response);
    },
  });
  const result = await resultOf(provider, fixture);
  for (const [field, wanted] of Object.entries(fixture.result))
    if (!isDeepStrictEqual(result[field], wanted)) faults.push(`result.${field} is ${shown(result[field])}, not ${shown(wanted)}`);
  if (left.length)
    faults.push(`${left.length} of the requests were not made, the next being ${left[0]?.request.method} ${left[0]?.request.url}`);
  return faults;
}

async function resultOf(provider: ReturnType<typeof httpProvider>, { operation, given }: Fixture): Promise<Record<string, unknown>> {
  const subject: Subject = { keyId: 'fixture/key', account: 'default', params: given.params ?? {} };
  const value = new Value(given.secret ?? 'example-value');
  const id = given.credentialId ?? '';
  try {
    switch (operation) {
      case 'create': {
        const minting = {
          ...(given.secret !== undefined && { value }),
          ...(given.overlapUntil !== undefined && { oldUntil: given.overlapUntil }),
        };
        const made = await provider.create(subject, given.label ?? '', minting);
        return { credentialId: made.credentialId, value: made.value.reveal() };
      }
      case 'list':
        return { credentials: await provider.list(subject) };
      case 'probe':
        return { ...(await provider.probe(subject, value)) };
      case 'disable':
      case 'delete':
        return { answer: await provider[operation](subject, id) };
      case 'endByValue':
        await provider.endByValue?.(value);
        return { answer: 'ended' };
      case 'lastUsed':
        return { ...(await provider.lastUsed?.(subject, id)) };
    }
  } catch (error) {
    return { error: (error as Error).name };
  }
}

/** In what a request is not the one that the fixture has. Fixtures hold examples, so that they may be shown. */
function differences(wanted: Fixture['exchanges'][number]['request'], sent: Outgoing): string[] {
  const url = URL.parse(wanted.url)?.href ?? wanted.url;
  const body = wanted.json !== undefined ? parsed(sent.body) : Object.fromEntries(new URLSearchParams(sent.body ?? ''));
  const expected = wanted.json ?? wanted.form ?? {};
  return [
    ...(wanted.method === sent.method && url === sent.url.href
      ? []
      : [`asks ${sent.method} ${sent.url.href}, not ${wanted.method} ${url}`]),
    ...Object.entries(wanted.headers ?? {}).flatMap(([name, content]) =>
      sent.headers[name.toLowerCase()] === content
        ? []
        : [`the header ${name} is ${shown(sent.headers[name.toLowerCase()])}, not ${shown(content)}`],
    ),
    ...(isDeepStrictEqual(body, expected) ? [] : [`the body is ${shown(body)}, not ${shown(expected)}`]),
  ];
}

function answerOf({ status, headers = {}, json, text }: Fixture['exchanges'][number]['response']): Answer {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, content]) => [name.toLowerCase(), content]));
  return { status, headers: lower, text: text ?? (json === undefined ? '' : JSON.stringify(json)), json };
}

function parsed(body: string | undefined): unknown {
  try {
    return JSON.parse(body ?? '');
  } catch {
    return undefined;
  }
}

const shown = (content: unknown): string => (content === undefined ? 'missing' : JSON.stringify(content)).slice(0, 300);
