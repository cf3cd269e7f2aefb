import {
  type APIGatewayClient,
  CreateApiKeyCommand,
  CreateUsagePlanKeyCommand,
  DeleteApiKeyCommand,
  GetApiKeysCommand,
  GetUsagePlanCommand,
  GetUsagePlanKeyCommand,
  UpdateApiKeyCommand,
} from '@aws-sdk/client-api-gateway';
import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Credential, Probe, Provider, ProviderAbout, ProviderTraits, Subject } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { awsFailure } from '../aws-failure.ts';
import { digestOf } from './digest.ts';
import { type Answer, egress, type Outgoing } from './egress.ts';
import { renderText } from './template.ts';

const traits: ProviderTraits = {
  pattern: 'additive',
  class: 'A',
  maxLive: 10_000,
  countsDisabled: true,
  disable: 'disable',
  labelled: true,
  shared: true,
  keepsOne: false,
  lifetimeSeconds: null,
  callsPerSecond: 5,
  activateSeconds: 120,
  revokeSeconds: 120,
  probe: { alive: 2, denied: 3, everySeconds: 10 },
  secretPattern: '^rekey[A-Za-z0-9]{43}$',
};

const guide = 'https://docs.aws.amazon.com/apigateway/latest/developerguide';
const on = '2026-11-28';

const about: ProviderAbout = {
  title: 'Amazon API Gateway keys (REST APIs)',
  docs: [`${guide}/api-gateway-api-usage-plans.html`],
  facts: [
    {
      about: ['create', 'list', 'disable', 'delete'],
      is: 'documented',
      source: 'https://docs.aws.amazon.com/apigateway/latest/api/API_CreateApiKey.html',
      on,
      note: 'a value that exists already is answered with a conflict: seen by many, and nowhere in the reference',
    },
    { about: ['shape'], is: 'documented', source: `${guide}/api-gateway-api-usage-plans.html`, on, note: 'alphanumeric, 20 to 128' },
    { about: ['limit'], is: 'documented', source: `${guide}/limits.html`, on, note: '5 creates, changes or deletes in a second' },
    {
      about: ['probe'],
      is: 'documented',
      on,
      source: `${guide}/supported-gateway-responses.html`,
      note: 'INVALID_API_KEY is 403, and so is WAF_FILTERED: dead is only what API Gateway shows as off or gone as well',
    },
    {
      about: ['propagation'],
      is: 'unverified',
      on,
      note: 'AWS gives no number; two minutes are a budget, and death is declared by probes alone',
    },
  ],
  cannot: [
    'tell when a key was last used: usage is counted by the day, and Rekey’s own probes are in it',
    'probe an API whose execute-api endpoint is switched off, or one that is private',
    'end a key that was made by hand before it carries the tag rekey=<stage>',
  ],
  aliases: {},
  params: {
    usagePlanId: { needed: true, description: 'The usage plan that the keys belong to' },
    restApiId: { needed: true, description: 'An API of that plan, where keys are tried' },
    stage: { needed: true, description: 'The stage of that API in the plan' },
    probePath: { needed: true, description: 'The path of a GET method there that asks for a key and answers 2xx, like /ping' },
  },
  admin: {},
};

/** What the value of a version looks like; 256 bits. */
const shape = 'rekey{{random|alnum:43}}';

export interface ApiGatewayOptions {
  readonly client: APIGatewayClient;
  readonly region: string;
  /** Keys are created with the tag `rekey=<stage>`, and the functions' rights end at keys that carry it. */
  readonly stage: string;
  readonly callSeconds: number;
  /** Sends a probe; the guarded way out by default. */
  readonly send?: (outgoing: Outgoing, signal: AbortSignal) => Promise<Answer>;
}

/**
 * Keys of Amazon API Gateway's REST APIs, for one usage plan. The value is ours: asked for again it is the same key. Nothing is ever read back:
 * a key is recognised by the digest of its value in its description. Enabled is only ever set to false.
 */
