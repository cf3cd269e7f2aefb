import { randomUUID } from 'node:crypto';
import { digestOf } from '../../../adapters/providers/digest.ts';
import { type Description, type Held, hex, type Incoming, type Reply, type Route, random } from '../engine.ts';

const admin = `api-${randomUUID()}`;
const failed = (status: number, code: string, headers = {}): Reply => ({
  status,
  json: { code, message: 'The request was refused.' },
  headers,
});
const missing = failed(404, 'not_found');
const presents = ({ headers }: Incoming) => headers['authorization'];
const identity: Route = {
  call: 'GET app.launchdarkly.com/api/v2/caller-identity',
  who: 'subject',
  answer: (call, vendor) =>
    vendor.use(presents(call) ?? '')
      ? { status: 200, json: { accountId: random(24, hex), authKind: 'token', tokenKind: 'auth', serviceToken: true } }
      : failed(401, 'unauthorized'),
};
const ofLaunchDarkly = {
  admin: { token: admin },
  isAdmin: (call: Incoming) => presents(call) === admin,
  presents,
  limit: null,
  refusal: failed(401, 'unauthorized'),
  slowDown: failed(429, 'rate_limited', { 'retry-after': '7' }),
  broken: failed(500, 'internal_service_error'),
  invalid: failed(400, 'invalid_request'),
};

const tokens = 'app.launchdarkly.com/api/v2/tokens';
const shown = ({ id, name, value, createdAt, lastUsedAt, more }: Held) => ({
  _id: id,
  ownerId: '569f514183f2164430000002',
  memberId: '569f514183f2164430000002',
  creationDate: createdAt,
  lastModified: createdAt,
  name,
  token: value.slice(-4),
  serviceToken: true,
  ...(lastUsedAt === null ? {} : { lastUsed: lastUsedAt }),
  ...more,
  _links: { self: { href: `/api/v2/tokens/${id}`, type: 'application/json' } },
});

/** From launchdarkly.com/docs/api/access-tokens and get-caller-identity. */
export const launchdarklyToken: Description = {
  ...ofLaunchDarkly,
  provider: 'launchdarkly-token',
  docs: ['https://launchdarkly.com/docs/api/access-tokens'],
  params: { role: 'reader' },
  mint: () => `api-${randomUUID()}`,
  id: () => random(24, hex),
  routes: [
    {
      call: `POST ${tokens}`,
      who: 'admin',
      json: {
        'name?': 'string',
        'role?': ['reader', 'writer', 'admin'],
        'customRoleIds?': 'string[]',
        'inlineRole?': 'json[]',
        'serviceToken?': 'boolean',
        'description?': 'string',
      },
      answer({ json: { name, serviceToken: _service, ...more } }, vendor) {
        const made = vendor.create(String(name), more);
        return { status: 201, json: { ...shown(made), token: made.value } };
      },
    },
    {
      call: `GET ${tokens}`,
      who: 'admin',
      query: { 'showAll?': ['true', 'false'], 'limit?': /^\d+$/, 'offset?': /^\d+$/ },
      answer({ query }, vendor) {
        const [from, all] = [Number(query.get('offset') ?? 0), vendor.present()];
        const next =
          from + 2 < all.length
            ? { next: { href: `/api/v2/tokens?limit=2&offset=${from + 2}&showAll=true`, type: 'application/json' } }
            : {};
        return {
          status: 200,
          json: {
            items: all.slice(from, from + 2).map(shown),
            _links: { self: { href: '/api/v2/tokens', type: 'application/json' }, ...next },
          },
        };
      },
    },
    {
      call: `GET ${tokens}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        return found ? { status: 200, json: shown(found) } : missing;
      },
    },
    {
      call: `DELETE ${tokens}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        vendor.remove(found);
        return { status: 204 };
      },
    },
    identity,
  ],
};

const environment = 'app.launchdarkly.com/api/v2/projects/:project/environments/:environment';
const shownEnvironment = (current: Held | undefined) => ({
  _id: '57be1db38b75bf0772d11384',
  key: 'production',
  name: 'Production',
  apiKey: current?.value ?? '',
  mobileKey: `mob-${randomUUID()}`,
});

/** From launchdarkly.com/docs/api/environments: one key at a time; a reset without an expiry ends the old one at once. */
export const launchdarklySdkKey: Description = {
  ...ofLaunchDarkly,
  provider: 'launchdarkly-sdk-key',
  docs: ['https://launchdarkly.com/docs/api/environments/reset-environment-sdk-key'],
  params: { project: 'shop', environment: 'production' },
  alone: true,
  mint: () => `sdk-${randomUUID()}`,
  id: (value) => digestOf(value),
  routes: [
    {
      call: `GET ${environment}`,
      who: 'admin',
      answer: (_call, vendor) => ({ status: 200, json: shownEnvironment(vendor.present().at(-1)) }),
    },
    {
      call: `POST ${environment}/apiKey`,
      who: 'admin',
      query: { 'expiry?': /^\d{13}$/ },
      answer({ query }, vendor) {
        const old = vendor.present().at(-1);
        if (old) {
          vendor.disable(old);
          old.refusedFrom = Number(query.get('expiry') ?? Date.now());
        }
        return { status: 200, json: shownEnvironment(vendor.create('')) };
      },
    },
    identity,
  ],
};
