import { bearer, type Description, type Held, hex, type Reply, random } from '../engine.ts';

const accountId = random(32, hex);
const admin = `cfat_${random(40)}${random(8, hex)}`;
const policies = [
  { effect: 'allow', permission_groups: [{ id: random(32, hex) }], resources: { [`com.cloudflare.api.account.${accountId}`]: '*' } },
];
const ok = (result: unknown, more = {}): Reply => ({ status: 200, json: { success: true, errors: [], messages: [], result, ...more } });
const failed = (status: number, code: number, message: string, headers = {}): Reply => ({
  status,
  json: { success: false, errors: [{ code, message }], messages: [], result: null },
  headers,
});
const missing = failed(404, 1003, 'Token not found');
const shown = ({ id, name, enabled, createdAt, lastUsedAt, more }: Held) => ({
  id,
  name,
  status: enabled ? 'active' : 'disabled',
  issued_on: new Date(createdAt).toISOString(),
  modified_on: new Date(createdAt).toISOString(),
  ...(lastUsedAt === null ? {} : { last_used_on: new Date(lastUsedAt).toISOString() }),
  ...more,
});
const tokens = 'api.cloudflare.com/client/v4/accounts/:account/tokens';
const fields = {
  name: 'string(120)',
  policies: 'json[]',
  'condition?': { 'request_ip?': { 'in?': 'string[]', 'not_in?': 'string[]' } },
  'expires_on?': 'string',
  'not_before?': 'string',
};

/** From developers.cloudflare.com/api/resources/accounts/subresources/tokens. */
export const cloudflareAccountToken: Description = {
  provider: 'cloudflare-account-token',
  docs: ['https://developers.cloudflare.com/api/resources/accounts/subresources/tokens/'],
  admin: { apiToken: admin },
  params: { accountId, policies, condition: { request_ip: { in: ['203.0.113.0/24'] } } },
  isAdmin: (call) => bearer(call) === admin,
  presents: bearer,
  mint: () => `cfat_${random(40)}${random(8, hex)}`,
  id: () => random(32, hex),
  limit: null,
  refusal: failed(401, 10000, 'Authentication error'),
  slowDown: failed(429, 971, 'Please wait and consider throttling your request speed', { 'retry-after': '7' }),
  broken: failed(500, 1000, 'Internal server error'),
  invalid: failed(400, 1001, 'Invalid request'),
  routes: [
    {
      call: `POST ${tokens}`,
      who: 'admin',
      json: fields,
      answer({ json: { name, ...more } }, vendor) {
        const made = vendor.create(String(name), more);
        return ok({ ...shown(made), value: made.value });
      },
    },
    {
      call: `GET ${tokens}`,
      who: 'admin',
      query: { 'page?': /^[1-9]\d*$/, 'per_page?': /^([5-9]|[1-4]\d|50)$/, 'direction?': ['asc', 'desc'] },
      answer({ query }, vendor) {
        const [page, size, all] = [Number(query.get('page') ?? 1), Number(query.get('per_page') ?? 20), vendor.present()];
        const result = all.slice((page - 1) * size, page * size).map(shown);
        return ok(result, { result_info: { page, per_page: size, count: result.length, total_count: all.length } });
      },
    },
    {
      call: `GET ${tokens}/verify`,
      who: 'subject',
      answer(call, vendor) {
        const value = bearer(call) ?? '';
        const found = vendor.held.find((one) => one.value === value);
        if (vendor.use(value)) return ok({ id: found?.id, status: 'active' });
        return found && !found.deleted && !found.enabled
          ? ok({ id: found.id, status: 'disabled' })
          : failed(401, 1000, 'Invalid API Token');
      },
    },
    {
      call: `GET ${tokens}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        return found ? ok(shown(found)) : missing;
      },
    },
    {
      call: `PUT ${tokens}/:id`,
      who: 'admin',
      json: { ...fields, status: ['active', 'disabled'] },
      answer({ params, json: { name, status, ...more } }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        // A PUT replaces the whole token: what is not sent is gone.
        Object.assign(found, { name, more });
        if (status === 'disabled') vendor.disable(found);
        return ok(shown(found));
      },
    },
    {
      call: `DELETE ${tokens}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        vendor.remove(found);
        return ok({ id: found.id });
      },
    },
  ],
  stranger: () => ({ policies }),
};
