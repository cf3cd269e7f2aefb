import { bearer, type Description, type Held, type Incoming, type Reply, random } from '../engine.ts';

const adminKey = `sk-admin-${random(58)}T3BlbkFJ${random(58)}`;
const failed = (status: number, code: string | null, headers = {}): Reply => ({
  status,
  json: { error: { message: 'The request was refused.', type: 'invalid_request_error', param: null, code } },
  headers,
});
const missing = failed(404, 'not_found');
const seconds = (at: number) => Math.floor(at / 1000);
const isAdmin = (call: Incoming): boolean => bearer(call) === adminKey;

/** One page of a list, as every list of the administration API has it. */
function page(query: URLSearchParams, all: readonly { id: string }[]): Reply {
  // Two to a page, whatever is asked for.
  const from = query.get('after') === null ? 0 : all.findIndex(({ id }) => id === query.get('after')) + 1;
  const data = all.slice(from, from + 2);
  return {
    status: 200,
    json: { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: from + 2 < all.length },
  };
}
const listQuery = { 'limit?': /^([1-9]|[1-9]\d|100)$/, 'after?': 'string' };
const ofOpenai = {
  docs: ['https://platform.openai.com/docs/api-reference/administration'],
  admin: { adminKey },
  isAdmin,
  presents: bearer,
  limit: null,
  refusal: failed(401, 'invalid_api_key'),
  slowDown: failed(429, 'rate_limit_exceeded', { 'retry-after': '7' }),
  broken: failed(500, null),
  invalid: failed(400, 'invalid_request'),
};

const accounts = 'api.openai.com/v1/organization/projects/:project/service_accounts';
const account = ({ id, name, createdAt }: Held) => ({
  object: 'organization.project.service_account',
  id,
  name,
  role: 'member',
  created_at: seconds(createdAt),
});

/** From openapi.yaml of github.com/openai/openai-openapi. */
export const openaiServiceAccount: Description = {
  ...ofOpenai,
  provider: 'openai-service-account',
  params: { project: 'proj_abc' },
  mint: () => `sk-svcacct-${random(58)}T3BlbkFJ${random(58)}`,
  id: () => `svc_acct_${random(16)}`,
  routes: [
    {
      call: `POST ${accounts}`,
      who: 'admin',
      json: { name: 'string' },
      answer({ json }, vendor) {
        const made = vendor.create(String(json['name']));
        const key = {
          object: 'organization.project.service_account.api_key',
          value: made.value,
          name: 'Secret Key',
          created_at: seconds(made.createdAt),
          id: `key_${random(12)}`,
        };
        return { status: 200, json: { ...account(made), api_key: key } };
      },
    },
    { call: `GET ${accounts}`, who: 'admin', query: listQuery, answer: ({ query }, vendor) => page(query, vendor.present().map(account)) },
    {
      call: `DELETE ${accounts}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        vendor.remove(found);
        return { status: 200, json: { object: 'organization.project.service_account.deleted', id: found.id, deleted: true } };
      },
    },
    {
      // "An error if the key belonged to a service account": whoever tries this way does not end the key.
      call: 'DELETE api.openai.com/v1/organization/projects/:project/api_keys/:id',
      who: 'admin',
      answer: () => failed(400, 'service_account_key'),
    },
    {
      call: 'GET api.openai.com/v1/models',
      who: 'subject',
      answer: (call, vendor) =>
        vendor.use(bearer(call) ?? '')
          ? {
              status: 200,
              json: { object: 'list', data: [{ id: 'model-id-0', object: 'model', created: 1686935002, owned_by: 'organization-owner' }] },
            }
          : failed(401, 'invalid_api_key'),
    },
  ],
};

const keys = 'api.openai.com/v1/organization/admin_api_keys';
const key = ({ id, name, value, createdAt, lastUsedAt, more }: Held) => ({
  object: 'organization.admin_api_key',
  id,
  name,
  redacted_value: `sk-admin...${value.slice(-3)}`,
  created_at: seconds(createdAt),
  expires_at: more['expires_at'] ?? null,
  last_used_at: lastUsedAt === null ? null : seconds(lastUsedAt),
  owner: { type: 'user', object: 'organization.user', id: 'user_123', name: 'John Doe', created_at: 1711471533, role: 'owner' },
});

/** From openapi.yaml of github.com/openai/openai-openapi. */
export const openaiAdminKey: Description = {
  ...ofOpenai,
  provider: 'openai-admin-key',
  params: {},
  mint: () => `sk-admin-${random(58)}T3BlbkFJ${random(58)}`,
  id: () => `key_${random(16)}`,
  routes: [
    {
      call: `POST ${keys}`,
      who: 'admin',
      json: { name: 'string', 'expires_in_seconds?': 'integer' },
      answer({ json }, vendor) {
        const lives = Number(json['expires_in_seconds'] ?? 0);
        if (lives > 31_536_000) return failed(400, 'invalid_request');
        const made = vendor.create(String(json['name']), lives ? { expires_at: seconds(Date.now()) + lives } : {});
        return { status: 200, json: { ...key(made), value: made.value } };
      },
    },
    {
      call: `GET ${keys}`,
      who: 'anybody',
      query: { ...listQuery, 'order?': ['asc', 'desc'] },
      answer(call, vendor) {
        // The admin's own key, or one of these: the same call is their probe.
        if (!vendor.description.isAdmin(call) && !vendor.use(bearer(call) ?? '')) return failed(401, 'invalid_api_key');
        return page(call.query, vendor.present().map(key));
      },
    },
    {
      call: `GET ${keys}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        return found ? { status: 200, json: key(found) } : missing;
      },
    },
    {
      call: `DELETE ${keys}/:id`,
      who: 'admin',
      answer({ params }, vendor) {
        const found = vendor.find(params['id']);
        if (!found) return missing;
        vendor.remove(found);
        return { status: 200, json: { id: found.id, object: 'organization.admin_api_key.deleted', deleted: true } };
      },
    },
  ],
};