export function apiGatewayProvider({ client, region, stage, callSeconds, send }: ApiGatewayOptions): Provider {
  const suffix = `execute-api.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
  const call = send ?? egress({ hosts: [`*.${suffix}`], allowLoopback: false });
  const within = () => AbortSignal.timeout(callSeconds * 1000);
  const deadline = () => ({ abortSignal: within() });
  /** Places that were found in their usage plan: no value is sent anywhere else. */
  const known = new Set<string>();

  async function all(): Promise<(Credential & { readonly description: string })[]> {
    const until = deadline();
    const found: (Credential & { description: string })[] = [];
    let position: string | undefined;
    do {
      const page = await attempt('GetApiKeys', () =>
        client.send(new GetApiKeysCommand({ limit: 500, includeValues: false, ...(position ? { position } : {}) }), until),
      );
      for (const { id, name, enabled, createdDate, description = '' } of page.items ?? []) {
        if (!id) throw new ProviderUnavailable('API Gateway GetApiKeys: an entry without an id');
        const createdAt = createdDate ? { createdAt: createdDate.toISOString() } : {};
        // Anything that is not plainly off counts as on.
        found.push({ credentialId: id, ...(name ? { label: name } : {}), enabled: enabled !== false, description, ...createdAt });
      }
      position = page.position;
    } while (position);
    return found;
  }

  const ofValue = async (value: Value) => (await all()).find(({ description }) => description === describing(value));

  async function addToPlan(usagePlanId: string, keyId: string): Promise<void> {
    const command = new CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: 'API_KEY' });
    await attempt('CreateUsagePlanKey', () => client.send(command, deadline()), 'ConflictException');
  }

  async function checkPlace({ usagePlanId, restApiId, stage: at }: Place): Promise<void> {
    if (known.has(`${usagePlanId}/${restApiId}/${at}`)) return;
    const plan = await attempt('GetUsagePlan', () => client.send(new GetUsagePlanCommand({ usagePlanId }), deadline()));
    if (!plan?.apiStages?.some((one) => one.apiId === restApiId && one.stage === at))
      throw new ProviderRefused(`usage plan ${usagePlanId} does not have the stage ${at} of ${restApiId}`);
    known.add(`${usagePlanId}/${restApiId}/${at}`);
  }

  async function tried(place: Place, value: Value): Promise<Probe> {
    await checkPlace(place);
    const url = new URL(`https://${place.restApiId}.${suffix}/${place.stage}${place.probePath}`);
    const { status, headers, json } = await call({ method: 'GET', url, headers: { 'x-api-key': value.reveal() } }, within());
    if (headers['x-amz-apigw-id'] === undefined) return { verdict: 'inconclusive', detail: `status ${status}, not from API Gateway` };
    if (status >= 200 && status < 300) return { verdict: 'alive', detail: `status ${status}` };
    if (status !== 403 || (json as { message?: unknown } | undefined)?.message !== 'Forbidden')
      return { verdict: 'inconclusive', detail: `status ${status}` };
    const held = await ofValue(value);
    return held?.enabled
      ? { verdict: 'inconclusive', detail: 'status 403, but the key is on: a firewall, or not in effect yet' }
      : { verdict: 'denied', detail: `status 403, and the key is ${held ? 'off' : 'gone'}` };
  }

  return {
    name: 'aws-api-gateway',
    traits,
    about,
    draw,
    neverIssued: draw,

    async create(subject, label, minting) {
      const place = placeOf(subject);
      const value = minting?.value;
      if (!value) throw new ProviderRefused('API Gateway takes the value from us, and there is none');
      await checkPlace(place);
      const command = new CreateApiKeyCommand({
        ...{ name: label, description: describing(value), enabled: true, value: value.reveal(), tags: { rekey: stage } },
      });
      const made = await attempt('CreateApiKey', () => client.send(command, deadline()), 'ConflictException');
      const credentialId = made?.id ?? (await ofValue(value))?.credentialId;
      if (!credentialId) throw new ProviderRefused('API Gateway CreateApiKey: another key has this value');
      await addToPlan(place.usagePlanId, credentialId);
      return { credentialId, value };
    },

    async find(subject, value) {
      const { usagePlanId } = placeOf(subject);
      const held = await ofValue(value);
      if (!held) return undefined;
      // One that never got into its plan is not finished: it goes, and another is made.
      const command = new GetUsagePlanKeyCommand({ usagePlanId, keyId: held.credentialId });
      const inPlan = await attempt('GetUsagePlanKey', () => client.send(command, deadline()), 'NotFoundException');
      return inPlan ? held.credentialId : undefined;
    },

    async list(subject) {
      placeOf(subject);
      return (await all()).map(({ description: _ours, ...credential }) => credential);
    },

    async probe(subject, value) {
      try {
        return await tried(placeOf(subject), value);
      } catch (error) {
        return { verdict: 'inconclusive', detail: (error as Error).message };
      }
    },

    async disable(subject, credentialId) {
      placeOf(subject);
      const off = { op: 'replace', path: '/enabled', value: 'false' } as const;
      const command = new UpdateApiKeyCommand({ apiKey: credentialId, patchOperations: [off] });
      return (await attempt('UpdateApiKey', () => client.send(command, deadline()), 'NotFoundException')) ? 'disabled' : 'gone';
    },

    async delete(subject, credentialId) {
      placeOf(subject);
      const command = new DeleteApiKeyCommand({ apiKey: credentialId });
      return (await attempt('DeleteApiKey', () => client.send(command, deadline()), 'NotFoundException')) ? 'deleted' : 'gone';
    },
  };
}

function draw(random: string): Value {
  return new Value(renderText(shape, () => random));
}

/** What a key's description says of its value. The console shows it; it opens nothing. */
const describing = (value: Value): string => `Rekey ${digestOf(value.reveal())}`;

/** Where a subject's keys belong, and where they are tried. */
interface Place {
  readonly usagePlanId: string;
  readonly restApiId: string;
  readonly stage: string;
  readonly probePath: string;
}

function placeOf({ keyId, account, params }: Subject): Place {
  if (account !== 'default') throw new ProviderRefused(`no API Gateway account "${account}" is set up`);
  const of = (name: keyof Place, allowed: RegExp) => {
    const text = params[name];
    if (typeof text === 'string' && allowed.test(text)) return text;
    throw new ProviderRefused(`${keyId}: params.${name} is not one of API Gateway's`);
  };
  return {
    usagePlanId: of('usagePlanId', /^[a-z0-9]{1,40}$/),
    restApiId: of('restApiId', /^[a-z0-9]{1,40}$/),
    stage: of('stage', /^\w{1,128}$/),
    probePath: of('probePath', /^(\/[\w.~-]+)+$/),
  };
}

/** What the call answers, or undefined when AWS answers with the one error that is an answer too. */
async function attempt<T>(call: string, work: () => Promise<T>, answer: string): Promise<T | undefined>;
async function attempt<T>(call: string, work: () => Promise<T>): Promise<T>;
async function attempt<T>(call: string, work: () => Promise<T>, answer?: string): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { code, transient, text } = awsFailure(error);
    if (code === answer) return undefined;
    throw new (transient ? ProviderUnavailable : ProviderRefused)(`API Gateway ${call}: ${text}`);
  }
}
